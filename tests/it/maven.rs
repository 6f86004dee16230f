//! Maven artifacts: what real Maven found for a table of cases, and builds with them.

use std::collections::HashMap;

use serde_json::json;

use crate::support::maven_repository::MavenRepository;
use crate::support::{Workplace, without_ports};

/// Cases in which Maven 3.9, whose rules are followed, gives another answer than 3.8.7, which was asked; with what 3.9 gives.
const OTHERWISE_IN_3_9: [(&str, &str); 2] = [
    // 3.9 lets profiles be activated by the packaging (MNG-6609).
    ("profile-dep-packaging", "prof-packaging-1.jar x-2.jar"),
    ("profile-root-packaging", "x-2.jar y-1.jar"),
];

/// Sections `== name` of a file, with their texts.
fn sections(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("\n== ").skip(1).filter_map(|section| section.split_once('\n'))
}

/// The files of the cases' repository.
pub(crate) fn repository() -> HashMap<String, String> {
    let mut files: HashMap<String, String> = sections(include_str!("maven/repository.txt"))
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .collect();
    for (name, case) in sections(include_str!("maven/cases.txt")) {
        let pom = case.splitn(3, '\n').nth(2).unwrap();
        files.insert(format!("t/case-{name}/1/case-{name}-1.pom"), pom.to_owned());
    }
    files
}

/// The names of the files that real Maven found for a case, without a scope.
pub(crate) fn files_of_all(case: &str) -> Vec<&'static str> {
    let all = sections(include_str!("maven/cases.txt"));
    let (_, text) = all.into_iter().find(|(name, _)| *name == case).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("all: ")).unwrap();
    line.split(' ').collect()
}

#[test]
fn every_case_is_resolved_as_maven_does() {
    let repository = MavenRepository::start(repository());
    let place = Workplace::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, case) in sections(include_str!("maven/cases.txt")) {
        let mut lines = case.lines();
        for scope in ["all", "runtime"] {
            let said = lines.next().and_then(|line| line.split_once(": ")).unwrap_or((scope, "")).1;
            let other = OTHERWISE_IN_3_9.iter().find(|(other, _)| *other == name);
            let wanted = other.map_or(said, |(_, files)| files);
            let coordinate = format!("t:case-{name}:1");
            let run = place.run(&[
                "maven",
                "files",
                &coordinate,
                "--scope",
                scope,
                "--mirror",
                &repository.url(),
                "--maven-java-version",
                "17.0.15",
                "--retries",
                "0",
                "-q",
            ]);
            let mut found: Vec<&str> = run.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
            found.sort_unstable();
            let itself = format!("case-{name}-1.jar");
            found.retain(|file| *file != itself);
            let found = if run.code == 0 { found.join(" ") } else { "fails".to_owned() };
            if found != wanted {
                wrong.push(format!("{name}, {scope}: {wanted} was wanted, but {found} came {}", run.stderr));
            }
            count += 1;
        }
    }
    assert_eq!(count, 2 * 139);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cases of a review, each with a repository of its own, and what real Maven 3.8.7 laid down; but that the project's own jar, which
/// is first here, is not among its dependencies (`selfdep_same_version`).
#[test]
fn every_case_of_the_review_is_resolved_as_maven_does() {
    let (mut files, mut cases) = (HashMap::new(), Vec::new());
    for (name, case) in sections(include_str!("maven/review.txt")) {
        let mut parts = case.split("\n-- ");
        let said = parts.next().unwrap();
        cases.push((name, said));
        for part in parts {
            let (path, text) = part.split_once('\n').unwrap();
            files.insert(format!("{name}/{path}"), text.to_owned());
        }
    }
    let repository = MavenRepository::start(files);
    let place = Workplace::new();
    let mut wrong = Vec::new();
    for (name, said) in &cases {
        for scope in ["all", "runtime"] {
            let wanted =
                said.lines().find_map(|line| line.strip_prefix(&format!("{scope}: "))).unwrap_or_default();
            let run = place.run(&[
                "maven",
                "files",
                "t:root:1",
                "--scope",
                scope,
                "--repository",
                &format!("{}{name}/", repository.url()),
                "--maven-java-version",
                "17.0.15",
                "--retries",
                "0",
                "-q",
            ]);
            let mut found: Vec<&str> =
                run.stdout.lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
            found.sort_unstable();
            let found = if run.code == 0 { found.join(" ") } else { "fails".to_owned() };
            if found != wanted {
                wrong.push(format!("{name}, {scope}: {wanted} was wanted, but {found} came {}", run.stderr));
            }
        }
    }
    assert!(cases.len() >= 50);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_resource_with_a_maven_artifact_is_built() {
    let repository = MavenRepository::start(repository());
    let place = Workplace::new();
    let artifact = json!({ "type": "maven", "group": "t", "artifact": "case-scopes-root", "version": "1", "repository": repository.url() });
    place.resource(None, &json!([{ "name": "plugin", "artifacts": [artifact] }]));
    let run =
        place.build(&["--base", "scratch", "--to", "oci:out", "--result-file", "result.json"]).succeeded();
    let result: serde_json::Value = serde_json::from_str(&place.read("result.json")).unwrap();
    let names: Vec<&str> = result["layers"][0]["artifacts"][0]["resolved"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["file"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["case-scopes-root-1.jar", "z-1.jar", "px1-1.jar"]);
    assert!(run.stderr.contains("left out: 1 of scope `provided`, 1 of scope `test`"), "{}", run.stderr);
}

#[test]
fn failures_name_the_way_the_repositories_and_what_to_do() {
    let repository = MavenRepository::start(repository());
    let place = Workplace::new();
    let fail = |coordinate: &str| {
        let run = place.run(&[
            "maven",
            "tree",
            coordinate,
            "--repository",
            &repository.url(),
            "--retries",
            "0",
            "-q",
        ]);
        assert_ne!(run.code, 0);
        without_ports(&format!("== {coordinate}\n{}", run.error()))
    };
    let rows = [
        fail("t:x:7"),
        fail("t:case-missing-parent-deep:1"),
        fail("t:case-missing-bom:1"),
        fail("t:case-unsolvable-range:1"),
        fail("t:case-system-scope-transitive-missing-file:1"),
        fail("not-a-coordinate"),
    ];
    insta::assert_snapshot!(rows.join("\n\n"));
}

#[test]
fn the_tree_says_who_lost_to_whom() {
    let repository = MavenRepository::start(repository());
    let place = Workplace::new();
    let rows = ["t:case-nearest:1", "t:case-mgmt-version:1", "t:case-exclusion:1"].map(|coordinate| {
        place.run(&["maven", "tree", coordinate, "--repository", &repository.url(), "-q"]).succeeded().stdout
    });
    insta::assert_snapshot!(rows.join("\n"));
}
