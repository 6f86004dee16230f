//! What is meant: from a [`Spec`] and the user's choices to a [`Plan`] with every default filled in.
//!
//! A plan says, before anything is downloaded, which layer each plugin becomes, the path of every artifact in it,
//! the base image, and where the result goes. Paths are those of Strimzi's generated Dockerfile
//! (`KafkaConnectDockerfile.java`): `/opt/kafka/plugins/<plugin>/<first 8 hex of SHA-1(url)>/…`.

mod location;
mod reuse;

use std::fmt;
use std::path::PathBuf;

use url::Url;

pub use self::location::{Base, ImageLocation, InvalidLocation, Output};
pub use self::reuse::LAYER_FORMAT;
use crate::digest::{Digest, Sha512, strimzi_stub};
use crate::error::{Diagnose, Reason};
use crate::path::{EntryPath, PathRefused};
use crate::redact::SafeUrl;
use crate::spec::kafka_connect::OutputType;
use crate::spec::{self, Spec};

/// Where plugins live in a Strimzi image, without the leading slash.
pub const PLUGINS_DIRECTORY: [&str; 3] = ["opt", "kafka", "plugins"];

/// Where an image goes when nothing says otherwise: an OCI layout in the working directory.
pub const DEFAULT_OUTPUT: &str = "connect-build-image";

/// The user's choices that shape a plan.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// `--base`, before the resource's `spec.image`.
    pub base: Option<String>,
    /// `--to`, before the resource's `output.image`.
    pub to: Option<String>,
    /// The directory of the resource's file, for `file:` URLs.
    pub directory: Option<PathBuf>,
    /// Everything else that decides a layer's bytes.
    pub layer: LayerChoices,
}

/// What decides the bytes of a layer beside its artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LayerChoices {
    /// How layers are compressed.
    pub compression: Compression,
    /// Modification time of every entry, in seconds since 1970 (`SOURCE_DATE_EPOCH`).
    pub mtime: u64,
    /// What to do with links in archives.
    pub links: Links,
}

/// The compression of layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// gzip; what is compressed already is stored in the gzip stream.
    #[default]
    Gzip,
    /// Zstandard.
    Zstd,
    /// A plain tar.
    None,
}

impl Compression {
    /// The name of the choice on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::None => "none",
        }
    }
}

/// What happens to symbolic and hard links in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Links {
    /// The archive is refused.
    #[default]
    Refuse,
    /// They are left out, and reported.
    Skip,
}

/// A build, ready to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The plugins that bring something, in the order of the resource; each becomes one layer.
    pub plugins: Vec<Plugin>,
    /// The base image.
    pub base: Base,
    /// Where the result goes.
    pub output: Output,
}

/// A plugin and the layer it becomes.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// Its name.
    pub name: String,
    /// What goes into it, in order.
    pub artifacts: Vec<Artifact>,
    /// Digest of everything that decides the layer's content, as far as it is known beforehand. The manifest
    /// carries it, so that the next build can tell which layers still hold.
    pub inputs: Digest,
}

/// An artifact, with its place in the image.
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

/// Why no plan came out.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Maven artifacts cannot be resolved by this version.
    #[error("`maven` artifacts cannot be built yet: {}", .0.join(", "))]
    Maven(Vec<String>),
    /// No base image is named anywhere.
    #[error("no base image is given")]
    NoBase,
    /// The base is no image name.
    #[error("the base image is not valid")]
    Base(#[source] InvalidLocation),
    /// The target is no image name.
    #[error("the output image is not valid")]
    Output(#[source] InvalidLocation),
    /// Image streams need OpenShift's API.
    #[error("`output.type: imagestream` needs the API of OpenShift, which this command does not use")]
    ImageStream,
    /// Base and output are the same.
    #[error("the output image is the same as the base image: `{0}`")]
    SameImage(String),
    /// A name that passed validation and yet is no path; a defect.
    #[error("`{field}` does not fit into a path: it {refused}")]
    Path {
        /// The field.
        field: String,
        /// Why.
        refused: PathRefused,
    },
    /// A URL that passed validation and yet is none; a defect.
    #[error("`{0}` is not a URL")]
    Url(String),
}

impl Diagnose for PlanError {
    fn reason(&self) -> Reason {
        match self {
            Self::Maven(_) => Reason::MavenFailed,
            Self::NoBase | Self::Base(_) => Reason::InvalidArguments,
            _ => Reason::InvalidResource,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Maven(_) => {
                "list the artifact and its dependencies as `jar` artifacts with their URLs until `maven` is supported".into()
            }
            Self::NoBase => "name the Kafka image with `--base IMAGE` or in `spec.image`, or give `--base scratch` for \
                             an image of the plugins alone"
                .into(),
            Self::ImageStream => "push to the stream's registry by name: `--to docker://HOST/PROJECT/NAME:TAG`".into(),
            Self::SameImage(_) => "give the output another repository or tag; the base would be overwritten".into(),
            Self::Base(error) | Self::Output(error) => return error.hint(),
            Self::Path { .. } | Self::Url(_) => return None,
        })
    }
}

impl Plan {
    /// Decides everything that can be decided without a network.
    pub fn new(spec: &Spec, choices: &Choices) -> Result<Self, PlanError> {
        refuse_maven(spec)?;
        let base = match choices.base.as_ref().or(spec.base.as_ref()) {
            Some(base) => base.parse().map_err(PlanError::Base)?,
            None => return Err(PlanError::NoBase),
        };
        let output = match (&choices.to, &spec.output) {
            (Some(to), _) => to.parse().map_err(PlanError::Output)?,
            (None, Some(output)) if output.kind == OutputType::ImageStream => {
                return Err(PlanError::ImageStream);
            }
            (None, Some(output)) => Output::registry(&output.image).map_err(PlanError::Output)?,
            (None, None) => Output::layout(DEFAULT_OUTPUT),
        };
        if let (Base::Image(from), Output::Registry(to)) = (&base, &output)
            && from == to
        {
            return Err(PlanError::SameImage(to.to_string()));
        }
        let plugins = (spec.plugins.iter())
            .filter(|plugin| !plugin.artifacts.is_empty())
            .map(|plugin| Plugin::new(plugin, choices))
            .collect::<Result<_, _>>()?;
        Ok(Self { plugins, base, output })
    }
}

fn refuse_maven(spec: &Spec) -> Result<(), PlanError> {
    let mut found = Vec::new();
    for plugin in &spec.plugins {
        for artifact in &plugin.artifacts {
            if let spec::ArtifactKind::Maven(maven) = &artifact.kind {
                let (group, name, version) = (&maven.group, &maven.artifact, &maven.version);
                found.push(format!("`{group}:{name}:{version}` of plugin `{}`", plugin.name));
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(PlanError::Maven(found)) }
}

impl Plugin {
    fn new(plugin: &spec::Plugin, choices: &Choices) -> Result<Self, PlanError> {
        let artifacts: Vec<Artifact> = (plugin.artifacts.iter().enumerate())
            .map(|(index, artifact)| Artifact::new(artifact, &plugin.name, index + 1, choices))
            .collect::<Result<_, _>>()?;
        let inputs = reuse::inputs(&plugin.name, &plugin.artifacts, choices.layer);
        Ok(Self { name: plugin.name.clone(), artifacts, inputs })
    }

    /// The plugin's directory in the image.
    #[must_use]
    pub fn directory(&self) -> String {
        format!("/{}/{}", PLUGINS_DIRECTORY.join("/"), self.name)
    }
}

impl Artifact {
    fn new(
        artifact: &spec::Artifact,
        plugin: &str,
        number: usize,
        choices: &Choices,
    ) -> Result<Self, PlanError> {
        let (kind, remote) = match &artifact.kind {
            spec::ArtifactKind::Jar(remote) => ("jar", remote),
            spec::ArtifactKind::Tgz(remote) => ("tgz", remote),
            spec::ArtifactKind::Zip(remote) => ("zip", remote),
            spec::ArtifactKind::Other(remote, _) => ("other", remote),
            spec::ArtifactKind::Maven(maven) => return Err(PlanError::Maven(vec![maven.artifact.clone()])),
        };
        let path = |text: &str| {
            EntryPath::parse(text.as_bytes(), crate::limits::Limits::default().depth)
                .map_err(|refused| PlanError::Path { field: artifact.field.clone(), refused })
        };
        let hash = strimzi_stub(&remote.url);
        let format = match &artifact.kind {
            spec::ArtifactKind::Jar(_) => Format::File { name: path(&format!("{hash}.jar"))?, jar: true },
            spec::ArtifactKind::Other(_, name) => {
                Format::File { name: path(name.as_ref().unwrap_or(&hash))?, jar: false }
            }
            spec::ArtifactKind::Tgz(_) => Format::Tgz,
            spec::ArtifactKind::Zip(_) | spec::ArtifactKind::Maven(_) => Format::Zip,
        };
        let source =
            if let (Some(file), Some(directory)) = (remote.url.strip_prefix("file:"), &choices.directory) {
                Source::File { directory: directory.clone(), path: path(file)? }
            } else {
                let url: Url = remote.url.parse().map_err(|_| PlanError::Url(artifact.field.clone()))?;
                Source::Remote(SafeUrl::new(url))
            };
        Ok(Self {
            id: ArtifactId { plugin: plugin.to_owned(), number, kind },
            source,
            insecure: artifact.insecure,
            sha512: remote.sha512.clone(),
            format,
            directory: path(&format!("{}/{plugin}/{hash}", PLUGINS_DIRECTORY.join("/")))?,
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

#[cfg(test)]
mod tests;
