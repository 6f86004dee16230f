//! What can go wrong with images in files.

use std::io;
use std::path::PathBuf;

use crate::blob::BlobError;
use crate::error::{Diagnose, Reason};

/// A layout or archive cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// No `oci-layout` file.
    #[error("`{}` {}", directory.display(), if *.exists { "holds files, but is no OCI layout" } else { "does not exist" })]
    NotALayout {
        /// The directory.
        directory: PathBuf,
        /// Whether it is there at all.
        exists: bool,
    },
    /// It cannot be made.
    #[error("cannot write to the directory `{}`", directory.display())]
    Create {
        /// The directory.
        directory: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No image of that name, or several.
    #[error("the OCI layout `{}` holds {found} images{}{}", directory.display(),
        .tag.as_deref().map(|t| format!(" with the tag `{t}`")).unwrap_or_default(),
        if .available.is_empty() { String::new() } else { format!("; its tags are {}", .available.join(", ")) })]
    NoImage {
        /// The directory.
        directory: PathBuf,
        /// Asked for.
        tag: Option<String>,
        /// How many there are.
        found: usize,
        /// The tags that there are.
        available: Vec<String>,
    },
    /// `index.json` is not what it should be.
    #[error("`{}` cannot be understood", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A blob of the layout, or on its way there.
    #[error("cannot copy a blob of or to the OCI layout `{}`", directory.display())]
    Blob {
        /// The directory.
        directory: PathBuf,
        /// Why.
        #[source]
        source: BlobError,
    },
    /// Docker's archives hold single images.
    #[error("a docker-archive cannot hold images for several platforms")]
    SeveralPlatforms,
}

impl Diagnose for LayoutError {
    fn reason(&self) -> Reason {
        match self {
            Self::NotALayout { exists: false, .. }
            | Self::NoImage { .. }
            | Self::Damaged { .. }
            | Self::Read { .. } => Reason::BaseImageFailed,
            Self::SeveralPlatforms => Reason::InvalidArguments,
            _ => Reason::PushFailed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotALayout { exists: true, .. } => {
                "name an empty or new directory; nothing was overwritten".into()
            }
            Self::NotALayout { .. } => {
                "an OCI layout is a directory with a file `oci-layout`; check the path".into()
            }
            Self::NoImage { .. } => "choose one with `oci:DIR:TAG`".into(),
            Self::SeveralPlatforms => {
                "choose one with `--platform OS/ARCH`, or write an `oci-archive:`".into()
            }
            Self::Write { source, .. } | Self::Create { source, .. }
                if source.kind() == io::ErrorKind::StorageFull =>
            {
                "the volume is full: free some space, or name another place with `--to`".into()
            }
            Self::Write { .. } | Self::Create { .. } => {
                "name a place that this user may write to with `--to oci:DIR` or `--to oci-archive:FILE`"
                    .into()
            }
            _ => return None,
        })
    }

    fn is_transient(&self) -> bool {
        matches!(self, Self::Blob { source: BlobError::Http(error), .. } if error.is_transient())
    }
}
