#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use super::*;
use crate::maven::pom::Pom;

/// Dependencies from `artifact:version` words.
fn list(words: &str) -> Vec<Arc<Dependency>> {
    let mut entries = String::new();
    for word in words.split_whitespace() {
        let (artifact, version) = word.split_once(':').unwrap();
        write!(
            entries,
            "<dependency><groupId>g</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>"
        )
        .unwrap();
    }
    Pom::read(format!("<project><dependencies>{entries}</dependencies></project>").as_bytes())
        .unwrap()
        .base
        .dependencies
}

fn words(list: &[Arc<Dependency>]) -> String {
    let word =
        |entry: &Arc<Dependency>| format!("{}:{}", entry.artifact, entry.version.as_deref().unwrap_or("-"));
    list.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn who_stays_and_where() {
    assert_eq!(words(&last_of_each(&list("a:1 b:1 a:2"))), "a:2 b:1");
    let merged = |merge: fn(&mut Vec<Arc<Dependency>>, &[Arc<Dependency>]), target: &str, source: &str| {
        let mut target = list(target);
        merge(&mut target, &list(source));
        words(&target)
    };
    assert_eq!(merged(dominate, "a:1 b:1", "b:2 c:2"), "a:1 b:2 c:2");
    assert_eq!(merged(inherit, "a:1 b:1", "b:2 c:2"), "a:1 b:1 c:2");
    assert_eq!(merged(inherit, "a:1 a:2", ""), "a:1 a:2", "nothing happens for an empty source");
    assert_eq!(merged(inherit, "a:1 a:2", "c:1"), "a:2 c:1");
    let mut own = list("a:1");
    import(&mut own, &[Arc::new(list("a:9 b:1")), Arc::new(list("b:2 c:2"))]);
    assert_eq!(words(&own), "a:1 b:1 c:2");
}
