//! Reading: manifests and blobs.

use reqwest::Method;
use reqwest::header::ACCEPT;

use super::answer::read_limited;
use super::error::Cause;
use super::{RegistryError, Repository};
use crate::blob::BlobReader;
use crate::digest::Digest;
use crate::http::STALL_TIMEOUT;
use crate::image::{Descriptor, media_type};

/// The largest manifest that is read; registries refuse more than 4 MiB (OCI distribution-spec, "Pushing Manifests").
const MAX_MANIFEST: usize = 8 << 20;

/// The largest config that is read.
const MAX_CONFIG: u64 = 16 << 20;

/// A manifest or index as a registry or layout holds it.
#[derive(Debug, Clone)]
pub struct RawManifest {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
}

impl Repository {
    /// The manifest or index behind a tag or digest. Behind a digest, the content is held against it.
    pub async fn manifest(&self, tag_or_digest: &str) -> Result<RawManifest, RegistryError> {
        let doing =
            format!("read the manifest of `{}:{tag_or_digest}`", self.name).replace(":sha256:", "@sha256:");
        self.manifest_for(&doing, tag_or_digest).await
    }

    pub(super) async fn manifest_for(
        &self,
        doing: &str,
        tag_or_digest: &str,
    ) -> Result<RawManifest, RegistryError> {
        self.retrying(doing, || async {
            let url = self.url(&format!("manifests/{tag_or_digest}")).await?;
            // Without these an older registry hides OCI manifests behind a 404 (docker-registry 2.8).
            let accept = media_type::MANIFESTS.join(", ");
            let prepare =
                |request: reqwest::RequestBuilder| request.header(ACCEPT, &accept).timeout(STALL_TIMEOUT);
            let response = self.send(&Method::GET, &url, prepare).await?;
            let bytes = read_limited(response, MAX_MANIFEST, "a manifest").await?;
            let digest = Digest::of(&bytes);
            match tag_or_digest.parse::<Digest>() {
                Ok(expected) if expected != digest => Err(Cause::Digest { expected, actual: digest }),
                _ => Ok(RawManifest { bytes, digest }),
            }
        })
        .await
    }

    /// A config, whole and verified.
    pub async fn config(&self, descriptor: &Descriptor) -> Result<Vec<u8>, RegistryError> {
        let doing = format!("read the config of an image of `{}`", self.name);
        if descriptor.size > MAX_CONFIG {
            return Err(self.fail(doing, Cause::Protocol("the config is too large".into())));
        }
        self.retrying(&doing, || async { self.blob(descriptor).await?.read_all().await.map_err(Cause::Blob) })
            .await
    }

    /// The error of a blob that could not be read.
    pub fn failed_to_read(&self, descriptor: &Descriptor, cause: Cause) -> RegistryError {
        self.fail(format!("read the layer {} of `{}`", descriptor.digest.short(), self.name), cause)
    }

    /// A blob, to be read as it comes.
    pub async fn blob(&self, descriptor: &Descriptor) -> Result<BlobReader, Cause> {
        let url = self.url(&format!("blobs/{}", descriptor.digest)).await?;
        let response =
            tokio::time::timeout(STALL_TIMEOUT, self.send(&Method::GET, &url, |request| request)).await;
        let timeout = || Cause::Http(crate::http::HttpError::Timeout { host: self.registry.host.clone() });
        Ok(BlobReader::of_response(response.map_err(|_| timeout())??, descriptor))
    }
}
