//! Writing: whole blobs of known digest, and manifests last.

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode};
use url::Url;

use super::activity::Activity;
use super::error::Cause;
use super::{RegistryError, Repository};
use crate::digest::Digest;
use crate::http::STALL_TIMEOUT;
use crate::image::{Descriptor, Document};

/// The media type of an upload's body.
pub(super) const OCTETS: &str = "application/octet-stream";

impl Repository {
    /// Asks whether a push would be allowed, by beginning an upload and dropping it.
    pub async fn check_push(&self) -> Result<(), RegistryError> {
        self.retrying(&format!("push to `{}`", self.name), || async {
            let session = self.begin_upload().await?;
            self.drop_upload(&session).await;
            Ok(())
        })
        .await
    }

    /// Whether the repository has this blob.
    pub async fn has_blob(&self, digest: &Digest) -> Result<bool, RegistryError> {
        self.retrying(&format!("push: look for {digest} in `{}`", self.name), || async {
            let url = self.url(&format!("blobs/{digest}")).await?;
            match self.send(&Method::HEAD, &url, |request| request.timeout(STALL_TIMEOUT)).await {
                Ok(_) => Ok(true),
                Err(cause) if cause.status() == Some(StatusCode::NOT_FOUND) => Ok(false),
                Err(cause) => Err(cause),
            }
        })
        .await
    }

    /// Pushes a config.
    pub async fn push_document(&self, document: &Document) -> Result<(), RegistryError> {
        let descriptor = &document.descriptor;
        if self.has_blob(&descriptor.digest).await? {
            return Ok(());
        }
        self.retrying(&format!("push the config of `{}`", self.name), || async {
            let session = self.begin_upload().await?;
            let put = self.put_blob(&session, descriptor, || Body::from(document.bytes.clone()));
            Activity::default().watch(&self.registry.host, put).await
        })
        .await
    }

    /// Pushes a manifest under a tag or its digest, and reads back what the registry has there now.
    pub async fn push_manifest(&self, document: &Document, tag_or_digest: &str) -> Result<(), RegistryError> {
        let expected = &document.descriptor.digest;
        self.retrying(&format!("push the manifest `{}:{tag_or_digest}`", self.name), || async {
            let url = self.url(&format!("manifests/{tag_or_digest}")).await?;
            let prepare = |request: RequestBuilder| {
                (request.header(CONTENT_TYPE, &document.descriptor.media_type))
                    .timeout(STALL_TIMEOUT)
                    .body(document.bytes.clone())
            };
            self.send(&Method::PUT, &url, prepare).await.map(drop)
        })
        .await?;
        let doing = format!("read back the pushed manifest `{}:{tag_or_digest}`", self.name);
        let there = self.manifest_for(&doing, tag_or_digest).await?;
        if there.digest == *expected {
            return Ok(());
        }
        Err(self.fail(doing, Cause::Digest { expected: expected.clone(), actual: there.digest }))
    }

    pub(super) async fn begin_upload(&self) -> Result<Url, Cause> {
        let url = self.url("blobs/uploads/").await?;
        // Some registries want to be told that there is no body.
        let prepare = |request: RequestBuilder| request.header(CONTENT_LENGTH, 0).timeout(STALL_TIMEOUT);
        let response = self.send(&Method::POST, &url, prepare).await?;
        upload_location(&response)
    }

    /// Ends a session without a blob. Registries forget sessions by themselves, so a failure does not matter.
    pub(super) async fn drop_upload(&self, session: &Url) {
        if let Err(cause) =
            self.send(&Method::DELETE, session, |request| request.timeout(STALL_TIMEOUT)).await
        {
            tracing::debug!("the upload session was not dropped: {cause}");
        }
    }

    /// Sends a whole blob of known digest. `body` is made anew for each try.
    pub(super) async fn put_blob(
        &self,
        session: &Url,
        descriptor: &Descriptor,
        body: impl Fn() -> Body,
    ) -> Result<(), Cause> {
        let url = with_digest(session, &descriptor.digest);
        let prepare = |request: RequestBuilder| {
            request.header(CONTENT_LENGTH, descriptor.size).header(CONTENT_TYPE, OCTETS).body(body())
        };
        self.send(&Method::PUT, &url, prepare).await.map(drop)
    }
}

/// Where the session goes on. The header may be relative, and may lead to another host.
pub(super) fn upload_location(response: &Response) -> Result<Url, Cause> {
    (response.headers().get(LOCATION))
        .and_then(|location| response.url().join(location.to_str().ok()?).ok())
        .ok_or_else(|| Cause::Protocol("it opened an upload without saying where (`Location`)".into()))
}

/// Appends `digest` to the session's query, which stays as it is.
pub(super) fn with_digest(session: &Url, digest: &Digest) -> Url {
    let mut url = session.clone();
    url.query_pairs_mut().append_pair("digest", &digest.to_string());
    url
}
