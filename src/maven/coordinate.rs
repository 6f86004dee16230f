//! Names in Maven's world: coordinates of projects, and the files that belong to them.

use std::fmt;
use std::sync::{Arc, LazyLock};

use regex::Regex;

use crate::path::plain;

/// A shared piece of text, as POMs have thousands of.
pub(super) type Text = Arc<str>;

/// A project at a version: what has a POM.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Coordinate {
    /// `groupId`.
    pub group: Text,
    /// `artifactId`.
    pub artifact: Text,
    /// Version, base version or timestamped snapshot.
    pub version: Text,
}

impl Coordinate {
    /// Puts the three together.
    pub fn new(group: impl Into<Text>, artifact: impl Into<Text>, version: impl Into<Text>) -> Self {
        Self { group: group.into(), artifact: artifact.into(), version: version.into() }
    }

    /// Reads `group:artifact:version`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (group, artifact, version) = (parts.next()?, parts.next()?, parts.next()?);
        let complete = [group, artifact, version].iter().all(|part| is_lawful_version(part));
        (complete && parts.next().is_none()).then(|| Self::new(group, artifact, version))
    }
}

impl fmt::Display for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", plain(&self.group), plain(&self.artifact), plain(&self.version))
    }
}

/// What dependencies are mediated by, and managed by: everything but the version
/// (`ClassicDependencyManager.Key`, `ConflictMarker.Key`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// `groupId`.
    pub group: Text,
    /// `artifactId`.
    pub artifact: Text,
    /// The file's extension, which follows from the dependency's `type`.
    pub extension: Text,
    /// Classifier, or nothing.
    pub classifier: Text,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", plain(&self.group), plain(&self.artifact))?;
        if &*self.extension != "jar" || !self.classifier.is_empty() {
            write!(f, ":{}", plain(&self.extension))?;
        }
        if !self.classifier.is_empty() {
            write!(f, ":{}", plain(&self.classifier))?;
        }
        Ok(())
    }
}

/// A file of a project.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct File {
    /// Everything but the version.
    pub key: Key,
    /// The version.
    pub version: Text,
}

impl File {
    /// The project it belongs to.
    pub fn coordinate(&self) -> Coordinate {
        Coordinate {
            group: Arc::clone(&self.key.group),
            artifact: Arc::clone(&self.key.artifact),
            version: Arc::clone(&self.version),
        }
    }

    /// A project's POM.
    pub fn pom(coordinate: &Coordinate) -> Self {
        Self::of(coordinate, "pom")
    }

    /// A project's file with this extension and no classifier.
    pub fn of(coordinate: &Coordinate, extension: &str) -> Self {
        let key = Key {
            group: Arc::clone(&coordinate.group),
            artifact: Arc::clone(&coordinate.artifact),
            extension: extension.into(),
            classifier: "".into(),
        };
        Self { key, version: Arc::clone(&coordinate.version) }
    }

    /// The name that `dependency:copy-dependencies` gives it: with the base version of a snapshot.
    pub fn name(&self) -> String {
        let Key { artifact, extension, classifier, .. } = &self.key;
        let version = base_version(&self.version);
        let dash = if classifier.is_empty() { "" } else { "-" };
        format!("{artifact}-{version}{dash}{classifier}.{extension}")
    }

    /// Its place in a repository, where the file itself has the version `resolved`
    /// (`Maven2RepositoryLayoutFactory`).
    pub fn path(&self, resolved: &str) -> String {
        let Key { group, artifact, extension, classifier } = &self.key;
        let directory = directory(group, artifact, Some(&base_version(&self.version)));
        let dash = if classifier.is_empty() { "" } else { "-" };
        format!("{directory}/{artifact}-{resolved}{dash}{classifier}.{extension}")
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key, plain(&self.version))
    }
}

/// The directory of a project, or of one of its versions, in a repository.
pub(super) fn directory(group: &str, artifact: &str, version: Option<&str>) -> String {
    let group = group.replace('.', "/");
    match version {
        Some(version) => format!("{group}/{artifact}/{version}"),
        None => format!("{group}/{artifact}"),
    }
}

/// What a dependency's `<type>` means (`ArtifactHandler`s of Maven's core): extension, classifier, and whether the file
/// brings its dependencies along, so that they are not followed.
pub(super) fn artifact_type(name: &str) -> (&str, &'static str, bool) {
    match name {
        "ejb" | "maven-plugin" => ("jar", "", false),
        "test-jar" => ("jar", "tests", false),
        "ejb-client" => ("jar", "client", false),
        "java-source" => ("jar", "sources", false),
        "javadoc" => ("jar", "javadoc", false),
        "war" | "ear" | "rar" => (name, "", true),
        // Also `bundle` and the like, whose handlers come with plugins that nobody loads here.
        other => (other, "", false),
    }
}

/// `1-20240102.030405-7`, a snapshot as it was deployed.
static TIMESTAMPED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?:(.*)-)?([0-9]{8}\.[0-9]{6})-([0-9]+)$").ok());

/// Whether a version is that of a snapshot.
pub(super) fn is_snapshot(version: &str) -> bool {
    version.ends_with("SNAPSHOT") || TIMESTAMPED.as_ref().is_some_and(|pattern| pattern.is_match(version))
}

/// The version that a snapshot had before it got its timestamp; that of a release itself.
pub(super) fn base_version(version: &str) -> String {
    match TIMESTAMPED.as_ref().and_then(|pattern| pattern.captures(version)) {
        Some(parts) => match parts.get(1) {
            Some(base) => format!("{}-SNAPSHOT", base.as_str()),
            None => "SNAPSHOT".to_owned(),
        },
        None => version.to_owned(),
    }
}

/// Longest part of a coordinate, in bytes: what a file system takes as a name. Maven has no bound of its own, and fails when it
/// writes such a file.
pub(super) const MAX_PART: usize = 255;

/// Whether a group or artifact id is one (`DefaultModelValidator`).
pub(super) fn is_lawful_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= MAX_PART
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && id.bytes().any(|byte| byte != b'.')
}

/// Whether a version, classifier or extension may become part of a path. Maven forbids `\/:"<>|?*` there.
pub(super) fn is_lawful_version(text: &str) -> bool {
    !text.is_empty()
        && text != "."
        && text != ".."
        && text.chars().all(|c| {
            !c.is_control()
                && !matches!(c, '\\' | '/' | ':' | '"' | '<' | '>' | '|' | '?' | '*' | '#' | '%' | ' ')
        })
}

#[cfg(test)]
mod tests;
