//! What is meant: from a [`Spec`] and the user's choices to a [`Plan`] with every default filled in.
//!
//! A plan says, before anything is downloaded, which layer each plugin becomes, the path of every artifact in it,
//! the base image, and where the result goes. Paths are those of Strimzi's generated Dockerfile
//! (`KafkaConnectDockerfile.java`): `/opt/kafka/plugins/<plugin>/<first 8 hex of SHA-1(url)>/…`.

mod artifact;
mod location;
mod reuse;

use std::path::PathBuf;

pub use self::artifact::{Artifact, ArtifactId, Format, MavenArtifact, MavenRequest, Planned, Scope, Source};
pub use self::location::{Base, ImageLocation, InvalidLocation, Output};
pub use self::reuse::LAYER_FORMAT;
use crate::digest::Digest;
use crate::error::{Diagnose, Reason};
use crate::path::PathRefused;
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
    /// Maven artifacts that name no repository find one in the settings.
    pub maven_repository: bool,
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
    pub artifacts: Vec<Planned>,
    /// Digest of everything that decides the layer's content, as far as it is known beforehand. The manifest
    /// carries it, so that the next build can tell which layers still hold.
    pub inputs: Digest,
}

/// Why no plan came out.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A Maven artifact names no repository, and none is configured.
    #[error("no Maven repository is known for {artifact} (`{coordinate}`)")]
    NoRepository {
        /// The artifact.
        artifact: ArtifactId,
        /// What it names.
        coordinate: String,
    },
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
            Self::NoRepository { .. } | Self::NoBase | Self::Base(_) => Reason::InvalidArguments,
            _ => Reason::InvalidResource,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoRepository { .. } => {
                "set `repository` (or `mirrors`) of the artifact, or give a default with `--maven-repository URL` \
                 (CONNECT_BUILD_MAVEN_REPOSITORY), or mirrors in `--maven-settings FILE`"
                    .into()
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
        let base = match (&choices.base, spec.base.as_deref()) {
            (Some(base), _) => base.parse().map_err(PlanError::Base)?,
            // A resource names no directory of whoever builds it.
            (None, Some("scratch")) => Base::Scratch,
            (None, Some(base)) => Base::Image(ImageLocation::parse(base).map_err(PlanError::Base)?),
            (None, None) => return Err(PlanError::NoBase),
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

impl Plugin {
    fn new(plugin: &spec::Plugin, choices: &Choices) -> Result<Self, PlanError> {
        let artifacts = (plugin.artifacts.iter().enumerate())
            .map(|(index, artifact)| Planned::new(artifact, &plugin.name, index + 1, choices))
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

#[cfg(test)]
mod tests;
