//! What was said: one [`Spec`], whichever way it came in.
//!
//! [`read`] takes a whole `KafkaConnect` or `ConnectBuild` resource, a `build:` section, or the section's content, in YAML or
//! JSON; or the Dockerfile that Strimzi makes of one (`dockerfile`). [`of_resource`] takes what an API server holds.
//! Shape is checked against the schema that the types in [`kafka_connect`] and [`connect_build`] generate, then meaning in
//! `validate`; every violation is found before any is reported, each with its field path. Nothing is looked up,
//! downloaded or defaulted here: that is [`crate::plan`]'s work.

pub mod connect_build;
mod dockerfile;
pub mod kafka_connect;
mod shape;
mod validate;

use serde_json::Value;

pub use self::dockerfile::DialectError;

use crate::digest::{Sha512, strimzi_stub};
use crate::error::{Diagnose, Reason};
use crate::http::Proxies;

/// Largest input that is read, in bytes; Kubernetes refuses resources well below it.
pub const MAX_INPUT_BYTES: usize = 4 << 20;

/// A build as its user declared it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// `metadata.name`.
    pub name: Option<String>,
    /// The base image: `spec.image` of a KafkaConnect, `spec.base.image` of a ConnectBuild.
    pub base: Option<String>,
    /// `spec.base.platforms` of a ConnectBuild; empty where nothing is said.
    pub platforms: Vec<String>,
    /// `spec.suspend` of a ConnectBuild.
    pub suspended: bool,
    /// `spec.build.output`.
    pub output: Option<Output>,
    /// `spec.build.plugins`, in order; their names are unique.
    pub plugins: Vec<Plugin>,
    /// Proxies for everything that is downloaded.
    pub proxies: Proxies,
    /// What is accepted but worth a word: fields without effect, empty plugins.
    pub warnings: Vec<String>,
}

/// Where the image goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// `output.type`.
    pub kind: kafka_connect::OutputType,
    /// `output.image`.
    pub image: String,
    /// `output.pushSecret`, which is for whoever can read it.
    pub push_secret: Option<String>,
}

/// One connector plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// Its name, which is a lawful path component.
    pub name: String,
    /// Its artifacts, in order.
    pub artifacts: Vec<Artifact>,
}

/// One artifact of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Where it stands in the input, for messages: `spec.build.plugins[0].artifacts[1]`.
    pub field: String,
    /// Accept any TLS certificate for it.
    pub insecure: bool,
    /// Links inside are left out, whatever else is said of links.
    pub drop_links: bool,
    /// What it is.
    pub kind: ArtifactKind,
}

/// The five types of artifacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactKind {
    /// A jar, taken as it is.
    Jar(Remote),
    /// A gzip-compressed tar archive.
    Tgz(Remote),
    /// A zip archive.
    Zip(Remote),
    /// Any file, taken as it is, under this name (or one made from the URL).
    Other(Remote, Option<String>),
    /// Maven coordinates.
    Maven(MavenArtifact),
}

impl ArtifactKind {
    /// What is downloaded, if it is one file.
    #[must_use]
    pub fn remote(&self) -> Option<&Remote> {
        match self {
            Self::Jar(remote) | Self::Tgz(remote) | Self::Zip(remote) | Self::Other(remote, _) => {
                Some(remote)
            }
            Self::Maven(_) => None,
        }
    }

    /// The name of what is taken as it is; an archive and a project bring their own.
    #[must_use]
    pub fn file_name(&self) -> Option<String> {
        match self {
            Self::Jar(remote) => Some(format!("{}.jar", strimzi_stub(&remote.url))),
            Self::Other(remote, name) => Some(name.clone().unwrap_or_else(|| strimzi_stub(&remote.url))),
            Self::Tgz(_) | Self::Zip(_) | Self::Maven(_) => None,
        }
    }

    pub(crate) fn remote_mut(&mut self) -> Option<&mut Remote> {
        match self {
            Self::Jar(remote) | Self::Tgz(remote) | Self::Zip(remote) | Self::Other(remote, _) => {
                Some(remote)
            }
            Self::Maven(_) => None,
        }
    }
}

/// A file to download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The URL as written; its hash names the target directory.
    pub url: String,
    /// The checksum that the content must have.
    pub sha512: Option<Sha512>,
}

/// An artifact of a Maven repository, with its dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MavenArtifact {
    /// `groupId`.
    pub group: String,
    /// `artifactId`.
    pub artifact: String,
    /// Version.
    pub version: String,
    /// The repository to ask, if not the configured one.
    pub repository: Option<String>,
    /// URLs that take every request instead.
    pub mirrors: Vec<String>,
    /// Which scopes of dependencies are wanted.
    pub include_scope: IncludeScope,
}

/// What was said of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncludeScope {
    /// Nothing.
    Unset,
    /// That there is no limit.
    Everything,
    /// This.
    Only(kafka_connect::Scope),
}

/// Where the text came from, which decides whether it may name files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A file that the user named: `file:` URLs are relative to it.
    File,
    /// Standard input or a server.
    Elsewhere,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field path from the document's root.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// Why no [`Spec`] came out.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// More than [`MAX_INPUT_BYTES`].
    #[error("the resource is larger than {} MiB", MAX_INPUT_BYTES >> 20)]
    TooLarge,
    /// Neither YAML nor JSON.
    #[error("the resource is not valid YAML or JSON: {0}")]
    Syntax(String),
    /// No document of the input is something that can be built.
    #[error("there is nothing to build in the resource: {0}")]
    NothingToBuild(String),
    /// More than one document of the input could be built.
    #[error("the input holds {} resources with a `build`: {}", .0.len(), .0.join(", "))]
    Several(Vec<String>),
    /// A Dockerfile that Strimzi does not write.
    #[error(transparent)]
    Dialect(DialectError),
    /// Fields that are wrong.
    #[error("{}", listed(.0))]
    Invalid(Vec<Violation>),
}

fn listed(violations: &[Violation]) -> String {
    let lines: Vec<String> = violations.iter().map(|v| format!("`{}` {}", v.field, v.message)).collect();
    match lines.as_slice() {
        [one] => format!("the resource is not valid: {one}"),
        many => format!("the resource is not valid in {} places:\n  - {}", many.len(), many.join("\n  - ")),
    }
}

impl Diagnose for SpecError {
    fn reason(&self) -> Reason {
        Reason::InvalidResource
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NothingToBuild(_) => Some(
                "give a KafkaConnect or ConnectBuild resource with `spec.build`, or its `build:` section; \
                 `connect-build schema` prints what belongs there"
                    .into(),
            ),
            Self::Dialect(error) => Some(error.hint()),
            Self::Several(_) => Some("give one of them: an image is built from one resource".into()),
            _ => None,
        }
    }
}

/// Reads a resource, a build section, or Strimzi's Dockerfile.
pub fn read(text: &str, origin: Origin) -> Result<Spec, SpecError> {
    if text.len() > MAX_INPUT_BYTES {
        return Err(SpecError::TooLarge);
    }
    if dockerfile::is_one(text) {
        return dockerfile::read(text);
    }
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|error| SpecError::Syntax(syntax(&error)))?;
    let candidates: Vec<Section> = documents.iter().filter_map(Section::find).collect();
    match candidates.as_slice() {
        [] => Err(SpecError::NothingToBuild(why_not(&documents))),
        [section] => validate::validate(section, origin),
        several => Err(SpecError::Several(several.iter().map(Section::title).collect())),
    }
}

/// Reads Strimzi's Dockerfile, and nothing else.
pub fn read_dockerfile(text: &str) -> Result<Spec, SpecError> {
    if text.len() > MAX_INPUT_BYTES { Err(SpecError::TooLarge) } else { dockerfile::read(text) }
}

/// Checks a resource that an API server holds.
pub fn of_resource(resource: &Value) -> Result<Spec, SpecError> {
    match Section::find(resource) {
        Some(section) => validate::validate(&section, Origin::Elsewhere),
        None => Err(SpecError::NothingToBuild(why_not(std::slice::from_ref(resource)))),
    }
}

/// The parser's words in one line, without its picture of the place.
fn syntax(error: &serde_saphyr::Error) -> String {
    let words = error.without_snippet().to_string();
    let words = words.lines().next().unwrap_or_default().trim_start_matches("error: ");
    // Its advice is for those who program with it.
    words.split(", set DuplicateKeyPolicy").next().unwrap_or_default().to_owned()
}

/// A `build` section, and what stands around it.
#[derive(Debug)]
struct Section<'a> {
    /// The resource and its kind, where the input is a whole one.
    resource: Option<(Kind, &'a Value)>,
    /// The section.
    build: &'a Value,
    /// The section's field path: `spec.build`, `build`, or nothing.
    field: &'static str,
}

/// A kind of resource that can be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Strimzi's.
    KafkaConnect,
    /// Our own.
    ConnectBuild,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::KafkaConnect, Self::ConnectBuild];

    /// `kind` of the resource.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KafkaConnect => "KafkaConnect",
            Self::ConnectBuild => "ConnectBuild",
        }
    }

    /// Values of `apiVersion` that are understood.
    const fn api_versions(self) -> &'static [&'static str] {
        match self {
            Self::KafkaConnect => &["kafka.strimzi.io/v1", "kafka.strimzi.io/v1beta2"],
            Self::ConnectBuild => &[connect_build::API_VERSION],
        }
    }
}

impl<'a> Section<'a> {
    fn find(document: &'a Value) -> Option<Self> {
        if document.get("kind").is_some() || document.get("apiVersion").is_some() {
            let kind = document.get("kind").and_then(Value::as_str);
            let kind = Kind::ALL.into_iter().find(|known| kind == Some(known.name()))?;
            let build = document.pointer("/spec/build").filter(|build| !build.is_null())?;
            return Some(Self { resource: Some((kind, document)), build, field: "spec.build" });
        }
        if let Some(build) = document.get("build").filter(|build| !build.is_null()) {
            return Some(Self { resource: None, build, field: "build" });
        }
        document.get("plugins").map(|_| Self { resource: None, build: document, field: "" })
    }

    fn title(&self) -> String {
        let Some((kind, resource)) = self.resource else { return "a build section".to_owned() };
        let name = resource.pointer("/metadata/name").and_then(Value::as_str);
        name.map_or_else(|| kind.name().to_owned(), |name| format!("{} `{name}`", kind.name()))
    }
}

fn why_not(documents: &[Value]) -> String {
    match documents {
        [] => "it is empty".into(),
        [one] if one.is_null() => "it is empty".into(),
        [one] => match one.get("kind") {
            Some(Value::String(kind)) if Kind::ALL.iter().any(|known| kind == known.name()) => {
                format!("the {kind} has no `spec.build`")
            }
            Some(Value::String(kind)) => {
                format!("its kind is `{kind}`, not `KafkaConnect` or `ConnectBuild`")
            }
            _ => "it has neither `kind: KafkaConnect` nor a `build:` section".into(),
        },
        many => format!(
            "none of its {} documents is a KafkaConnect or ConnectBuild with `spec.build`",
            many.len()
        ),
    }
}

#[cfg(test)]
mod tests;
