//! Uploading layers, also while they are still being made.
//!
//! A layer that is made goes out at once: one `POST`, one streamed `PATCH` that follows the file, as `docker push` does
//! it, and a `PUT` that names the digest when it is known. Should the registry turn out to have that blob, the session
//! is dropped; should it fail on the way, the file is sent anew in one `PUT` of known length and digest.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method, RequestBuilder};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use url::Url;

use super::activity::Activity;
use super::answer::BodyFailure;
use super::error::Cause;
use super::push::{OCTETS, upload_location, with_digest};
use super::{RegistryError, Repository};
use crate::http::STALL_TIMEOUT;
use crate::image::Descriptor;
use crate::layer::{Follower, Growing};
use crate::progress::{Direction, Ending, Reporter, Transfer};

/// Bytes of an upload handed to the connection at once.
const UPLOAD_BUFFER: usize = 128 << 10;

/// The layers of one image on their way into one repository.
pub struct Uploads {
    repository: Repository,
    permits: Arc<Semaphore>,
    reporter: Arc<dyn Reporter>,
}

/// One layer on its way. Dropped, it is called off.
pub struct LayerUpload {
    plugin: String,
    upload: Upload,
    permits: Arc<Semaphore>,
    task: AbortOnDrop,
}

impl Uploads {
    /// At most `parallel` layers at a time.
    pub fn new(repository: Repository, parallel: usize, reporter: Arc<dyn Reporter>) -> Self {
        Self { repository, permits: Arc::new(Semaphore::new(parallel.max(1))), reporter }
    }

    /// Begins to send a layer that is being made.
    pub fn begin(&self, plugin: &str, growing: &Growing) -> LayerUpload {
        let transfer = Transfer::start(&self.reporter, Direction::Upload, plugin, None);
        let upload = Upload {
            repository: self.repository.clone(),
            growing: growing.clone(),
            progress: Arc::new(Progress::new(transfer)),
            session: Arc::default(),
        };
        let (streaming, permits) = (upload.clone(), Arc::clone(&self.permits));
        let task = tokio::spawn(async move {
            let _permit = permits.acquire().await;
            streaming.stream().await
        });
        let permits = Arc::clone(&self.permits);
        LayerUpload { plugin: plugin.to_owned(), upload, permits, task: AbortOnDrop(task) }
    }
}

impl LayerUpload {
    /// Ends the upload of a layer that is complete now and is described by `descriptor`.
    pub async fn finish(mut self, descriptor: &Descriptor) -> Result<(), RegistryError> {
        let Upload { repository, progress, .. } = &self.upload;
        progress.total(descriptor.size);
        if repository.has_blob(&descriptor.digest).await? {
            self.task.0.abort();
            self.drop_session().await;
            progress.end(Ending::Existing);
            return Ok(());
        }
        let streamed = match (&mut self.task.0).await {
            Ok(Ok(Some(session))) => self.upload.commit(&session, descriptor).await,
            // It had not begun before the layer was complete: the other way is better then.
            Ok(Ok(None)) => Ok(false),
            Ok(Err(cause)) => Err(cause),
            Err(_) => Ok(false),
        };
        match streamed {
            Ok(true) => {}
            Ok(false) => self.send_file(descriptor).await?,
            Err(cause) => {
                tracing::debug!("the layer of plugin `{}` is sent again from its file: {cause}", self.plugin);
                self.drop_session().await;
                self.send_file(descriptor).await?;
            }
        }
        self.upload.progress.end(Ending::Complete);
        Ok(())
    }

    async fn send_file(&self, descriptor: &Descriptor) -> Result<(), RegistryError> {
        let _permit = self.permits.acquire().await;
        let Upload { repository, progress, .. } = &self.upload;
        let doing = format!("push the layer of plugin `{}` to `{}`", self.plugin, repository.name);
        repository
            .retrying(&doing, || async {
                progress.restart();
                let session = repository.begin_upload().await?;
                let put = repository.put_blob(&session, descriptor, || self.upload.body());
                progress.activity.watch(&repository.registry.host, put).await
            })
            .await
    }

    async fn drop_session(&self) {
        let session = self.upload.session.lock().ok().and_then(|mut session| session.take());
        if let Some(session) = session {
            self.upload.repository.drop_upload(&session).await;
        }
    }
}

/// What the task that streams and the one that waits share.
#[derive(Clone)]
struct Upload {
    repository: Repository,
    growing: Growing,
    progress: Arc<Progress>,
    /// The open session, to be dropped if it comes to nothing.
    session: Arc<std::sync::Mutex<Option<Url>>>,
}

impl Upload {
    /// Follows the growing file to its end; gives the session that waits for its digest. `None` if there is nothing to
    /// follow anymore.
    async fn stream(&self) -> Result<Option<Url>, Cause> {
        if self.growing.is_complete() {
            return Ok(None);
        }
        let session = self.repository.begin_upload().await?;
        if let Ok(mut open) = self.session.lock() {
            *open = Some(session.clone());
        }
        let prepare = |request: RequestBuilder| request.header(CONTENT_TYPE, OCTETS).body(self.body());
        let patch = self.repository.send(&Method::PATCH, &session, prepare);
        let response = self.progress.activity.watch(&self.repository.registry.host, patch).await?;
        upload_location(&response).map(Some)
    }

    async fn commit(&self, session: &Url, descriptor: &Descriptor) -> Result<bool, Cause> {
        let url = with_digest(session, &descriptor.digest);
        let prepare = |request: RequestBuilder| request.header(CONTENT_LENGTH, 0).timeout(STALL_TIMEOUT);
        self.repository.send(&Method::PUT, &url, prepare).await.map(|_| true)
    }

    /// The file from its first byte on, as far as it goes and as it grows.
    fn body(&self) -> Body {
        let (growing, progress) = (self.growing.clone(), Arc::clone(&self.progress));
        progress.restart();
        let start: Option<Follower> = None;
        Body::wrap_stream(stream::try_unfold(start, move |follower| {
            let (growing, progress) = (growing.clone(), Arc::clone(&progress));
            async move {
                let read = async {
                    let mut follower = match follower {
                        Some(follower) => follower,
                        None => growing.follow().await?,
                    };
                    let bytes = progress.activity.waiting_for(follower.next(UPLOAD_BUFFER)).await?;
                    Ok::<_, std::io::Error>((Bytes::from(bytes), follower))
                };
                match read.await {
                    Ok((bytes, _)) if bytes.is_empty() => Ok(None),
                    Ok((bytes, follower)) => {
                        progress.advance(bytes.len() as u64);
                        Ok(Some((bytes, Some(follower))))
                    }
                    Err(error) => Err(BodyFailure::new(Cause::Read(error))),
                }
            }
        }))
    }
}

/// How far an upload is, and whether it moves.
struct Progress {
    transfer: std::sync::Mutex<Option<Transfer>>,
    activity: Activity,
}

impl Progress {
    fn new(transfer: Transfer) -> Self {
        let transfer = std::sync::Mutex::new(Some(transfer));
        Self { transfer, activity: Activity::default() }
    }

    fn with(&self, tell: impl FnOnce(&mut Transfer)) {
        if let Ok(mut transfer) = self.transfer.lock()
            && let Some(transfer) = transfer.as_mut()
        {
            tell(transfer);
        }
    }

    fn total(&self, bytes: u64) {
        self.with(|transfer| transfer.total(bytes));
    }

    fn restart(&self) {
        self.with(Transfer::restart);
    }

    fn advance(&self, bytes: u64) {
        self.activity.moved();
        self.with(|transfer| transfer.advance(bytes));
    }

    fn end(&self, ending: Ending) {
        if let Some(transfer) = self.transfer.lock().ok().and_then(|mut transfer| transfer.take()) {
            transfer.end(ending);
        }
    }
}

/// A task that ends with its handle.
struct AbortOnDrop(JoinHandle<Result<Option<Url>, Cause>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
