//! Artifacts on disk, verified: the only door through which bytes from outside come in.
//!
//! [`Fetcher::fetch`] streams an artifact into a spool file of the workspace while its SHA-512 is computed. A
//! [`Fetched`] exists only for a file whose checksum held (or for which none was given), so whoever holds one may
//! read it. Transient failures start the download anew; a wrong checksum does not.

mod credentials;
mod download;
mod error;
mod spool;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::header::HeaderMap;
use tokio::sync::{OnceCell, Semaphore};

pub use self::credentials::{Identities, Identity, InvalidHeaders, InvalidNetrc};
pub use self::error::{DownloadError, FetchError, FileError};
use crate::digest::Sha512;
use crate::error::Diagnose;
use crate::http::{self, Proxies, Trust};
use crate::limits::Limits;
use crate::plan::{Artifact, ArtifactId, Source};
use crate::progress::{Direction, Ending, Event, Reporter, Transfer};
use crate::redact::SafeUrl;
use crate::retry::RetryPolicy;
use crate::workspace::workspace_name;

/// A verified artifact in the workspace.
#[derive(Debug)]
pub struct Fetched {
    path: PathBuf,
    size: u64,
    sha512: Sha512,
    content_type: Option<String>,
}

impl Fetched {
    /// A file that a test made.
    #[cfg(test)]
    pub(crate) fn for_test(path: &Path, content_type: Option<&str>) -> std::io::Result<Self> {
        let content = std::fs::read(path)?;
        let mut sum = crate::digest::Sha512Stream::default();
        sum.update(&content);
        let content_type = content_type.map(str::to_owned);
        Ok(Self { path: path.to_owned(), size: content.len() as u64, sha512: sum.finish(), content_type })
    }

    /// A copy of a file that was verified before, of a cache.
    pub(crate) fn copy_of(file: &Path, spool: &Path) -> std::io::Result<Self> {
        let size = std::fs::copy(file, spool)?;
        let sha512 = crate::digest::Sha512Stream::of_reader(&mut std::fs::File::open(spool)?)?;
        Ok(Self { path: spool.to_owned(), size, sha512, content_type: None })
    }

    /// The spool file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its checksum.
    #[must_use]
    pub fn sha512(&self) -> &Sha512 {
        &self.sha512
    }

    /// What the server said it was, for messages only.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }
}

/// How artifacts are fetched.
#[derive(Debug, Clone)]
pub struct FetchSettings {
    /// Proxies for http and https.
    pub proxies: Proxies,
    /// Whom to trust. An `insecure` artifact is fetched without.
    pub trust: Trust,
    /// Limits; the download's is enforced here.
    pub limits: Limits,
    /// Who to be, by host.
    pub identities: Arc<Identities>,
    /// Artifacts fetched at the same time.
    pub parallel: usize,
    /// When to try again.
    pub retry: RetryPolicy,
}

/// A file that is not an artifact by itself: one of many that a Maven artifact is made of.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Where it is.
    pub url: &'a SafeUrl,
    /// Who to be for its host.
    pub identity: &'a Identity,
    /// Accept any TLS certificate.
    pub insecure: bool,
    /// The user named this host.
    pub named: bool,
    /// Its name, for people.
    pub label: &'a str,
}

/// Fetches artifacts into one workspace.
pub struct Fetcher {
    settings: FetchSettings,
    spool: PathBuf,
    permits: Semaphore,
    reporter: Arc<dyn Reporter>,
    verifying: OnceCell<reqwest::Client>,
    trusting: OnceCell<reqwest::Client>,
}

impl Fetcher {
    /// A fetcher that spools into `spool`.
    pub fn new(settings: FetchSettings, spool: &Path, reporter: Arc<dyn Reporter>) -> Self {
        Self {
            permits: Semaphore::new(settings.parallel.max(1)),
            settings,
            spool: spool.to_owned(),
            reporter,
            verifying: OnceCell::new(),
            trusting: OnceCell::new(),
        }
    }

    /// Brings one artifact in; waits while [`FetchSettings::parallel`] others are on their way.
    pub async fn fetch(&self, artifact: &Artifact) -> Result<Fetched, FetchError> {
        let fail = |source| FetchError { id: artifact.id.clone(), from: artifact.source.to_string(), source };
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(fail(DownloadError::Cancelled));
        };
        let label = format!("{} #{}", artifact.id.plugin, artifact.id.number);
        let mut transfer = Transfer::start(&self.reporter, Direction::Download, label, None);
        let fetched = match &artifact.source {
            Source::File { directory, path } => {
                let file = download::local_file(directory, path).map_err(fail)?;
                self.spool_file(&artifact.id, &file, &mut transfer).await.map_err(fail)?
            }
            Source::Remote(url) => {
                let path = self.spool_path(&artifact.id);
                let nobody = Identity::default();
                let wanted =
                    Wanted { url, identity: &nobody, insecure: artifact.insecure, named: true, label: "" };
                let request = self.request(&wanted).await.map_err(fail)?;
                self.spool_remote(&request, &path, &mut transfer, &fail).await?.0
            }
        };
        self.verify(artifact, &fetched).map_err(fail)?;
        transfer.end(Ending::Complete);
        Ok(fetched)
    }

    /// Downloads a file of a Maven repository to `path`; waits and reports like [`Self::fetch`].
    pub async fn file(&self, wanted: &Wanted<'_>, path: &Path) -> Result<(Fetched, HeaderMap), FileError> {
        let fail = |source| FileError { from: wanted.url.to_string(), source };
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(fail(DownloadError::Cancelled));
        };
        let mut transfer = Transfer::start(&self.reporter, Direction::Download, wanted.label, None);
        let request = self.request(wanted).await.map_err(fail)?;
        let fetched = self.spool_remote(&request, path, &mut transfer, &fail).await?;
        transfer.end(Ending::Complete);
        Ok(fetched)
    }

    /// Reads a small file of at most `limit` bytes, without a word to the reporter.
    pub async fn read(&self, wanted: &Wanted<'_>, limit: usize) -> Result<(Vec<u8>, HeaderMap), FileError> {
        let fail = |source| FileError { from: wanted.url.to_string(), source };
        let request = self.request(wanted).await.map_err(fail)?;
        self.settings.retry.run(|| async { download::read(&request, limit).await.map_err(fail) }).await
    }

    /// The length in bytes that a server promises, if it does.
    pub async fn size(&self, wanted: &Wanted<'_>) -> Result<Option<u64>, FileError> {
        let fail = |source| FileError { from: wanted.url.to_string(), source };
        let request = self.request(wanted).await.map_err(fail)?;
        self.settings.retry.run(|| async { download::size(&request).await.map_err(fail) }).await
    }

    async fn request<'a>(&'a self, wanted: &Wanted<'a>) -> Result<download::Request<'a>, DownloadError> {
        let client = self.client(wanted.insecure).await?;
        let &Wanted { url, identity, named, .. } = wanted;
        let FetchSettings { identities, proxies, .. } = &self.settings;
        Ok(download::Request { client, url, identity, identities, proxies, named })
    }

    /// Tries until the file is in the spool.
    async fn spool_remote<E: Diagnose>(
        &self,
        request: &download::Request<'_>,
        path: &Path,
        transfer: &mut Transfer,
        fail: &impl Fn(DownloadError) -> E,
    ) -> Result<(Fetched, HeaderMap), E> {
        // The retry wants an operation it can start several times; one transfer tells of all of them.
        let transfer = tokio::sync::Mutex::new(transfer);
        (self.settings.retry)
            .run(|| async {
                let mut transfer = transfer.lock().await;
                download::download(request, path, self.settings.limits.download, &mut transfer)
                    .await
                    .map_err(fail)
            })
            .await
    }

    fn verify(&self, artifact: &Artifact, fetched: &Fetched) -> Result<(), DownloadError> {
        match &artifact.sha512 {
            Some(expected) if *expected != fetched.sha512 => Err(DownloadError::Checksum {
                expected: expected.clone(),
                actual: fetched.sha512.clone(),
                content_type: fetched.content_type.clone(),
                size: fetched.size,
            }),
            Some(_) => Ok(()),
            None => {
                let note = format!("{} has no `sha512sum`; what came has {}", artifact.id, fetched.sha512);
                self.reporter.report(&Event::Note(&note));
                Ok(())
            }
        }
    }

    async fn spool_file(
        &self,
        id: &ArtifactId,
        file: &Path,
        transfer: &mut Transfer,
    ) -> Result<Fetched, DownloadError> {
        let content = tokio::fs::File::open(file)
            .await
            .map_err(|source| DownloadError::ReadFile { file: file.to_owned(), source })?;
        download::copy_file(content, file, &self.spool_path(id), self.settings.limits.download, transfer)
            .await
    }

    /// The client for artifacts whose certificate must hold, or need not.
    async fn client(&self, insecure: bool) -> Result<&reqwest::Client, DownloadError> {
        let (cell, trust) = if insecure {
            (&self.trusting, Trust { verify: false, ..Trust::default() })
        } else {
            (&self.verifying, self.settings.trust.clone())
        };
        cell.get_or_try_init(|| async { http::steadfast_client(&self.settings.proxies, &trust) })
            .await
            .map_err(DownloadError::Client)
    }

    fn spool_path(&self, id: &ArtifactId) -> PathBuf {
        self.spool.join(workspace_name(&id.plugin, &format!("{}.artifact", id.number)))
    }
}

#[cfg(test)]
mod tests;
