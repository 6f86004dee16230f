#![allow(clippy::unwrap_used)]

use super::*;

fn file(version: &str, extension: &str, classifier: &str) -> File {
    let key = Key {
        group: "org.example".into(),
        artifact: "some.thing".into(),
        extension: extension.into(),
        classifier: classifier.into(),
    };
    File { key, version: version.into() }
}

#[test]
fn names_and_places_of_files() {
    let rows = [
        (file("1", "jar", ""), "1", "some.thing-1.jar", "org/example/some.thing/1/some.thing-1.jar"),
        (file("1", "jar", "x"), "1", "some.thing-1-x.jar", "org/example/some.thing/1/some.thing-1-x.jar"),
        (
            file("1-SNAPSHOT", "jar", ""),
            "1-20240102.030405-7",
            "some.thing-1-SNAPSHOT.jar",
            "org/example/some.thing/1-SNAPSHOT/some.thing-1-20240102.030405-7.jar",
        ),
        (
            file("1-20240102.030405-7", "pom", ""),
            "1-20240102.030405-7",
            "some.thing-1-SNAPSHOT.pom",
            "org/example/some.thing/1-SNAPSHOT/some.thing-1-20240102.030405-7.pom",
        ),
    ];
    for (file, resolved, name, path) in rows {
        assert_eq!((file.name().as_str(), file.path(resolved).as_str()), (name, path));
    }
}

#[test]
fn coordinates_are_three_lawful_parts() {
    assert_eq!(Coordinate::parse("g:a:1").unwrap().to_string(), "g:a:1");
    for refused in ["g:a", "g:a:1:jar", "g::1", "g:a:..", "g:a/b:1", "g:a:1 2", "g:a:1?x", "g:a:%2e%2e", ""] {
        assert_eq!(Coordinate::parse(refused), None, "{refused}");
    }
}

#[test]
fn snapshots_have_a_base() {
    for (version, is_snapshot_of) in [
        ("1-SNAPSHOT", Some("1-SNAPSHOT")),
        ("1.0-20240102.030405-7", Some("1.0-SNAPSHOT")),
        ("20240102.030405-7", Some("SNAPSHOT")),
        ("1.0-20240102.0304-7", None),
        ("1", None),
    ] {
        assert_eq!(is_snapshot(version), is_snapshot_of.is_some(), "{version}");
        assert_eq!(base_version(version), is_snapshot_of.unwrap_or(version));
    }
}

#[test]
fn types_and_ids() {
    assert_eq!(artifact_type("test-jar"), ("jar", "tests", false));
    assert_eq!(artifact_type("war"), ("war", "", true));
    assert_eq!(artifact_type("bundle"), ("bundle", "", false));
    for (id, lawful) in [
        ("a-b_c.1", true),
        ("", false),
        ("..", false),
        ("a/b", false),
        ("ä", false),
        (&"a".repeat(256), false),
    ] {
        assert_eq!(is_lawful_id(id), lawful, "{id}");
    }
}
