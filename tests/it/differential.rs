//! The real thing beside ours: buildah executes the Dockerfile that Strimzi would generate, on a base with the tools it
//! needs, and both images are compared path by path.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use connect_build::digest::{Digest, strimzi_stub};

use crate::support::artifact_server::{Answer, ArtifactServer};
use crate::support::dockerfile::Dockerfile;
use crate::support::maven_repository::MavenRepository;
use crate::support::real::{RealRegistry, Setup, Store, free_port, output, set_mode, text};
use crate::support::{Workplace, noise, sha512, zip_of};

#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    kind: &'static str,
    owner: (u32, u32),
    mode: u32,
    content: String,
}

fn tree(root: &Path) -> BTreeMap<String, Node> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.join("opt/kafka/plugins")];
    while let Some(path) = open.pop() {
        let meta = std::fs::symlink_metadata(&path).unwrap();
        let (kind, content) = if meta.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            ("directory", String::new())
        } else if meta.is_symlink() {
            ("link", std::fs::read_link(&path).unwrap().display().to_string())
        } else {
            ("file", Digest::of(&std::fs::read(&path).unwrap()).short())
        };
        let name = path.strip_prefix(root).unwrap().display().to_string();
        found.insert(
            name,
            Node { kind, owner: (meta.uid(), meta.gid()), mode: meta.mode() & 0o7777, content },
        );
    }
    found
}

/// An archive directory with what real ones have: modes, an owner, a link.
fn make_archives(place: &Workplace) {
    let write = |name: &str, content: &[u8]| place.write(&format!("src/{name}"), content);
    write("conn/lib/connector.jar", &zip_of(&[("noise", &noise(150_000, 9))]));
    write("conn/lib/helper.jar", &zip_of(&[("noise", &noise(50_000, 10))]));
    write("conn/doc/README.md", b"# Read me\n");
    write("conn/etc/empty.properties", b"");
    write("conn/bin/start.sh", b"#!/bin/sh\n");
    write("conn/name with blanks & ümlaut.txt", b"odd\n");
    set_mode(&place.path("src/conn/bin/start.sh"), 0o755);
    set_mode(&place.path("src/conn/doc/README.md"), 0o600);
    set_mode(&place.path("src/conn/doc"), 0o700);
    std::os::unix::fs::symlink("helper.jar", place.path("src/conn/lib/current.jar")).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        output(Command::new(program).args(arguments).current_dir(place.path("src")).env("LANG", "C.UTF-8"));
    };
    run("tar", &["czf", "../www/a.tgz", "--owner=1234", "--group=4321", "--sort=name", "conn"]);
    run("zip", &["-q", "-r", "-y", "../www/b.zip", "conn"]);
}

#[test]
#[ignore = "buildah, docker-registry, curl, unzip, zip, busybox-static"]
fn the_dockerfile_of_strimzi_gives_the_same_tree() {
    let place = Workplace::new();
    std::fs::create_dir(place.path("www")).unwrap();
    make_archives(&place);
    place.write("www/c.jar", zip_of(&[("noise", &noise(80_000, 11))]));
    place.write("www/d", b"other\n");
    let read = |name: &str| std::fs::read(place.path(&format!("www/{name}"))).unwrap();
    let server = ArtifactServer::start(&[
        ("/a.tgz", Answer::Content(read("a.tgz"))),
        ("/b.zip", Answer::Content(read("b.zip"))),
        ("/c.jar", Answer::Content(read("c.jar"))),
        ("/d", Answer::Content(read("d"))),
    ]);
    let artifacts: [(&str, &str, &str, Option<&str>); 5] = [
        ("one", "jar", "c.jar", None),
        ("one", "tgz", "a.tgz", None),
        ("two-x", "zip", "b.zip", None),
        ("two-x", "other", "d", Some("d.conf")),
        ("three", "other", "d", None),
    ];
    // Maven's stage has a stand-in for Maven: it lays down what real Maven found for this case.
    let repository = MavenRepository::start(crate::maven::repository());
    let case = ["t", "case-scopes-root", "1"];
    let found = crate::maven::files_of_all("scopes-root");
    for name in &found {
        place.write(&format!("stage/found/{name}"), zip_of(&[]));
    }
    place.write(
        "stage/mvn",
        "#!/usr/bin/dash\nfor word in \"$@\"; do case $word in -DoutputDirectory=*) to=${word#*=} ;; esac; done\n\
         mkdir -p \"$to\"\ncp /found/* \"$to\"\n",
    );
    set_mode(&place.path("stage/mvn"), 0o755);

    let (registry, store) = (RealRegistry::start(Setup::Http), Store::new());
    let tools = ["dash", "curl", "tar", "gzip", "unzip", "find", "xargs", "sha512sum", "mkdir", "rm", "cp"];
    let base_image = store.make_base(&tools);
    let base = format!("{}/kafka:base", registry.host());
    let to_base = format!("docker://{base}");
    output(&mut store.buildah(&["push", "-q", "--tls-verify=false", &base_image, &to_base]));
    let builder = store.add_to(&base_image, &place.path("stage/mvn"), "/usr/bin/mvn");
    let builder = store.add_to(&builder, &place.path("stage/found"), "/found");

    let mut dockerfile = Dockerfile::new(&base);
    let mut last = "";
    for (plugin, kind, file, name) in artifacts {
        if last != plugin {
            dockerfile.plugin(plugin);
            last = plugin;
        }
        let (url, sum) = (server.url(&format!("/{file}")), sha512(&read(file)));
        dockerfile.artifact(plugin, kind, &url, &sum, name);
    }
    dockerfile.plugin("four");
    dockerfile.maven("four", case, &repository.url());
    // The operator's proxies, none, and a list as people write it.
    let proxies =
        "USER root:root\n\nARG http_proxy=\n\nARG https_proxy= \n\nARG no_proxy=127.0.0.1, .svc localhost\n";
    let content = dockerfile.finish(&builder).replace("USER root:root\n", proxies);
    let file = place.write("Dockerfile", content).display().to_string();
    let context = place.path("src").display().to_string();
    let theirs = format!("localhost/theirs-{}", free_port());
    output(&mut store.buildah(&[
        "build",
        "--isolation",
        "chroot",
        "--network",
        "host",
        "--tls-verify=false",
        "--file",
        &file,
        "--tag",
        &theirs,
        &context,
    ]));

    // The very same file. The first stage's image is not looked for: nobody else has it.
    let to = format!("{}/out/app:1", registry.host());
    let run = place.run(&["build", "Dockerfile", "--to", &to, "--links", "skip"]).succeeded();
    let ours = format!("docker://{}/out/app@{}", registry.host(), run.digest());
    output(&mut store.buildah(&["pull", "-q", "--tls-verify=false", &ours]));
    let ours = format!("{}/out/app@{}", registry.host(), run.digest());

    // User, environment, entry point, and everything else that a runtime heeds.
    let [there, here] = [&theirs, &ours].map(|image| {
        let inspected = text(&mut store.buildah(&["inspect", "--type", "image", image]));
        let inspected: serde_json::Value = serde_json::from_str(&inspected).unwrap();
        let mut config = inspected["OCIv1"]["config"].clone();
        assert_eq!(config["User"], "1001");
        // Theirs says that buildah made it, ours what is in it.
        config.as_object_mut().unwrap().remove("Labels");
        config
    });
    assert_eq!(there, here);

    let (theirs, ours) = (tree(&store.mount(&theirs)), tree(&store.mount(&ours)));
    assert!(ours.len() > 20, "{ours:#?}");
    let differences = differences(&theirs, &ours);
    let hash = strimzi_stub(&server.url("/a.tgz"));
    let in_tgz = format!("opt/kafka/plugins/one/{hash}/conn");
    let maven: Vec<&String> = ours.keys().filter(|path| path.contains("plugins/four/")).collect();
    assert_eq!(
        maven.len(),
        1 + 1 + found.len(),
        "the directory, the project's jar, and what Maven found: {maven:?}"
    );
    let (expected, rest): (Vec<String>, Vec<String>) =
        differences.into_iter().partition(|difference| difference.contains(&in_tgz));
    // Outside the tgz the trees are the same: paths, types, contents, owners, modes. But unzip restores the zip's own modes
    // (0600, 0700), and this Buildah's `COPY --from` keeps the owner of the first stage, where Docker and we have root.
    let rest: Vec<String> = rest.into_iter().map(|line| shown(&line, &server)).collect();
    insta::assert_snapshot!(rest.join("\n"), @r"
    opt/kafka/plugins/four/5f885f75/case-scopes-root-1.jar: owner (1001, 0) there, (0, 0) here
    opt/kafka/plugins/four/5f885f75/px1-1.jar: owner (1001, 0) there, (0, 0) here
    opt/kafka/plugins/four/5f885f75/x-1.jar: owner (1001, 0) there, (0, 0) here
    opt/kafka/plugins/four/5f885f75/y-1.jar: owner (1001, 0) there, (0, 0) here
    opt/kafka/plugins/four/5f885f75/z-1.jar: owner (1001, 0) there, (0, 0) here
    opt/kafka/plugins/two-x/<b.zip>/conn/doc: mode 700 there, 755 here
    opt/kafka/plugins/two-x/<b.zip>/conn/doc/README.md: mode 600 there, 644 here
    ");
    // Inside the tgz, tar as root restores owners and modes and keeps symbolic links; layer-law: entries are root's, 0644
    // and 0755, and links are left out on request or refused.
    let expected: Vec<String> = expected.into_iter().map(|line| shown(&line, &server)).collect();
    insta::assert_snapshot!(expected.join("\n"));
}

fn shown(line: &str, server: &ArtifactServer) -> String {
    let mut line = line.to_owned();
    for file in ["a.tgz", "b.zip", "c.jar", "d"] {
        line = line.replace(&strimzi_stub(&server.url(&format!("/{file}"))), &format!("<{file}>"));
    }
    line
}

/// What differs, a line each, in the order of paths.
fn differences(theirs: &BTreeMap<String, Node>, ours: &BTreeMap<String, Node>) -> Vec<String> {
    let mut lines = Vec::new();
    let paths: std::collections::BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    for path in paths {
        match (theirs.get(path), ours.get(path)) {
            (Some(there), None) => lines.push(format!("{path}: {} {} only there", there.kind, there.content)),
            (None, Some(here)) => lines.push(format!("{path}: {} only here", here.kind)),
            (Some(there), Some(here)) => {
                if (there.kind, &there.content) != (here.kind, &here.content) {
                    lines.push(format!(
                        "{path}: {} {} there, {} {} here",
                        there.kind, there.content, here.kind, here.content
                    ));
                }
                if there.owner != here.owner {
                    lines.push(format!("{path}: owner {:?} there, {:?} here", there.owner, here.owner));
                }
                if there.mode != here.mode {
                    lines.push(format!("{path}: mode {:o} there, {:o} here", there.mode, here.mode));
                }
            }
            (None, None) => {}
        }
    }
    lines
}
