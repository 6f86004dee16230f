//! `maven-metadata.xml`: which versions there are, which is the latest, and what a snapshot is called today.

use std::sync::Arc;

use super::coordinate::{Key, Text};
use super::pom::MAX_DEPENDENCIES;
use super::repository::Remote;
use super::xml::{self, Element, XmlError};

/// What a repository says of a project or of a snapshot.
#[derive(Debug, Clone, Default)]
pub(super) struct Metadata {
    /// `<versioning><versions>`.
    pub versions: Vec<Text>,
    /// `<latest>`.
    pub latest: Option<Text>,
    /// `<release>`.
    pub release: Option<Text>,
    /// `<lastUpdated>`: digits that sort like time.
    pub updated: Text,
    /// `<snapshot>`: timestamp and build number.
    pub snapshot: Option<(Text, u64)>,
    /// `<snapshotVersions>`.
    pub snapshots: Vec<Snapshot>,
}

/// A `<snapshotVersion>`.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    /// Empty for none.
    pub classifier: Text,
    /// The file's extension.
    pub extension: Text,
    /// The timestamped version.
    pub version: Text,
    /// When.
    pub updated: Text,
}

impl Metadata {
    /// Reads one.
    pub(super) fn parse(text: &str) -> Result<Self, XmlError> {
        let root = xml::parse(text)?;
        let Some(versioning) = root.child("versioning")? else { return Ok(Self::default()) };
        let text = |element: &Element, name: &str| -> Result<Option<Text>, XmlError> {
            Ok(element.child_text(name)?.filter(|text| !text.is_empty()).map(Text::from))
        };
        let mut metadata = Self {
            latest: text(versioning, "latest")?,
            release: text(versioning, "release")?,
            updated: text(versioning, "lastUpdated")?.unwrap_or_default(),
            ..Self::default()
        };
        for version in versioning.items("versions", "version")?.take(MAX_DEPENDENCIES) {
            metadata.versions.push(version.own_text()?.into());
        }
        if let Some(snapshot) = versioning.child("snapshot")?
            && let (Some(timestamp), Some(number)) =
                (text(snapshot, "timestamp")?, text(snapshot, "buildNumber")?)
            && let Some(number) = number.parse().ok().filter(|number| *number > 0)
        {
            metadata.snapshot = Some((timestamp, number));
        }
        for item in versioning.items("snapshotVersions", "snapshotVersion")? {
            if let Some(version) = text(item, "value")? {
                metadata.snapshots.push(Snapshot {
                    classifier: text(item, "classifier")?.unwrap_or_default(),
                    extension: text(item, "extension")?.unwrap_or_default(),
                    version,
                    updated: text(item, "updated")?.unwrap_or_default(),
                });
            }
        }
        Ok(metadata)
    }
}

/// The newest name of a snapshot's file over all repositories, and who has it (`DefaultVersionResolver`): an entry for the
/// file's classifier and extension, or one made of `<snapshot>` if that is newer and from another repository.
pub(super) fn snapshot(
    found: &[(Arc<Remote>, Metadata)],
    key: &Key,
    version: &str,
) -> Option<(String, Arc<Remote>)> {
    // (updated, version, remote), the first of equals.
    let mut exact: Option<(&str, String, &Arc<Remote>)> = None;
    let mut general: Option<(&str, String, &Arc<Remote>)> = None;
    for (remote, metadata) in found {
        let fits = |entry: &&Snapshot| entry.classifier == key.classifier && entry.extension == key.extension;
        for entry in metadata.snapshots.iter().filter(fits) {
            if exact.as_ref().is_none_or(|(updated, ..)| *entry.updated > **updated) {
                exact = Some((&entry.updated, entry.version.to_string(), remote));
            }
        }
        if metadata.snapshots.is_empty()
            && let Some((timestamp, number)) = &metadata.snapshot
            && general.as_ref().is_none_or(|(updated, ..)| *metadata.updated > **updated)
        {
            let stem = version.strip_suffix("SNAPSHOT").unwrap_or(version);
            general = Some((&metadata.updated, format!("{stem}{timestamp}-{number}"), remote));
        }
    }
    let chosen = match (exact, general) {
        (Some(exact), Some(general)) if general.0 > exact.0 && !Arc::ptr_eq(general.2, exact.2) => {
            Some(general)
        }
        (exact, general) => exact.or(general),
    };
    chosen.map(|(_, version, remote)| (version, Arc::clone(remote)))
}

/// What `LATEST` (the latest, or else the newest release) or `RELEASE` is today, by the metadata that was updated last.
pub(super) fn named(found: &[(Arc<Remote>, Metadata)], name: &str) -> Option<Text> {
    let newest = |value: fn(&Metadata) -> Option<&Text>| {
        let mut chosen: Option<(&Text, &Text)> = None;
        for (_, metadata) in found {
            if let Some(version) = value(metadata)
                && chosen.is_none_or(|(updated, _)| metadata.updated > *updated)
            {
                chosen = Some((&metadata.updated, version));
            }
        }
        chosen.map(|(_, version)| Arc::clone(version))
    };
    let release = || newest(|metadata| metadata.release.as_ref());
    match name {
        "LATEST" => newest(|metadata| metadata.latest.as_ref()).or_else(release),
        "RELEASE" => release(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
