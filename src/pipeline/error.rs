//! Every way in which a build can fail.

use std::time::Duration;

use crate::error::{Diagnose, Reason};
use crate::fetch::FetchError;
use crate::image::ImageError;
use crate::maven::MavenError;
use crate::plan::ArtifactId;
use crate::store::StoreError;
use crate::unpack::UnpackError;
use crate::workspace::WorkspaceError;

/// Why there is no new image.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// An artifact did not come in.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A Maven artifact was not resolved.
    #[error("cannot resolve {id}, {}", .source.artifact)]
    Maven {
        /// Which artifact.
        id: ArtifactId,
        /// Why.
        source: MavenError,
    },
    /// An archive was refused.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The base image, or the new one.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Reading the base or writing the result.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A signal.
    #[error("the build was ended by {signal}; {}",
        if *.publishing { "the image was being published, so look which one its tag names" } else { "the image was not changed" })]
    Interrupted {
        /// Its name.
        signal: &'static str,
        /// Whether the manifest may have arrived.
        publishing: bool,
    },
    /// A thread of ours panicked.
    #[error("a thread of connect-build ended unexpectedly")]
    Panicked,
}

impl BuildError {
    fn inner(&self) -> Option<&dyn Diagnose> {
        match self {
            Self::Workspace(error) => Some(error),
            Self::Fetch(error) => Some(error),
            Self::Maven { source, .. } => Some(source),
            Self::Unpack(error) => Some(error),
            Self::Image(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::Interrupted { .. } | Self::Panicked => None,
        }
    }
}

impl Diagnose for BuildError {
    fn reason(&self) -> Reason {
        match self {
            Self::Interrupted { .. } => Reason::Interrupted,
            _ => self.inner().map_or(Reason::Internal, Diagnose::reason),
        }
    }

    fn hint(&self) -> Option<String> {
        self.inner().and_then(Diagnose::hint)
    }

    fn is_transient(&self) -> bool {
        self.inner().is_some_and(Diagnose::is_transient)
    }

    fn retry_after(&self) -> Option<Duration> {
        self.inner().and_then(Diagnose::retry_after)
    }
}
