//! A blob on its way from somewhere: bytes that are held against their descriptor while they pass.
//!
//! A [`BlobReader`] gives buffer after buffer and, instead of a clean end, an error if length or digest are not what the
//! descriptor promised. Nothing is held in memory but the buffer.

use std::io;
use std::path::Path;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use crate::digest::Digest;
use crate::http::{HttpError, STALL_TIMEOUT};
use crate::image::Descriptor;

/// Bytes read from a file at once.
const FILE_BUFFER: usize = 256 << 10;

/// Why a blob did not come as promised.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The connection it comes over.
    #[error(transparent)]
    Http(HttpError),
    /// The file it comes from.
    #[error("cannot read the blob {digest}")]
    Read {
        /// Which.
        digest: Digest,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Other content.
    #[error("the blob {expected} is damaged: its content has the digest {actual}")]
    Digest {
        /// Promised.
        expected: Digest,
        /// Computed.
        actual: Digest,
    },
    /// Another length.
    #[error("the blob {digest} is damaged: it has not the {expected} bytes that its descriptor says")]
    Size {
        /// Which.
        digest: Digest,
        /// Promised.
        expected: u64,
    },
}

/// Reads one blob.
pub struct BlobReader {
    content: Content,
    descriptor: Descriptor,
    hasher: Sha256,
    read: u64,
}

enum Content {
    File(File),
    Response(reqwest::Response),
}

impl BlobReader {
    /// Reads from a file.
    pub async fn open(path: &Path, descriptor: &Descriptor) -> Result<Self, BlobError> {
        let file = File::open(path)
            .await
            .map_err(|source| BlobError::Read { digest: descriptor.digest.clone(), source })?;
        Ok(Self::new(Content::File(file), descriptor))
    }

    /// Reads the body of a registry's answer.
    pub fn of_response(response: reqwest::Response, descriptor: &Descriptor) -> Self {
        Self::new(Content::Response(response), descriptor)
    }

    fn new(content: Content, descriptor: &Descriptor) -> Self {
        Self { content, descriptor: descriptor.clone(), hasher: Sha256::new(), read: 0 }
    }

    /// The next bytes; `None` at the end, once all has been proved.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        let bytes = match &mut self.content {
            Content::File(file) => {
                let mut buffer = vec![0; FILE_BUFFER];
                let count = (file.read(&mut buffer).await)
                    .map_err(|source| BlobError::Read { digest: self.descriptor.digest.clone(), source })?;
                buffer.truncate(count);
                Some(Bytes::from(buffer)).filter(|bytes| !bytes.is_empty())
            }
            Content::Response(response) => {
                let url = response.url().clone();
                match timeout(STALL_TIMEOUT, response.chunk()).await {
                    Err(_) => return Err(BlobError::Http(HttpError::timeout(&url))),
                    Ok(Err(error)) => return Err(BlobError::Http(HttpError::new(&url, &error))),
                    Ok(Ok(bytes)) => bytes,
                }
            }
        };
        let expected = self.descriptor.size;
        let size_error = || BlobError::Size { digest: self.descriptor.digest.clone(), expected };
        match &bytes {
            Some(bytes) => {
                self.read += bytes.len() as u64;
                if self.read > expected {
                    return Err(size_error());
                }
                self.hasher.update(bytes);
            }
            None if self.read < expected => return Err(size_error()),
            None => {
                let actual = Digest::from_hasher(std::mem::take(&mut self.hasher));
                if actual != self.descriptor.digest {
                    return Err(BlobError::Digest { expected: self.descriptor.digest.clone(), actual });
                }
            }
        }
        Ok(bytes)
    }

    /// The whole blob, for those that are small.
    pub async fn read_all(mut self) -> Result<Vec<u8>, BlobError> {
        let mut all = Vec::new();
        while let Some(bytes) = self.next().await? {
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }
}
