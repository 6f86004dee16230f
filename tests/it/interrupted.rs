//! Builds that are ended at any moment: the tag names what it named, nothing is left, and the next build succeeds.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::artifact_server::{Answer, ArtifactServer};
use crate::support::real::{RealRegistry, Setup, text};
use crate::support::{Workplace, noise, tgz_of, zip_of};

struct Builds {
    place: Workplace,
    registry: RealRegistry,
    _server: ArtifactServer,
}

impl Builds {
    fn new() -> Self {
        let (place, registry) = (Workplace::new(), RealRegistry::start(Setup::Http));
        let jar = zip_of(&[("noise", &noise(6_000_000, 31))]);
        let tgz = tgz_of(&[("a.jar", &noise(6_000_000, 32)), ("text", &b"text ".repeat(400_000))]);
        let server =
            ArtifactServer::start(&[("/a.jar", Answer::Content(jar)), ("/b.tgz", Answer::Content(tgz))]);
        let artifact = |kind: &str, path: &str| json!({ "type": kind, "url": server.url(path) });
        place.resource(
            None,
            &json!([
                { "name": "one", "artifacts": [artifact("jar", "/a.jar")] },
                { "name": "two", "artifacts": [artifact("tgz", "/b.tgz")] },
            ]),
        );
        Self { place, registry, _server: server }
    }

    /// Begins a build of an image of its own: it has another label, and layers of another time.
    fn begin(&self, number: u32) -> Child {
        let mut command = self.place.command();
        let to = format!("{}/connect:1", self.registry.host());
        let label = format!("number={number}");
        command.args([
            "build",
            "resource.json",
            "--base",
            "scratch",
            "--to",
            &to,
            "--label",
            &label,
            "--retries",
            "0",
        ]);
        command.args(["--source-date-epoch", &number.to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The number in the label of what the tag names.
    fn tagged(&self) -> u32 {
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["inspect", "--tls-verify=false", "--format", "{{index .Labels \"number\"}}"]);
        let image = format!("docker://{}/connect:1", self.registry.host());
        text(skopeo.arg(image)).trim().parse().unwrap()
    }
}

fn signal(child: &Child, name: &str) {
    let status =
        Command::new("kill").args(["-s", name, &child.id().to_string()]).stderr(Stdio::null()).status();
    // It may have ended a moment ago.
    let _ = status.unwrap();
}

#[test]
#[ignore = "docker-registry, skopeo"]
fn a_build_can_be_ended_at_any_moment() {
    let builds = Builds::new();
    let begun = Instant::now();
    assert!(builds.begin(0).wait().unwrap().success());
    let whole = begun.elapsed();
    let (mut named, mut ended) = (0, 0);
    // The same moments each time, in no order: multiples of the golden ratio.
    for number in 1..=20_u32 {
        let name = if number % 2 == 0 { "TERM" } else { "KILL" };
        let moment = whole.mul_f64((f64::from(number) * 0.618_034).fract());
        let mut child = builds.begin(number);
        // Before it listens to signals it has done nothing.
        std::thread::sleep(moment.max(Duration::from_millis(20)));
        let asked = Instant::now();
        signal(&child, name);
        let status = child.wait().unwrap();
        let took = asked.elapsed();
        let mut words = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut words).unwrap();
        let what = format!("{name} after {moment:?}, {took:?}: {status}\n{words}");
        let now = builds.tagged();
        if status.success() || words.contains("the image was being published") {
            assert!(now == number || now == named, "{what}");
        } else if name == "TERM" {
            assert_eq!(now, named, "{what}");
            assert!(words.contains("the build was ended by SIGTERM; the image was not changed"), "{what}");
        } else {
            // Between the last request and its end nobody can tell; before it the tag stays.
            assert!(now == named || now == number, "{what}");
        }
        if !status.success() {
            ended += 1;
        }
        if name == "TERM" {
            assert!(took < Duration::from_millis(1_500), "{what}");
            assert_eq!(builds.place.leftovers(), [] as [std::path::PathBuf; 0], "{what}");
        } else {
            // Whoever is killed cannot clean up; a pod's volume goes with it.
            for left in builds.place.leftovers() {
                std::fs::remove_dir_all(left).unwrap();
            }
        }
        named = now;
    }
    assert!(ended >= 12, "only {ended} of 20 were ended before their end");
    assert!(builds.begin(100).wait().unwrap().success());
    assert_eq!(builds.tagged(), 100);
}
