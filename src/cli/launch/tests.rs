#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use connect_build::error::render;

use super::*;

fn told(launch: Result<Launch, LaunchError>) -> String {
    let launch = match launch {
        Ok(launch) => launch,
        Err(error) => return render(&error),
    };
    let mut told = launch.arguments.join(" ");
    for (name, side) in [("pull", &launch.pull), ("push", &launch.push)] {
        let usual = Side { private_http: side.private_http, ..Side::default() };
        let side = format!("{side:?}");
        if side != format!("{usual:?}") {
            let _ = write!(told, "\n  {name}: {side}");
        }
    }
    if !launch.proxies.is_empty() {
        let _ = write!(told, "\n  proxies: {:?}", launch.proxies);
    }
    let _ = write!(told, "\n  name: {:?}", launch.name);
    if !launch.files.is_empty() {
        let _ = write!(told, "\n  files: {:?}", launch.files);
    }
    for remark in &launch.remarks {
        let _ = write!(told, "\n  debug: {remark}");
    }
    told
}

const STRIMZI: [&str; 3] = [
    "--dockerfile=/dockerfile/Dockerfile",
    "--image-name-with-digest-file=/dev/termination-log",
    "--destination=registry.example.com/team/connect:1",
];

fn kaniko(more: &[&str]) -> String {
    let all: Vec<String> = STRIMZI.iter().chain(more).map(|word| (*word).to_owned()).collect();
    told(kaniko::read(&all, &|_| None))
}

#[test]
fn kanikos_options() {
    let rows: [&[&str]; 24] = [
        &[],
        &["-vdebug"],
        &["-v=debug", "-c/workspace"],
        &["--digest-file=/dev/termination-log", "--digest-file=/tmp/d"],
        // Refused where they are on.
        &["--materialize=false", "--push-ignore-immutable-tag-errors=false", "--use-new-run=false"],
        // What is said last counts.
        &[
            "--skip-tls-verify",
            "--skip-tls-verify=false",
            "--insecure",
            "--insecure=false",
            "--no-push",
            "--no-push=false",
        ],
        &["--insecure=false", "--insecure", "--snapshotMode=a", "--snapshotMode=b"],
        &[
            "--verbosity=warn",
            "--verbosity=DEBUG",
            "--log-format=json",
            "--log-format=text",
            "--log-timestamp",
            "--log-timestamp=true",
            "--custom-platform=a/b",
            "--customPlatform=c/d",
        ],
        &["--custom-platform=linux/arm64", "--label", "a=b", "--label=c=d=e"],
        &["--customPlatform", "linux/arm64"],
        &["--insecure", "--skip-tls-verify-pull=true", "--insecure-pull=false"],
        &["--insecure-pull", "--skip-tls-verify"],
        &["--insecure-registry=a:1", "--insecure-registry=b", "--skip-tls-verify-registry=index.docker.io"],
        &[
            "--registry-mirror=mirror.gcr.io",
            "--registry-mirror",
            "m:5000/hub",
            "--skip-default-registry-fallback",
        ],
        &[
            "--registry-certificate=r:1=/mnt/ca.crt",
            "--registry-client-cert=index.docker.io=/mnt/tls.crt,/mnt/tls.key",
        ],
        &["--verbosity=debug", "--log-format=json", "--log-timestamp"],
        &["-v", "error", "--log-format=color", "--log-timestamp=false"],
        &[
            "--reproducible",
            "--single-snapshot",
            "--snapshotMode=redo",
            "--use-new-run",
            "--ignore-path=/x",
            "-c",
            "/workspace",
        ],
        &["--push-retry=7", "--image-download-retry=2"],
        &["--build-arg=HTTP_PROXY=http://p:1", "--build-arg", "no_proxy=a,b"],
        &[
            "--digest-file=/tmp/d",
            "--image-name-tag-with-digest-file=/tmp/t",
            "--image-name-with-digest-file=/tmp/n",
        ],
        &["--compression=zstd", "--compression-level=3", "--cache=true", "--cache-ttl=6h", "--cleanup"],
        &["--no-push", "--tar-path=/out.tar"],
        &["--no-push", "--oci-layout-path", "/out"],
    ];
    insta::assert_snapshot!(rows.map(|row| format!("== {}\n{}", row.join(" "), kaniko(row))).join("\n\n"));
}

#[test]
fn kanikos_variables() {
    let read = |set: &[(&str, &str)]| {
        let variable =
            |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let arguments = STRIMZI.map(ToOwned::to_owned);
        told(kaniko::read(&arguments, &variable))
    };
    let mirror = read(&[("KANIKO_REGISTRY_MIRROR", "mirror.example.com"), ("KANIKO_NO_PUSH", "")]);
    assert!(mirror.contains(" --registry-mirror mirror.example.com "), "{mirror}");
    let kept = read(&[("KANIKO_NO_PUSH", "true")]);
    assert!(kept.starts_with("error: `--no-push` cannot be followed"), "{kept}");
    let mapped = read(&[("KANIKO_REGISTRY_MAP", "a=b")]);
    assert!(mapped.starts_with("error: `--registry-map` cannot be followed"), "{mapped}");
}

#[test]
fn kanikos_options_that_are_refused() {
    let rows: [&[&str]; 27] = [
        &["--frobnicate"],
        &["-xsecret"],
        &["-"],
        &["--"],
        &["-destination=second.example.com/x"],
        &["me:secret@registry.example.com"],
        &["--registry-mirror=a.example.com,b.example.com"],
        &["--registry-certificate=a=/a.crt,b=/b.crt"],
        &["--custom-platform=linux/amd64,linux/arm64"],
        &["--custom-platform=all"],
        &["--label=a=b\nc=d"],
        &["--insecure-registry=https://me:secret@registry.example.com"],
        &["--registry-mirror="],
        &["--frobnicate=secret"],
        &["positional"],
        &["--destination=second.example.com/x"],
        &["--custom-platform"],
        &["--insecure=perhaps"],
        &["--verbosity=loud"],
        &["--log-format=xml"],
        &["--compression=lz4"],
        &["--push-retry=often"],
        &["--build-arg=VERSION=1"],
        &["--target=downloadArtifacts"],
        &["--registry-map=a=b"],
        &["--no-push"],
        &["--tar-path=/out.tar"],
    ];
    let mut told: Vec<String> =
        rows.iter().map(|row| format!("== {}\n{}", row.join(" "), kaniko(row))).collect();
    let alone = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        format!("== {} alone\n{}", words.join(" "), super::tests::told(kaniko::read(&words, &|_| None)))
    };
    told.push(alone(&["--no-push-cache"]));
    told.push(alone(&["--no-push", "--tar-path=/x.tar", "--image-name-with-digest-file=/tmp/n"]));
    insta::assert_snapshot!(told.join("\n\n"));
}

const IMAGE: &str = "registry.example.com:5000/team/connect:1";

/// The script as Strimzi writes it.
fn script(build_options: &str, push_options: &str, image: &str) -> String {
    format!(
        "buildah build --file=/dockerfile/Dockerfile --tag={image} --storage-driver=vfs {build_options}\n\
         buildah push --storage-driver=vfs --digestfile=/tmp/digest {push_options} {image}\n\
         echo \"$(buildah images --storage-driver=vfs --format '{{{{.Name}}}}' {image})@$(cat /tmp/digest)\" > /dev/termination-log"
    )
}

fn run_script(script: &str) -> String {
    let variable = |name: &str| match name {
        "USER_1" => Some("me".to_owned()),
        "PASSWORD" => Some("pass:word".to_owned()),
        "SPACES" => Some("a b".to_owned()),
        "STAR" => Some("*\\?".to_owned()),
        _ => None,
    };
    let arguments = ["/bin/bash", "-ec", script].map(ToOwned::to_owned);
    told(buildah::read(&arguments, &variable))
}

#[test]
fn buildahs_script() {
    let rows: [(&str, &str, &str); 9] = [
        ("", "", IMAGE),
        ("--tls-verify=false --retry=5 --retry-delay=1m30s", "--tls-verify --quiet", IMAGE),
        (
            "--authfile=/mnt/a.json --cert-dir=/mnt/certs",
            "--creds=user:pa:ss --retry=0 --retry-delay=500ms",
            IMAGE,
        ),
        ("--creds=$USER_1:${PASSWORD}", "--creds=\"$USER_1:$SPACES\" --authfile='/mnt/a b'", IMAGE),
        // What is only itself for a shell that runs a script.
        ("--creds=u:a!b#c^d] --retry-delay=0", "--creds=\"u:p!w\"", IMAGE),
        ("--creds=$STAR:pa*s?w[x", "--authfile=/mnt/*", IMAGE),
        ("", "", "docker.io/org/img/tag"),
        ("", "", "host:5000/name"),
        ("", "", "host/$USER_1/x:1"),
    ];
    let told = rows.map(|(build, push, image)| {
        format!("== {build} | {push} | {image}\n{}", run_script(&script(build, push, image)))
    });
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn scripts_that_are_refused() {
    let usual = script("", "", IMAGE);
    let rows = [
        script("--frobnicate=1", "", IMAGE),
        script("--quiet", "", IMAGE),
        script("--decryption-key=/k", "", IMAGE),
        script("--retry 3", "", IMAGE),
        script("--retry=often", "", IMAGE),
        script("--retry-delay=2", "", IMAGE),
        script("--tls-verify=perhaps", "", IMAGE),
        script("--creds=$NOBODY", "", IMAGE),
        script("--creds=$SPACES", "", IMAGE),
        script("--creds=$(cat /etc/passwd)", "", IMAGE),
        script("--creds=`id`", "", IMAGE),
        script("--creds=\"`id`\"", "", IMAGE),
        script("--creds=a;id", "", IMAGE),
        script("--creds=a&&id", "", IMAGE),
        script("--creds=a>b", "", IMAGE),
        script("--retry=3 /mnt/*", "", IMAGE),
        script("--authfile=~/a", "", IMAGE),
        script("--authfile=a\\ b", "", IMAGE),
        script("--creds='a", "", IMAGE),
        script("--creds=${USER_1:-x}", "", IMAGE),
        script("--creds=$1", "", IMAGE),
        script("--creds=$RANDOM:x", "", IMAGE),
        usual.replace("--digestfile=/tmp/digest", "--digestfile=/tmp/other"),
        script("", "--creds=user:secret", ""),
        script("", "\nrm -rf /", IMAGE),
        usual.replace("buildah push", "buildah rm"),
        usual.replace("buildah build", "buildah bud"),
        usual.replace("--storage-driver=vfs", "--storage-driver=overlay"),
        usual.replacen(IMAGE, "other.example.com/x", 1),
        usual.replace("/dev/termination-log", "/etc/passwd"),
        usual.replace("{{.Name}}", "{{.ID}}"),
        usual.replace("echo \"", "echo \"secret "),
        usual.replace(" > /dev", "; curl secret > /dev"),
        script("--creds user:secret", "", IMAGE),
        script("", "--creds user:secret", IMAGE),
        script("--creds=$PWD", "", IMAGE),
        script("--creds=$SHLVL", "", IMAGE),
        usual.replace('\n', "\r\n"),
        String::new(),
    ];
    let told: Vec<String> = rows
        .iter()
        .map(|script| {
            format!("== {}\n{}", script.replace('\r', "\\r").replace('\n', "\n   "), run_script(script))
        })
        .collect();
    insta::assert_snapshot!(told.join("\n\n"));
    for arguments in [vec!["/bin/bash"], vec!["/bin/bash", "-c", "x"], vec!["bash", "-ec"]] {
        let arguments: Vec<String> = arguments.into_iter().map(ToOwned::to_owned).collect();
        assert_eq!(buildah::read(&arguments, &|_| None).unwrap_err(), LaunchError::Missing("-ec SCRIPT"));
    }
}

#[test]
fn who_is_calling() {
    let is_ours = |words: &[&str]| {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        recognise(&words).is_ok_and(|launch| launch.is_none())
    };
    for ours in [&[][..], &["build", "x"], &["--help"], &["-V"], &["maven", "tree"], &["schema"]] {
        assert!(is_ours(ours), "{ours:?}");
    }
    for foreign in
        [&["--dockerfile=x"][..], &["-d", "x"], &["/bin/bash", "-ec", ""], &["sh"], &["--insecure"]]
    {
        assert!(!is_ours(foreign), "{foreign:?}");
    }
}

#[test]
fn times_as_go_writes_them() {
    for (text, millis) in
        [("2s", 2_000), ("1m30s", 90_000), ("500ms", 500), ("1.5s", 1_500), ("1h", 3_600_000)]
    {
        assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
    }
    for wrong in ["", "2", "s", "2x", "-1s", "1 s"] {
        assert_eq!(duration(wrong), None, "{wrong}");
    }
}

#[test]
fn names_in_the_launchers_words() {
    for (destination, name, tag) in [
        ("org/img", "index.docker.io/org/img", "latest"),
        ("docker.io/org/img:1", "index.docker.io/org/img", "1"),
        ("quay.io/org/img:a", "quay.io/org/img", "a"),
        ("docker.io.example.com/x:1", "docker.io.example.com/x", "1"),
        ("localhost:5000/x", "localhost:5000/x", "latest"),
    ] {
        let arguments = ["--dockerfile=x".to_owned(), format!("--destination={destination}")];
        let expected = Name { name: name.to_owned(), tag: tag.to_owned() };
        assert_eq!(kaniko::read(&arguments, &|_| None).unwrap().name, Some(expected));
    }
}
