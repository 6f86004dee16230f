//! What can be wrong with a base image, or with what would become of it.

use crate::error::{Diagnose, Reason};

/// No image came out.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A document that is not what it should be.
    #[error("the {0} of the base image cannot be understood")]
    Unreadable(&'static str),
    /// Docker's image manifest version 2, schema 1.
    #[error("the base image has a manifest of Docker's schema 1, which registries have given up")]
    SchemaOne,
    /// An index of nothing.
    #[error("the base image's index lists no image")]
    EmptyIndex,
    /// `--platform all` without a base.
    #[error("`--platform all` has no meaning without a base image")]
    AllOfScratch,
    /// The platform is not there.
    #[error("the base image has no image for {wanted}; it has {}", list(.available))]
    NoPlatform {
        /// Asked for.
        wanted: String,
        /// There.
        available: Vec<String>,
    },
    /// Config and manifest disagree.
    #[error("the base image contradicts itself: its manifest has {manifest} layers, its config {config}")]
    LayerCount {
        /// Layers of the manifest.
        manifest: usize,
        /// `diff_ids` of the config.
        config: usize,
    },
    /// A layer that the format has no word for.
    #[error(
        "a layer of the base image has the media type `{media_type}`, which does not fit the output's format"
    )]
    LayerType {
        /// The layer's.
        media_type: String,
    },
    /// A parent of the plugins that a directory entry would replace.
    #[error(
        "`/{0}` of the base image is not a directory (a link, perhaps), and plugins below it would hide what it leads to"
    )]
    ParentNotADirectory(String),
    /// Docker's schema 2 and zstd.
    #[error("Docker's format has no zstd layers")]
    NoZstd,
    /// More layers than runtimes mount.
    #[error(
        "the image would have {found} layers, more than the {limit} that container runtimes can mount: {base} of the base image and {plugins} of plugins"
    )]
    TooManyLayers {
        /// In all.
        found: usize,
        /// At most.
        limit: usize,
        /// Of the base.
        base: usize,
        /// Of plugins.
        plugins: usize,
    },
    /// A finished image that breaks the specification: a defect.
    #[error("the finished image is not valid: {0}")]
    Invalid(String),
}

fn list(available: &[String]) -> String {
    if available.is_empty() { "none".into() } else { available.join(", ") }
}

impl Diagnose for ImageError {
    fn reason(&self) -> Reason {
        match self {
            Self::AllOfScratch => Reason::InvalidArguments,
            Self::NoZstd | Self::TooManyLayers { .. } => Reason::InvalidImage,
            Self::Invalid(_) => Reason::Internal,
            _ => Reason::BaseImageFailed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoPlatform { .. } => "choose one of these with `--platform OS/ARCH`".into(),
            Self::AllOfScratch => "list the platforms: `--platform linux/amd64,linux/arm64`".into(),
            Self::NoZstd | Self::LayerType { .. } => {
                "leave out `--format docker`, or use `--compression gzip`".into()
            }
            Self::TooManyLayers { .. } => {
                "put several artifacts into one plugin, or flatten the base image".into()
            }
            Self::SchemaOne => "pull and push the base image with a current tool, which converts it".into(),
            _ => return None,
        })
    }
}
