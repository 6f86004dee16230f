#![allow(clippy::unwrap_used)]

use super::*;
use crate::fetch::Identity;
use crate::maven::coordinate::{Coordinate, File};
use crate::maven::repository::Closed;

fn found(id: &str, versioning: &str) -> (Arc<Remote>, Metadata) {
    let remote = Remote {
        id: id.into(),
        url: Err(Closed::Scheme),
        shown: id.to_owned(),
        releases: true,
        snapshots: true,
        insecure: false,
        named: true,
        identity: Identity::default(),
    };
    let text = format!("<metadata><versioning>{versioning}</versioning></metadata>");
    (Arc::new(remote), Metadata::parse(&text).unwrap())
}

fn entry(extension: &str, version: &str, updated: &str) -> String {
    format!(
        "<snapshotVersion><extension>{extension}</extension><value>{version}</value><updated>{updated}</updated></snapshotVersion>"
    )
}

#[test]
fn the_newest_snapshot_over_all_repositories() {
    let key = File::of(&Coordinate::new("g", "a", "1-SNAPSHOT"), "jar").key;
    let name = |found: &[(Arc<Remote>, Metadata)]| {
        snapshot(found, &key, "1-SNAPSHOT").map(|(version, remote)| format!("{version} of {}", remote.id))
    };
    let old = found(
        "old",
        &format!(
            "<snapshotVersions>{}</snapshotVersions>",
            entry("jar", "1-20240101.000000-1", "20240101000000")
        ),
    );
    let new = found(
        "new",
        &format!(
            "<snapshotVersions>{}</snapshotVersions>",
            entry("jar", "1-20240102.000000-2", "20240102000000")
        ),
    );
    let pom = found(
        "pom",
        &format!(
            "<snapshotVersions>{}</snapshotVersions>",
            entry("pom", "1-20240109.000000-9", "20240109000000")
        ),
    );
    let general = found(
        "general",
        "<lastUpdated>20240103000000</lastUpdated><snapshot><timestamp>20240103.000000</timestamp><buildNumber>3</buildNumber></snapshot>",
    );
    assert_eq!(name(&[]), None);
    assert_eq!(name(&[old.clone(), new.clone(), pom]).unwrap(), "1-20240102.000000-2 of new");
    assert_eq!(name(&[new, general, old]).unwrap(), "1-20240103.000000-3 of general");
}

#[test]
fn latest_and_release() {
    let of = |versioning: &str| vec![found("a", versioning)];
    let both = of("<latest>2-SNAPSHOT</latest><release>1</release>");
    assert_eq!(
        (named(&both, "LATEST").unwrap(), named(&both, "RELEASE").unwrap()),
        ("2-SNAPSHOT".into(), "1".into())
    );
    assert_eq!(named(&of("<release>1</release>"), "LATEST").unwrap(), "1".into());
    assert_eq!(named(&of(""), "RELEASE"), None);
    let newer = [
        found("a", "<release>1</release><lastUpdated>1</lastUpdated>"),
        found("b", "<release>2</release><lastUpdated>2</lastUpdated>"),
    ];
    assert_eq!(named(&newer, "RELEASE").unwrap(), "2".into());
}
