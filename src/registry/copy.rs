//! Bringing the base's blobs to where the image will be: there already, mounted, or passed through.
//!
//! Nothing touches the disk. A blob that is passed through is read from its source and written to the target at the same
//! time, and held against its digest on the way: the upload of a damaged blob is broken off before its end.

use std::path::Path;

use futures_util::stream;
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Body, Method, RequestBuilder, StatusCode};
use tokio::sync::Mutex;
use url::Url;

use super::activity::Activity;
use super::answer::BodyFailure;
use super::error::Cause;
use super::push::upload_location;
use super::{RegistryError, Repository};
use crate::blob::BlobReader;
use crate::http::{HttpError, STALL_TIMEOUT};
use crate::image::Descriptor;
use crate::progress::{Ending, Transfer};

/// Why a passed-through blob has to be fetched once more.
const ASKED_TWICE: &str = "the registry wanted to authenticate in the middle of an upload";

/// Where a blob is now.
#[derive(Clone, Copy)]
pub enum BlobSource<'a> {
    /// In a repository.
    Repository(&'a Repository),
    /// In a file.
    File(&'a Path),
}

impl Repository {
    /// Makes sure that this repository has the blob; says how.
    pub async fn take_blob(
        &self,
        source: BlobSource<'_>,
        descriptor: &Descriptor,
        transfer: &mut Transfer,
    ) -> Result<Ending, RegistryError> {
        if self.has_blob(&descriptor.digest).await? {
            return Ok(Ending::Existing);
        }
        let same_registry = |from: &&Repository| from.registry.host == self.registry.host;
        if let BlobSource::Repository(from) = source
            && let Some(from) = Some(from).filter(same_registry)
            && self.mount(from, descriptor).await
        {
            return Ok(Ending::Mounted { from: from.name.clone() });
        }
        let doing = format!("push the base image's layer {} to `{}`", descriptor.digest.short(), self.name);
        let transfer = Mutex::new(transfer);
        self.retrying(&doing, || async {
            let reader = match source {
                BlobSource::Repository(from) => from.blob(descriptor).await?,
                BlobSource::File(path) => BlobReader::open(path, descriptor).await.map_err(Cause::Blob)?,
            };
            let session = self.begin_upload().await?;
            let mut transfer = transfer.lock().await;
            self.pass_through(&session, descriptor, reader, &mut transfer).await
        })
        .await?;
        Ok(Ending::Complete)
    }

    /// Asks the registry to take the blob from another of its repositories. What speaks against it (no right to read
    /// there, no support) does not matter: the blob is uploaded then.
    async fn mount(&self, from: &Repository, descriptor: &Descriptor) -> bool {
        match self.try_mount(from, descriptor).await {
            Ok(None) => true,
            // 202 is "declined, upload instead". The session is not kept: whether it may be used at leisure differs.
            Ok(Some(session)) => {
                self.drop_upload(&session).await;
                false
            }
            Err(cause) => {
                tracing::debug!("{} is not mounted from `{}`: {cause}", descriptor.digest, from.name);
                false
            }
        }
    }

    async fn try_mount(&self, from: &Repository, descriptor: &Descriptor) -> Result<Option<Url>, Cause> {
        let mut url = self.url("blobs/uploads/").await?;
        url.query_pairs_mut()
            .append_pair("mount", &descriptor.digest.to_string())
            // Quay fails on a mount that does not say from where (go-containerregistry, remote/write.go).
            .append_pair("from", &from.name);
        let scope = self.scope().and_read(&from.name);
        let prepare = |request: RequestBuilder| request.header(CONTENT_LENGTH, 0).timeout(STALL_TIMEOUT);
        let response = self.send_scoped(&Method::POST, &url, &scope, prepare).await?;
        match response.status() {
            StatusCode::CREATED => Ok(None),
            _ => upload_location(&response).map(Some),
        }
    }

    async fn pass_through(
        &self,
        session: &Url,
        descriptor: &Descriptor,
        reader: BlobReader,
        transfer: &mut Transfer,
    ) -> Result<(), Cause> {
        transfer.restart();
        let (progress, mut passed) = tokio::sync::mpsc::unbounded_channel();
        // The stream of a request has to own what it reads; a second try with it (after a 401) finds it gone.
        let reader = std::sync::Mutex::new(Some(reader));
        let body = || {
            let reader = reader.lock().ok().and_then(|mut reader| reader.take());
            let (progress, host) = (progress.clone(), self.registry.host.clone());
            Body::wrap_stream(stream::try_unfold(reader, move |reader| {
                let (progress, host) = (progress.clone(), host.clone());
                async move {
                    let Some(mut reader) = reader else {
                        return Err(BodyFailure::new(Cause::Http(HttpError::Broken {
                            host,
                            detail: ASKED_TWICE.into(),
                        })));
                    };
                    match reader.next().await {
                        Ok(Some(bytes)) => {
                            // Nobody listens anymore when the request is over.
                            let _ = progress.send(bytes.len() as u64);
                            Ok(Some((bytes, Some(reader))))
                        }
                        Ok(None) => Ok(None),
                        Err(error) => Err(BodyFailure::new(Cause::Blob(error))),
                    }
                }
            }))
        };
        let activity = Activity::default();
        let put = activity.watch(&self.registry.host, self.put_blob(session, descriptor, body));
        tokio::pin!(put);
        loop {
            tokio::select! {
                result = &mut put => return result,
                Some(bytes) = passed.recv() => {
                    activity.moved();
                    transfer.advance(bytes);
                }
            }
        }
    }
}
