//! Which versions of a project there are, for ranges (`DefaultVersionRangeResolver`).

use std::collections::HashSet;
use std::sync::Arc;

use super::coordinate::{MAX_PART, is_snapshot};
use super::error::{Answer, Attempt};
use super::remote::Library;
use super::repository::{Closed, Remotes};
use super::version::{Constraint, Version};

/// Words for a range without a version, given who lists none at all.
pub(super) fn nothing_in_range(silent: &[Attempt]) -> String {
    let asked = silent.iter().filter(|attempt| !matches!(attempt.answer, Answer::Closed(Closed::NoUrl)));
    let asked: Vec<&str> = asked.map(|attempt| attempt.repository.as_str()).collect();
    if asked.is_empty() {
        return "no published version lies in this range".to_owned();
    }
    format!("no version is known to lie in this range; no versions are listed by {}", asked.join(", "))
}

/// Versions that repositories list and that lie in `constraint`, the lowest first, and who lists none
///. A repository's snapshots count only if it is one for snapshots, and so with releases.
pub(super) async fn published(
    library: &Library,
    group: &str,
    artifact: &str,
    constraint: &Constraint,
    remotes: &Remotes,
) -> (Vec<Version>, Vec<Attempt>) {
    let (found, attempts) = library.metadata(group, artifact, None, remotes).await;
    let mut versions: Vec<Version> = Vec::new();
    let mut seen = HashSet::new();
    for (remote, metadata) in &found {
        for text in &metadata.versions {
            if text.len() > MAX_PART {
                continue;
            }
            let allowed = if is_snapshot(text) { remote.snapshots } else { remote.releases };
            let version = Version::parse(Arc::clone(text));
            if allowed && constraint.admits(&version) && seen.insert(text) {
                versions.push(version);
            }
        }
    }
    versions.sort();
    (versions, attempts)
}
