//! The same inputs give the same bytes: on any day, from any directory, with any number of threads.

use serde_json::json;

use crate::support::artifact_server::{Answer, ArtifactServer};
use crate::support::{Workplace, noise, tgz_of, zip_of};

/// The quickstart's digest. It changes only with the example or with the layer format, and then with a line in CHANGELOG.
#[test]
fn the_quickstart_has_this_digest() {
    let place = Workplace::new();
    let resource = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart/kafka-connect.yaml");
    let arguments = ["build", resource, "--base", "scratch", "--platform", "linux/amd64", "--to"];
    let first = place.run(&[arguments.as_slice(), &["oci:one"]].concat()).succeeded();
    let second =
        place.run(&[arguments.as_slice(), &["oci:two/deeper", "--parallel", "1"]].concat()).succeeded();
    assert_eq!(first.digest(), second.digest());
    insta::assert_snapshot!(first.digest());
}

#[test]
fn threads_order_and_day_do_not_matter() {
    let parts: Vec<(String, Vec<u8>)> = (0..6).map(|n| (format!("lib/{n}.jar"), noise(200_000, n))).collect();
    let files: Vec<(&str, &[u8])> =
        parts.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    let server = ArtifactServer::start(&[
        ("/a.tgz", Answer::Content(tgz_of(&files))),
        ("/b.zip", Answer::Content(zip_of(&files))),
        ("/c.jar", Answer::Content(zip_of(&[("text", &b"text ".repeat(50_000))]))),
    ]);
    let plugins = json!([
        { "name": "aa", "artifacts": [{ "type": "tgz", "url": server.url("/a.tgz") }] },
        { "name": "bb", "artifacts": [{ "type": "zip", "url": server.url("/b.zip") }, { "type": "jar", "url": server.url("/c.jar") }] },
    ]);
    let build = |extra: &[&str]| {
        // The port is part of the URL, and so of paths and keys: one server for all.
        let place = Workplace::new();
        place.resource(None, &plugins);
        let mut command = place.command();
        command.args(["build", "resource.json", "--base", "scratch", "--to", "oci:out"]).args(extra);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let first = build(&[]);
    assert_eq!(first, build(&["--parallel", "1"]));
    assert_eq!(first, build(&["--parallel", "32", "-v"]));
    assert_ne!(first, build(&["--source-date-epoch", "1"]));
    assert_ne!(first, build(&["--compression", "zstd"]));
    if let Ok(taskset) = std::process::Command::new("taskset").arg("--version").output()
        && taskset.status.success()
    {
        let place = Workplace::new();
        place.resource(None, &plugins);
        let mut command = std::process::Command::new("taskset");
        command.args(["-c", "0", env!("CARGO_BIN_EXE_connect-build"), "build", "resource.json"]);
        command.args(["--base", "scratch", "--to", "oci:out"]).current_dir(place.path(""));
        assert_eq!(first, String::from_utf8(command.output().unwrap().stdout).unwrap(), "one processor");
    }
}
