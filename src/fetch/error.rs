//! What can go wrong while an artifact comes in.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::digest::Sha512;
use crate::error::{Diagnose, Reason};
use crate::http::{ClientError, HttpError};
use crate::plan::ArtifactId;
use crate::workspace::WorkspaceError;

/// An artifact that did not come in.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch {id} from {from}")]
pub struct FetchError {
    /// Which artifact.
    pub id: ArtifactId,
    /// From where, credentials masked.
    pub from: String,
    /// Why.
    pub source: DownloadError,
}

/// Why one did not.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The request, or its answer.
    #[error(transparent)]
    Http(HttpError),
    /// The settings for TLS or proxies.
    #[error(transparent)]
    Client(ClientError),
    /// The workspace.
    #[error(transparent)]
    Workspace(WorkspaceError),
    /// It is not the file that was meant.
    #[error("its checksum is wrong: expected sha512 {expected}, but the {size} bytes that came{} have {actual}",
        .content_type.as_deref().map(|t| format!(" (`{}`)", crate::path::shown(t.as_bytes()))).unwrap_or_default())]
    Checksum {
        /// `sha512sum` of the resource.
        expected: Sha512,
        /// What was computed.
        actual: Sha512,
        /// The server's `Content-Type`.
        content_type: Option<String>,
        /// Bytes.
        size: u64,
    },
    /// Over the limit.
    #[error("it is larger than the limit of {limit} bytes")]
    TooLarge {
        /// Bytes.
        limit: u64,
    },
    /// A local file that cannot be read.
    #[error("cannot read the file `{}`", file.display())]
    ReadFile {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A local file behind a link that leads out.
    #[error("the file `{}` is a link that leads out of the resource's directory", file.display())]
    Outside {
        /// The file.
        file: PathBuf,
    },
    /// A directory, or something stranger.
    #[error("`{}` is not a file", file.display())]
    NoFile {
        /// The path.
        file: PathBuf,
    },
    /// The build is ending.
    #[error("the download was called off")]
    Cancelled,
}

/// A file of a repository that did not come in.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch {from}")]
pub struct FileError {
    /// From where, credentials masked.
    pub from: String,
    /// Why.
    pub source: DownloadError,
}

impl FileError {
    /// The server says that there is no such file.
    pub fn is_missing(&self) -> bool {
        let status = match &self.source {
            DownloadError::Http(error) => error.status_code(),
            _ => None,
        };
        status.is_some_and(|status| matches!(status.as_u16(), 404 | 410))
    }
}

impl Diagnose for FileError {
    fn reason(&self) -> Reason {
        self.source.reason()
    }

    fn hint(&self) -> Option<String> {
        match &self.source {
            DownloadError::Http(HttpError::InvalidCertificate { .. }) => {
                Some("have the server's certificate renewed, or set `insecure: true` on the artifact".into())
            }
            DownloadError::Http(HttpError::UnknownAuthority { .. }) => Some(
                "give the server's certificate authority with `--ca-file FILE`, or set `insecure: true` on the artifact"
                    .into(),
            ),
            other => other.hint(),
        }
    }

    fn is_transient(&self) -> bool {
        self.source.is_transient()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.source.retry_after()
    }
}

impl Diagnose for FetchError {
    fn reason(&self) -> Reason {
        self.source.reason()
    }

    fn hint(&self) -> Option<String> {
        self.source.hint()
    }

    fn is_transient(&self) -> bool {
        self.source.is_transient()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.source.retry_after()
    }
}
impl Diagnose for DownloadError {
    fn reason(&self) -> Reason {
        match self {
            DownloadError::Checksum { .. } => Reason::ChecksumMismatch,
            DownloadError::Client(error) => error.reason(),
            DownloadError::Workspace(error) => error.reason(),
            DownloadError::Cancelled => Reason::Interrupted,
            _ => Reason::DownloadFailed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            DownloadError::Http(HttpError::InvalidCertificate { .. }) => {
                "have the server's certificate renewed, or set `insecure: true` on this artifact (and a `sha512sum`)".into()
            }
            DownloadError::Http(HttpError::UnknownAuthority { .. }) => {
                "give the server's certificate authority with `--ca-file FILE`, or set `insecure: true` on this \
                 artifact (and a `sha512sum`)"
                    .into()
            }
            DownloadError::Http(error) => return error.hint(),
            DownloadError::Client(error) => return error.hint(),
            DownloadError::Workspace(error) => return error.hint(),
            DownloadError::Checksum { content_type: Some(kind), .. } if kind.starts_with("text/html") => {
                "the server sent a web page: the URL may want a login, or lead to a download page".into()
            }
            DownloadError::Checksum { .. } => {
                "check that the URL and the `sha512sum` belong together; if the file was replaced on purpose, \
                 update the sum"
                    .into()
            }
            DownloadError::TooLarge { .. } => "raise it with `--max-download BYTES` if the file is meant".into(),
            DownloadError::Outside { .. } => "copy the file below the directory of the resource".into(),
            _ => return None,
        })
    }

    fn is_transient(&self) -> bool {
        matches!(self, DownloadError::Http(error) if error.is_transient())
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            DownloadError::Http(error) => error.retry_after(),
            _ => None,
        }
    }
}
