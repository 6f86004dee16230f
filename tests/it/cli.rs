//! The command line: help, plan, schema, results, exit codes, signals.

use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::artifact_server::{Answer, ArtifactServer};
use crate::support::{Run, Workplace, noise, tgz_of, zip_of};

const SCRATCH: [&str; 4] = ["--base", "scratch", "--to", "oci:out"];

fn with_a_jar() -> Workplace {
    let place = Workplace::new();
    place.write("a.jar", zip_of(&[("a", b"b")]));
    place.resource(
        None,
        &json!([{ "name": "plugin", "artifacts": [{ "type": "jar", "url": "file:a.jar" }] }]),
    );
    place
}

#[test]
fn help() {
    let place = Workplace::new();
    let texts: Vec<String> =
        [&["--help"][..], &["build", "--help"], &["plan", "--help"], &["schema", "--help"]]
            .iter()
            .map(|arguments| place.run(arguments).succeeded().stdout)
            .collect();
    insta::assert_snapshot!(texts.join("\n────────\n"));
}

#[test]
fn wrong_arguments() {
    let place = with_a_jar();
    let rows: Vec<String> = [
        &["build"][..],
        &["bild", "x"],
        &["build", "missing.yaml"],
        &["build", "resource.json", "--base", "scratch", "--to", "oci:out", "--registry-ca", "host"],
        &[
            "build",
            "resource.json",
            "--base",
            "scratch",
            "--to",
            "oci:out",
            "--insecure-registry",
            "https://host/",
        ],
        &["build", "resource.json", "--base", "scratch", "--to", "oci:out", "--platform", "amd64"],
        &["build", "resource.json", "--base", "scratch", "--to", "oci:out", "--platform", "all"],
        &["build", "resource.json", "--base", "scratch", "--to", "oci:out", "--label", "x"],
        &["build", "resource.json", "--base", "scratch", "--to", "oci:out", "--ca-file", "missing.pem"],
        &["build", "resource.json", "--base", "scratch", "--to", "oci:out", "--ca-file", "a.jar"],
        &["build", "resource.json", "--base", "scratch", "--to", "oci:out", "--auth-file", "missing.json"],
        &["build", "resource.json", "--base", "scratch", "--to", "oci:out", "--auth-file", "a.jar"],
        &["build", "resource.json", "--base", "scratch", "--to", "oci:out", "--max-download", "lots"],
        &["build", "resource.json", "--base", "scratch", "--to", "oci:out", "--workspace", "nowhere"],
        &["build", "resource.json", "--base", "oci:nowhere", "--to", "oci:out"],
        &["build", "resource.json", "--base", "scratch", "--to", "oci:."],
        &["build", "resource.json", "--base", "scratch", "--to", "oci-archive:no/such/dir.tar"],
        &[
            "build",
            "resource.json",
            "--base",
            "scratch",
            "--to",
            "oci:out",
            "--format",
            "docker",
            "--compression",
            "zstd",
        ],
        &[
            "build",
            "resource.json",
            "--base",
            "scratch",
            "--to",
            "docker-archive:x.tar",
            "--platform",
            "linux/amd64,linux/arm64",
        ],
    ]
    .iter()
    .map(|arguments| format!("$ connect-build {}\n{}", arguments.join(" "), place.run(arguments).error()))
    .collect();
    insta::assert_snapshot!(rows.join("\n\n"));
}

#[test]
fn plan_and_schema() {
    let place = with_a_jar();
    let plan = place
        .run(&["plan", "resource.json", "--base", "quay.io/strimzi/kafka:1", "--to", "oci:out"])
        .succeeded();
    insta::assert_snapshot!(plan.stdout);
    assert!(!place.path("out").exists());
    let schema: Value = serde_json::from_str(&place.run(&["schema"]).succeeded().stdout).unwrap();
    assert_eq!(schema["required"], json!(["output", "plugins"]));
}

#[test]
fn standard_input_is_read_and_may_not_name_files() {
    let place = with_a_jar();
    let run = |text: &str| {
        let mut command = place.command();
        command.args(["plan", "-", "--base", "scratch", "--to", "oci:out"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        Run::new(child.wait_with_output().unwrap(), &place.path(""))
    };
    let text = place.read("resource.json");
    insta::assert_snapshot!(run(&text).error(), @"
    exit 3
    error: the resource is not valid: `build.plugins[0].artifacts[0].url` is a `file:` URL, which only a resource given as a file may use
    ");
    run(&text.replace("file:", "https://example.com/")).succeeded();
}

#[test]
fn results_are_written_for_machines() {
    let place = with_a_jar();
    let arguments = [
        SCRATCH.as_slice(),
        &[
            "--result-file",
            "result.json",
            "--digest-file",
            "digest",
            "--termination-log",
            "termination",
            "--label",
            "a=b",
        ],
    ]
    .concat();
    let run = place.build(&arguments).succeeded();
    assert_eq!(place.read("digest"), run.stdout);
    assert_eq!(place.read("termination"), run.stdout.trim());
    let mut result: Value = serde_json::from_str(&place.read("result.json")).unwrap();
    assert!(result["seconds"]["total"].as_f64().is_some_and(|seconds| seconds > 0.0));
    result["seconds"] = json!("…");
    insta::assert_json_snapshot!(result);

    place.write("a.jar", "changed");
    std::fs::remove_file(place.path("a.jar")).unwrap();
    let failed = place.build(&arguments);
    assert_eq!(failed.code, 4);
    let result: Value = serde_json::from_str(
        &place.read("result.json").replace(&place.path("").display().to_string(), "DIR/"),
    )
    .unwrap();
    insta::assert_json_snapshot!(result);
    insta::assert_snapshot!(place.read("termination").replace(&place.path("").display().to_string(), "DIR/"));
}

#[test]
fn the_log_can_be_json() {
    let place = with_a_jar();
    let good = place.build(&[SCRATCH.as_slice(), &["--log-format", "json"]].concat()).succeeded();
    let failed = place.build(&["--base", "oci:nowhere", "--to", "oci:out", "--log-format", "json"]);
    for line in good.stderr.lines().chain(failed.stderr.lines()) {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        assert!(
            line["timestamp"].is_string() && line["level"].is_string() && line["message"].is_string(),
            "{line}"
        );
    }
    let error: Value = serde_json::from_str(failed.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&error["level"], &error["reason"], &error["exit_code"]),
        (&json!("ERROR"), &json!("BaseImageFailed"), &json!(8))
    );
}

#[test]
fn every_flag_has_a_variable() {
    let place = with_a_jar();
    let mut command = place.command();
    command.args(["build", "resource.json"]);
    command.env("CONNECT_BUILD_BASE", "scratch").env("CONNECT_BUILD_TO", "oci:by-variable");
    command.env("CONNECT_BUILD_COMPRESSION", "zstd").env("CONNECT_BUILD_LABEL", "a=1\nb=2");
    command.env("CONNECT_BUILD_QUIET", "true").env("SOURCE_DATE_EPOCH", "1700000000");
    let run = Run::new(command.output().unwrap(), &place.path("")).succeeded();
    assert_eq!(run.stderr, "");
    let help = place.run(&["build", "--help"]).stdout;
    let flags: Vec<&str> =
        help.lines().filter_map(|l| l.trim().strip_prefix("--").or(l.trim().split(", --").nth(1))).collect();
    assert!(flags.len() > 25, "{flags:?}");
    let config = std::fs::read_dir(place.path("by-variable/blobs/sha256")).unwrap();
    let texts: Vec<String> = config
        .map(|f| String::from_utf8_lossy(&std::fs::read(f.unwrap().path()).unwrap()).into_owned())
        .collect();
    assert!(
        texts.iter().any(|text| text.contains("2023-11-14T22:13:20Z") && text.contains(r#""b":"2""#)),
        "{texts:?}"
    );
}

#[test]
fn empty_variables_count_as_not_set() {
    let place = with_a_jar();
    let help = place.run(&["build", "--help"]).stdout;
    let names: Vec<&str> = help.split("[env: ").skip(1).filter_map(|rest| rest.split('=').next()).collect();
    assert!(names.len() > 25, "{names:?}");
    let mut command = place.command();
    command.args(["build", "resource.json"]).args(SCRATCH).envs(names.iter().map(|name| (name, "")));
    Run::new(command.output().unwrap(), &place.path("")).succeeded();
}

#[test]
fn values_have_bounds() {
    let place = with_a_jar();
    for flag in
        [["--parallel", "0"], ["--parallel", "99999999999"], ["--source-date-epoch", "18446744073709551615"]]
    {
        assert_eq!(place.build(&[SCRATCH.as_slice(), &flag].concat()).code, 2, "{flag:?}");
    }
}

#[test]
fn a_result_that_cannot_be_written_is_noticed_before_the_build() {
    let place = with_a_jar();
    let rows: Vec<String> = ["--result-file", "--digest-file"]
        .iter()
        .map(|flag| place.build(&[SCRATCH.as_slice(), &[flag, "no/such/file"]].concat()).error())
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    exit 2
    error: cannot write `no/such/file`
      caused by: No such file or directory (os error 2)
    hint: name a file in a directory that can be written, such as one of an emptyDir
    exit 2
    error: cannot write `no/such/file`
      caused by: No such file or directory (os error 2)
    hint: name a file in a directory that can be written, such as one of an emptyDir
    ");
    assert!(!place.path("out").exists());
}

#[test]
fn many_builds_share_a_layout() {
    let place = with_a_jar();
    // The moments that matter are at the start, when there is no layout yet.
    for round in 0..10 {
        let children: Vec<_> = (0..8)
            .map(|n| {
                let mut command = place.command();
                let to = format!("oci:shared-{round}:t{n}");
                command.args(["build", "-q", "resource.json", "--base", "scratch", "--to", &to]);
                command.stdout(Stdio::null()).spawn().unwrap()
            })
            .collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let index: Value = serde_json::from_str(&place.read(&format!("shared-{round}/index.json"))).unwrap();
        assert_eq!(index["manifests"].as_array().unwrap().len(), 8);
    }
}

#[test]
fn long_names_and_doubled_platforms() {
    let place = with_a_jar();
    let name = "p".repeat(255);
    place.resource(None, &json!([{ "name": name, "artifacts": [{ "type": "jar", "url": "file:a.jar" }] }]));
    place
        .build(
            &[SCRATCH.as_slice(), &["--platform", "linux/amd64,linux/amd64", "--result-file", "r"]].concat(),
        )
        .succeeded();
    let result: Value = serde_json::from_str(&place.read("r")).unwrap();
    assert_eq!(result["platforms"], json!(["linux/amd64"]));
}

/// A file system of this size at `place/small`, while it lives.
struct Tmpfs(std::path::PathBuf);

impl Tmpfs {
    fn mount(place: &Workplace, size: &str) -> Self {
        let path = place.path("small");
        std::fs::create_dir(&path).unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&path);
        crate::support::real::output(&mut mount);
        Self(path)
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[test]
#[ignore = "root, to mount a small file system"]
fn a_full_volume_is_named() {
    let place = Workplace::new();
    // Large enough for the kernel's own accounting, which is off by some megabytes.
    let small = Tmpfs::mount(&place, "32m");
    let build = |megabytes: usize, arguments: &[&str]| {
        place.write("x", noise(megabytes << 20, 1));
        place.resource(
            None,
            &json!([{ "name": "plugin", "artifacts": [{ "type": "other", "url": "file:x" }] }]),
        );
        place.build(&[&["--base", "scratch"], arguments].concat()).error()
    };
    let rows = [
        // The download does not fit; it does, and the layer does not; both do, and the result does not.
        build(48, &["--to", "oci:out", "--workspace", "small"]),
        build(24, &["--to", "oci:out", "--workspace", "small"]),
        build(48, &["--to", "oci-archive:small/out.tar"]),
    ];
    let text = rows.join("\n\n");
    insta::with_settings!({ filters => vec![(r"connect-build-\w+", "connect-build-RANDOM")] }, {
        insta::assert_snapshot!(text);
    });
    assert_eq!(std::fs::read_dir(&small.0).unwrap().count(), 0, "nothing is left on it");
}

#[test]
fn layouts_and_archives_as_target_and_base() {
    let place = with_a_jar();
    let first = place
        .build(&["--base", "scratch", "--to", "oci:base:v1", "--platform", "linux/amd64,linux/arm64"])
        .succeeded();
    place.write("b.tgz", tgz_of(&[("lib/b.jar", b"b")]));
    place
        .resource(None, &json!([{ "name": "other", "artifacts": [{ "type": "tgz", "url": "file:b.tgz" }] }]));
    let all = place.build(&["--base", "oci:base:v1", "--to", "oci:next", "--platform", "all"]).succeeded();
    assert_ne!(first.digest(), all.digest());
    let index: Value = serde_json::from_str(&place.read("next/index.json")).unwrap();
    assert_eq!(index["manifests"][0]["mediaType"], "application/vnd.oci.image.index.v1+json");
    for (target, file) in [("oci-archive:x.tar:1", "x.tar"), ("docker-archive:y.tar:team/app:1", "y.tar")] {
        place.build(&["--base", "oci:base:v1", "--to", target]).succeeded();
        let names: Vec<String> = tar::Archive::new(std::fs::File::open(place.path(file)).unwrap())
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        let wanted = if file == "x.tar" { "index.json" } else { "manifest.json" };
        assert!(names.iter().any(|name| name == wanted), "{names:?}");
    }
    assert_eq!(place.leftovers(), [] as [std::path::PathBuf; 0]);
}

#[test]
fn too_many_layers_are_noticed_before_any_download() {
    let place = Workplace::new();
    let plugins: Vec<Value> = (0..128)
        .map(|n| json!({ "name": format!("plugin-{n}"), "artifacts": [{ "type": "jar", "url": "https://does-not-exist.invalid/x.jar" }] }))
        .collect();
    place.resource(None, &json!(plugins));
    insta::assert_snapshot!(place.build(&SCRATCH).error());
}

#[test]
fn a_signal_ends_the_build_and_leaves_nothing() {
    let place = Workplace::new();
    let server = ArtifactServer::start(&[("/x", Answer::Stalled(noise(1 << 20, 1)))]);
    place.resource(
        None,
        &json!([{ "name": "plugin", "artifacts": [{ "type": "other", "url": server.url("/x") }] }]),
    );
    let mut command = place.command();
    command.args(["build", "resource.json", "--termination-log", "termination"]).args(SCRATCH);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while server.requests().is_empty() && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(place.leftovers().len(), 1, "there is a workspace to clean up");
    let stop = Instant::now();
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let run = Run::new(child.wait_with_output().unwrap(), &place.path(""));
    assert!(stop.elapsed() < Duration::from_secs(1), "{:?}", stop.elapsed());
    insta::assert_snapshot!(run.error(), @"
    exit 13
    error: the build was ended by SIGTERM; the image was not changed
    ");
    assert_eq!(place.read("termination"), "error: the build was ended by SIGTERM; the image was not changed");
    assert_eq!(place.leftovers(), [] as [std::path::PathBuf; 0]);
}

#[test]
fn a_flag_comes_before_a_variable_that_says_the_opposite() {
    let place = with_a_jar();
    for (flag, variable) in [("--quiet", "CONNECT_BUILD_VERBOSE"), ("-v", "CONNECT_BUILD_QUIET")] {
        let mut command = place.command();
        command.args(["build", "resource.json", flag]).args(SCRATCH).env(variable, "true");
        let run = Run::new(command.output().unwrap(), &place.path("")).succeeded();
        assert_eq!(run.stderr.contains("LAYER"), flag == "-v", "{flag}: {}", run.stderr);
    }
}

#[test]
fn a_full_or_closed_output_is_no_panic() {
    let place = with_a_jar();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = place.command().args(["schema"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(10));
    let run = Run::new(output, &place.path(""));
    assert!(run.stderr.starts_with("error: cannot write the output"), "{}", run.stderr);
}

/// Whatever is wrong with the command line, the file that it names for last words gets them.
#[test]
fn last_words_go_where_they_should_go_in_any_case() {
    let place = with_a_jar();
    let runs: [&[&str]; 4] = [
        &["build", "--termination-log", "words", "--frobnicate"],
        &["build", "--frobnicate", "--termination-log=words"],
        &["build", "--max-entries", "many"],
        &["--frobnicate"],
    ];
    for (index, arguments) in runs.into_iter().enumerate() {
        let mut command = place.command();
        if index > 1 {
            command.env("CONNECT_BUILD_TERMINATION_LOG", "words");
        }
        place.write("words", "");
        assert_eq!(command.args(arguments).output().unwrap().status.code(), Some(2));
        assert!(place.read("words").starts_with("error: "), "{arguments:?}");
    }
}

/// A value may come from somebody else than who reads the log: it draws nothing there, and begins no line.
#[test]
fn no_value_writes_its_own_lines() {
    const BAD: &str = "x\nFORGED: \u{1b}[31m\n  FORGED: x";
    let place = with_a_jar();
    place.write("Dockerfile", "FROM quay.io/strimzi/kafka:1\n\nUSER root:root\n\nUSER 1001\n");
    let mut runs: Vec<Vec<String>> = Vec::new();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut variables = Vec::new();
    for command in [&["build", "resource.json"][..], &["plan", "resource.json"], &["maven", "tree", "g:a:1"]]
    {
        let help = place.run(&[command, &["--help"]].concat()).stdout;
        for line in help.lines().map(str::trim).filter(|line| line.contains(" <")) {
            let flag = line.split_whitespace().find(|word| word.starts_with("--")).unwrap_or("--to");
            runs.push([words(command), vec![flag.to_owned(), BAD.to_owned()]].concat());
            runs.push([words(command), vec![format!("{flag}{BAD}")]].concat());
        }
        let names = help.split("[env: ").skip(1).filter_map(|rest| rest.split('=').next());
        variables.extend(names.map(|name| (words(command), name.to_owned())));
        runs.push([words(command), vec![BAD.to_owned()]].concat());
        runs.push(vec![command[0].to_owned(), BAD.to_owned()]);
    }
    let usual = "--dockerfile=Dockerfile";
    let known = place.run(&["--no-such-option"]).stderr;
    let known = known.lines().find_map(|line| line.strip_prefix("hint: known are ")).unwrap().to_owned();
    for option in known.split(", ").map(|option| option.trim_matches('`')) {
        let given = format!("{option}={BAD}");
        runs.push(vec![usual.to_owned(), "--destination=127.0.0.1:9/x:1".to_owned(), given.clone()]);
        runs.push(vec![usual.to_owned(), given]);
    }
    runs.push(vec![format!("--{BAD}")]);
    runs.push(vec![usual.to_owned(), BAD.to_owned()]);
    for script in [
        format!("buildah build --file={BAD}"),
        format!("buildah build --file=Dockerfile --tag='{BAD}' --storage-driver=vfs --creds='{BAD}'"),
        BAD.to_owned(),
    ] {
        runs.push(vec!["/bin/bash".to_owned(), "-ec".to_owned(), script]);
    }
    assert!(runs.len() > 150 && variables.len() > 60, "{} {}", runs.len(), variables.len());
    let all = runs.into_iter().map(|run| (run, None));
    let all = all.chain(variables.into_iter().map(|(run, name)| (run, Some(name))));
    let mut wrong = Vec::new();
    for (run, variable) in all {
        let mut command = place.command();
        command.env("CONNECT_BUILD_TERMINATION_LOG", "words").env("CONNECT_BUILD_RETRIES", "0");
        if let Some(variable) = &variable {
            command.env(variable, BAD);
        }
        place.write("words", "");
        let output = command.args(&run).output().unwrap();
        let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
        said += &place.read("words");
        if said.contains('\u{1b}') || said.contains("\nFORGED") || said.contains("\n  FORGED") {
            wrong.push(format!("{run:?} {variable:?}\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n\n"));
}
