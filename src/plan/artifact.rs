//! Artifacts of a plugin, each with its place in the image.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use super::{Choices, Links, PLUGINS_DIRECTORY, PlanError};
use crate::digest::{Sha512, strimzi_stub};
use crate::path::EntryPath;
use crate::redact::SafeUrl;
use crate::spec::{self, IncludeScope};

/// What an artifact of a plugin becomes.
#[derive(Debug, Clone)]
pub enum Planned {
    /// One download.
    File(Artifact),
    /// A project of a Maven repository, and the projects that it needs.
    Maven(MavenArtifact),
}

/// A downloaded file, with its place in the image.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// For messages.
    pub id: ArtifactId,
    /// Where it comes from.
    pub source: Source,
    /// Accept any TLS certificate.
    pub insecure: bool,
    /// The checksum it must have.
    pub sha512: Option<Sha512>,
    /// How it is read.
    pub format: Format,
    /// What to do with links in an archive.
    pub links: Links,
    /// Its directory in the image: `opt/kafka/plugins/<plugin>/<hash>`.
    pub directory: EntryPath,
}

/// Names an artifact in messages: `artifact 1 (tgz) of plugin "debezium"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ArtifactId {
    /// The plugin's name.
    pub plugin: String,
    /// Its place among the plugin's artifacts, from 1.
    pub number: usize,
    /// Its type.
    pub kind: &'static str,
}

impl fmt::Display for ArtifactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "artifact {} ({}) of plugin `{}`", self.number, self.kind, self.plugin)
    }
}

/// A Maven artifact, with the place in the image that its files get.
#[derive(Debug, Clone)]
pub struct MavenArtifact {
    /// For messages.
    pub id: ArtifactId,
    /// What is to be resolved.
    pub request: MavenRequest,
    /// Whether the resource names the scope; one that does not wants the runtime's.
    pub scope_is_given: bool,
    /// Its directory in the image: `opt/kafka/plugins/<plugin>/<hash>`.
    pub directory: EntryPath,
}

/// A project, and which of its dependencies are wanted, from where.
#[derive(Debug, Clone)]
pub struct MavenRequest {
    /// `groupId`, `artifactId`, version.
    pub coordinate: [String; 3],
    /// Which dependencies.
    pub scope: Scope,
    /// The repository that is asked first, if not the configured one.
    pub repository: Option<SafeUrl>,
    /// What is asked instead of every repository, in order.
    pub mirrors: Vec<SafeUrl>,
    /// Accept any TLS certificate of repositories.
    pub insecure: bool,
}

/// Which of the resolved files are wanted, by the scope that they end up with
/// (`includeScope` of maven-dependency-plugin).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything, as with an empty `includeScope`.
    All,
    /// compile, provided and system.
    Compile,
    /// provided alone.
    Provided,
    /// compile and runtime.
    Runtime,
    /// system alone.
    System,
    /// Everything.
    Test,
}

impl Scope {
    /// As it is written; nothing for all.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Compile => "compile",
            Self::Provided => "provided",
            Self::Runtime => "runtime",
            Self::System => "system",
            Self::Test => "test",
        }
    }

    /// Whether a file of this scope is wanted; one of a scope that nobody knows always is (`ScopeFilter`).
    #[must_use]
    pub fn admits(self, scope: &str) -> bool {
        match (self, scope) {
            (_, other) if !matches!(other, "compile" | "provided" | "runtime" | "system" | "test") => true,
            (Self::All | Self::Test, _) => true,
            (Self::Compile, scope) => matches!(scope, "compile" | "provided" | "system"),
            (Self::Runtime, scope) => matches!(scope, "compile" | "runtime"),
            (Self::Provided, scope) => scope == "provided",
            (Self::System, scope) => scope == "system",
        }
    }
}

/// Where an artifact's bytes come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// http or https.
    Remote(SafeUrl),
    /// A file below the directory of the resource.
    File {
        /// The resource's directory.
        directory: PathBuf,
        /// The file, relative to it.
        path: EntryPath,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(url) => url.fmt(f),
            Self::File { path, .. } => write!(f, "file:{path}"),
        }
    }
}

/// How an artifact's bytes become entries of the layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// One file of this name. A jar is expected to be a zip, and warned about when it is not.
    File {
        /// The file's name in the artifact's directory.
        name: EntryPath,
        /// Whether it should be a jar.
        jar: bool,
    },
    /// A gzip-compressed tar, unpacked into the artifact's directory.
    Tgz,
    /// A zip, unpacked into the artifact's directory.
    Zip,
}

impl Planned {
    pub(super) fn new(
        artifact: &spec::Artifact,
        plugin: &str,
        number: usize,
        choices: &Choices,
    ) -> Result<Self, PlanError> {
        let id = |kind| ArtifactId { plugin: plugin.to_owned(), number, kind };
        let file =
            |kind, remote, format| Artifact::new(artifact, id(kind), remote, format, choices).map(Self::File);
        let named = |jar| {
            let name = artifact.kind.file_name().unwrap_or_default();
            path(artifact, &name).map(|name| Format::File { name, jar })
        };
        match &artifact.kind {
            spec::ArtifactKind::Jar(remote) => file("jar", remote, named(true)?),
            spec::ArtifactKind::Tgz(remote) => file("tgz", remote, Format::Tgz),
            spec::ArtifactKind::Zip(remote) => file("zip", remote, Format::Zip),
            spec::ArtifactKind::Other(remote, _) => file("other", remote, named(false)?),
            spec::ArtifactKind::Maven(maven) => {
                MavenArtifact::new(artifact, id("maven"), maven, choices).map(Self::Maven)
            }
        }
    }

    /// For messages.
    #[must_use]
    pub fn id(&self) -> &ArtifactId {
        match self {
            Self::File(artifact) => &artifact.id,
            Self::Maven(artifact) => &artifact.id,
        }
    }

    /// Where it ends up: a file's path, or the directory (with a final slash) that it fills.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::File(artifact) => artifact.target(),
            Self::Maven(artifact) => format!("/{}/", artifact.directory),
        }
    }

    /// Where it comes from, without secrets.
    #[must_use]
    pub fn source(&self) -> String {
        match self {
            Self::File(artifact) => artifact.source.to_string(),
            Self::Maven(artifact) => artifact.request.coordinate.join(":"),
        }
    }
}

fn path(artifact: &spec::Artifact, text: &str) -> Result<EntryPath, PlanError> {
    EntryPath::parse(text.as_bytes(), crate::limits::Limits::default().depth)
        .map_err(|refused| PlanError::Path { field: artifact.field.clone(), refused })
}

/// `opt/kafka/plugins/<plugin>/<hash>`.
fn directory(artifact: &spec::Artifact, plugin: &str, hash: &str) -> Result<EntryPath, PlanError> {
    path(artifact, &format!("{}/{plugin}/{hash}", PLUGINS_DIRECTORY.join("/")))
}

impl MavenArtifact {
    fn new(
        artifact: &spec::Artifact,
        id: ArtifactId,
        maven: &spec::MavenArtifact,
        choices: &Choices,
    ) -> Result<Self, PlanError> {
        let coordinate = [maven.group.clone(), maven.artifact.clone(), maven.version.clone()];
        let url = |text: &String| {
            text.parse().map(SafeUrl::new).map_err(|_| PlanError::Url(artifact.field.clone()))
        };
        if maven.repository.is_none() && maven.mirrors.is_empty() && !choices.maven_repository {
            return Err(PlanError::NoRepository { artifact: id, coordinate: coordinate.join(":") });
        }
        Ok(Self {
            directory: directory(artifact, &id.plugin, &strimzi_stub(&coordinate.join("/")))?,
            id,
            request: MavenRequest {
                coordinate,
                scope: match maven.include_scope {
                    IncludeScope::Unset => Scope::Runtime,
                    IncludeScope::Everything => Scope::All,
                    IncludeScope::Only(scope) => scope.into(),
                },
                repository: maven.repository.as_ref().map(url).transpose()?,
                mirrors: maven.mirrors.iter().map(url).collect::<Result<_, _>>()?,
                insecure: artifact.insecure,
            },
            scope_is_given: maven.include_scope != IncludeScope::Unset,
        })
    }

    /// One of its files, as an artifact that ends up in its directory under `name`.
    #[must_use]
    pub fn file(&self, name: EntryPath, url: SafeUrl) -> Artifact {
        let jar = name.as_str().rsplit_once('.').is_some_and(|(_, extension)| extension == "jar");
        Artifact {
            id: self.id.clone(),
            source: Source::Remote(url),
            insecure: self.request.insecure,
            sha512: None,
            format: Format::File { name, jar },
            links: Links::Refuse,
            directory: self.directory.clone(),
        }
    }
}

impl From<spec::kafka_connect::Scope> for Scope {
    fn from(scope: spec::kafka_connect::Scope) -> Self {
        use spec::kafka_connect::Scope as Said;
        match scope {
            Said::Compile => Self::Compile,
            Said::Provided => Self::Provided,
            Said::Runtime => Self::Runtime,
            Said::Test => Self::Test,
            Said::System => Self::System,
        }
    }
}

impl Artifact {
    fn new(
        artifact: &spec::Artifact,
        id: ArtifactId,
        remote: &spec::Remote,
        format: Format,
        choices: &Choices,
    ) -> Result<Self, PlanError> {
        let hash = strimzi_stub(&remote.url);
        let source =
            if let (Some(file), Some(directory)) = (remote.url.strip_prefix("file:"), &choices.directory) {
                Source::File { directory: directory.clone(), path: path(artifact, file)? }
            } else {
                let url: Url = remote.url.parse().map_err(|_| PlanError::Url(artifact.field.clone()))?;
                Source::Remote(SafeUrl::new(url))
            };
        Ok(Self {
            directory: directory(artifact, &id.plugin, &hash)?,
            id,
            source,
            insecure: artifact.insecure,
            sha512: remote.sha512.clone(),
            format,
            links: if artifact.drop_links { Links::Skip } else { choices.layer.links },
        })
    }

    /// Where it ends up: a file's path, or the directory (with a final slash) that an archive fills.
    #[must_use]
    pub fn target(&self) -> String {
        match &self.format {
            Format::File { name, .. } => format!("/{}/{name}", self.directory),
            Format::Tgz | Format::Zip => format!("/{}/", self.directory),
        }
    }
}
