//! Files of repositories: asked for once, verified, remembered.
//!
//! A small file (POM, metadata) is held in memory; its answer is kept for the life of a [`Library`], so that whoever asks again
//! shares it, also while it is still on its way. The best checksum that a repository has is compared: one in the answer's
//! headers first, which costs nothing, then the files `.sha512`, `.sha256`, `.sha1` and `.md5` beside it. What a repository is
//! known to keep is asked for along with the file ([`super::habits`]). A file that is not what its sum says is fetched once
//! more, then the repository has failed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use reqwest::header::HeaderMap;
use tokio::sync::{OnceCell, Semaphore};

use super::cache::Cache;
use super::checksum::{self, Algorithm};
use super::coordinate::{self, Coordinate, File, is_lawful_version, is_snapshot};
use super::error::{Answer, Attempt, RequestError};
use super::habits::Habits;
use super::metadata::Metadata;
use super::repository::{Closed, Remote, Remotes};
use super::xml;
use crate::fetch::{Fetched, Fetcher, Wanted};
use crate::redact::SafeUrl;
use crate::workspace::{WorkspaceError, workspace_name};

/// Requests for small files at the same time.
const PARALLEL: usize = 16;

/// Bytes of a file that is not held in memory for who asks again.
const LARGE: usize = 512 << 10;

/// Bytes of files that are held in memory, together.
const MAX_HELD: usize = 64 << 20;

/// Largest checksum file that is read.
const MAX_CHECKSUM: usize = 64 << 10;

/// One repository's answer for one path.
type Cell = Arc<OnceCell<Result<Option<Bytes>, Arc<RequestError>>>>;

/// What repositories have.
pub(super) struct Library {
    fetcher: Arc<Fetcher>,
    workspace: PathBuf,
    cache: Option<Cache>,
    permits: Semaphore,
    texts: Mutex<HashMap<(Arc<Remote>, String), Cell>>,
    /// Bytes of them, counted each time that one is given out.
    held: AtomicUsize,
    habits: Habits,
}

/// A resolved file's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub remote: Arc<Remote>,
    /// Where exactly.
    pub url: SafeUrl,
}

/// A file on disk, verified.
#[derive(Debug)]
pub struct Downloaded {
    /// Which it is; `LATEST` and `RELEASE` have become a version.
    pub file: File,
    /// The file.
    pub fetched: Fetched,
    /// Its SHA-1, as Maven's world names files by.
    pub sha1: String,
    /// The sum that held, if the repository had one.
    pub verified: Option<Algorithm>,
    /// Where it came from.
    pub place: Place,
}

impl Downloaded {
    /// The repository that it came from, for people.
    pub fn repository(&self) -> String {
        self.place.remote.shown.clone()
    }

    /// Its URL.
    pub fn url(&self) -> SafeUrl {
        self.place.url.clone()
    }
}

impl Library {
    /// A library that has read nothing yet.
    pub(super) fn new(fetcher: Arc<Fetcher>, workspace: &Path, cache: Option<Cache>) -> Self {
        Self {
            fetcher,
            workspace: workspace.to_owned(),
            cache,
            permits: Semaphore::new(PARALLEL),
            texts: Mutex::default(),
            held: AtomicUsize::new(0),
            habits: Habits::default(),
        }
    }

    /// The first repository that has this project's POM, and what is in it.
    pub(super) async fn pom(
        &self,
        coordinate: &Coordinate,
        remotes: &Remotes,
    ) -> Result<Bytes, Vec<Attempt>> {
        let file = File::pom(coordinate);
        let (resolved, remotes) = self.locate(&file, remotes).await;
        let keep = !is_snapshot(&coordinate.version);
        self.first(&remotes, &coordinate.version, &file.path(&resolved), keep).await
    }

    /// What every repository publishes about a project, or about a snapshot of it.
    pub(super) async fn metadata(
        &self,
        group: &str,
        artifact: &str,
        version: Option<&str>,
        remotes: &Remotes,
    ) -> (Vec<(Arc<Remote>, Metadata)>, Vec<Attempt>) {
        let path = format!("{}/maven-metadata.xml", coordinate::directory(group, artifact, version));
        let (mut found, mut attempts) = (Vec::new(), Vec::new());
        for remote in remotes.iter() {
            // Only who has snapshots knows of them.
            if version.is_some() && !remote.snapshots {
                continue;
            }
            let answer = match self.text(remote, &path, false).await {
                Ok(Some(content)) => match xml::decode(&content).map(|text| Metadata::parse(&text)) {
                    Ok(Ok(metadata)) => {
                        found.push((Arc::clone(remote), metadata));
                        continue;
                    }
                    // As in Maven, metadata that cannot be read is none.
                    Ok(Err(_)) | Err(_) => Answer::Missing,
                },
                Ok(None) => Answer::Missing,
                Err(answer) => answer,
            };
            attempts.push(Attempt { repository: remote.to_string(), answer });
        }
        (found, attempts)
    }

    /// The version that a snapshot's file has in a repository, and who is to be asked for it
    /// (`DefaultVersionResolver`). For releases there is nothing to find out.
    pub(super) async fn locate(&self, file: &File, remotes: &Remotes) -> (String, Remotes) {
        if !file.version.ends_with("SNAPSHOT") {
            return (file.version.to_string(), Arc::clone(remotes));
        }
        let key = &file.key;
        let (found, _) = self.metadata(&key.group, &key.artifact, Some(&file.version), remotes).await;
        match super::metadata::snapshot(&found, key, &file.version) {
            Some((version, remote)) => (version, Arc::from([remote])),
            None => (file.version.to_string(), Arc::clone(remotes)),
        }
    }

    /// The project of a file, `LATEST` and `RELEASE` replaced by the version that they mean today (and a snapshot left as it is).
    pub(super) async fn release(&self, file: &File, remotes: &Remotes) -> Result<Coordinate, Vec<Attempt>> {
        let mut coordinate = file.coordinate();
        if matches!(&*file.version, "LATEST" | "RELEASE") {
            let (found, attempts) = self.metadata(&file.key.group, &file.key.artifact, None, remotes).await;
            coordinate.version = super::metadata::named(&found, &file.version).ok_or(attempts)?;
        }
        Ok(coordinate)
    }

    /// Asks one repository after the other.
    async fn first(
        &self,
        remotes: &Remotes,
        version: &str,
        path: &str,
        keep: bool,
    ) -> Result<Bytes, Vec<Attempt>> {
        let mut attempts = Vec::new();
        for remote in remotes.iter() {
            let answer = match Self::at(remote, version) {
                Some(answer) => answer,
                None => match self.text(remote, path, keep).await {
                    Ok(Some(content)) => return Ok(content),
                    Ok(None) => Answer::Missing,
                    Err(answer) => answer,
                },
            };
            attempts.push(Attempt { repository: remote.to_string(), answer });
        }
        Err(attempts)
    }

    /// Why a repository is not asked for a file of this version.
    fn at(remote: &Remote, version: &str) -> Option<Answer> {
        let kind = if is_snapshot(version) { "snapshots" } else { "releases" };
        (!remote.serves(version)).then_some(Answer::WrongKind(kind))
    }

    /// One small file of one repository; `None` where it has no such file.
    async fn text(&self, remote: &Arc<Remote>, path: &str, keep: bool) -> Result<Option<Bytes>, Answer> {
        let url = remote.url.clone().and_then(|base| join(&base, path)).map_err(Answer::Closed)?;
        let cell = {
            let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(texts.entry((Arc::clone(remote), path.to_owned())).or_default())
        };
        let answer = cell.get_or_init(|| async {
            if keep && let Some(content) = self.cache.as_ref().and_then(|cache| cache.read(&url)) {
                return Ok(Some(content.into()));
            }
            let Ok(_permit) = self.permits.acquire().await else { return Ok(None) };
            let Some((content, verified)) = self.read_verified(remote, &url).await.map_err(Arc::new)? else {
                return Ok(None);
            };
            if keep
                && !remote.insecure
                && let (Some(cache), Some(verified)) = (&self.cache, verified)
            {
                cache.write(&url, &content, verified);
            }
            Ok(Some(content))
        });
        let answer = answer.await.clone().map_err(Answer::Failed);
        if let Ok(Some(content)) = &answer {
            self.forget_large(remote, path, content.len());
        }
        answer
    }

    /// What is large is not held: who asks again asks the repository again.
    fn forget_large(&self, remote: &Arc<Remote>, path: &str, size: usize) {
        if size > LARGE || self.held.fetch_add(size, Ordering::Relaxed) > MAX_HELD {
            let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
            texts.remove(&(Arc::clone(remote), path.to_owned()));
        }
    }

    async fn read_verified(
        &self,
        remote: &Remote,
        url: &SafeUrl,
    ) -> Result<Option<(Bytes, Option<Algorithm>)>, RequestError> {
        let mut mismatch = None;
        for _ in 0..2 {
            let (read, early) =
                tokio::join!(self.read(remote, url, xml::MAX_BYTES), self.usual_sum(remote, url));
            let read = read?;
            self.habits.file(remote, read.is_some());
            let Some((content, headers)) = read else { return Ok(None) };
            let Some(sum) = self.sum(remote, url, &headers, early?).await? else {
                tracing::debug!("{url} has no checksum");
                return Ok(Some((content.into(), None)));
            };
            let actual = sum.algorithm.of(&content);
            if actual == sum.expected {
                return Ok(Some((content.into(), Some(sum.algorithm))));
            }
            mismatch = Some(sum.mismatch(actual));
        }
        mismatch.map_or(Ok(None), Err)
    }

    /// The sum that this repository is known to keep, asked for along with the file itself.
    async fn usual_sum(&self, remote: &Remote, url: &SafeUrl) -> Result<Option<Sum>, RequestError> {
        match self.habits.usual(remote) {
            Some(algorithm) => self.sum_beside(remote, url, algorithm).await,
            None => Ok(None),
        }
    }

    /// A checksum of a file, where `early` is what is known of it already: of a header, or else the best one beside it. What a
    /// repository never had is asked for last, so that a file is without a sum only if there is none of any kind.
    async fn sum(
        &self,
        remote: &Remote,
        url: &SafeUrl,
        headers: &HeaderMap,
        early: Option<Sum>,
    ) -> Result<Option<Sum>, RequestError> {
        let of_headers = checksum::of_headers(headers).map(|(algorithm, expected)| Sum {
            algorithm,
            expected,
            source: "the answer's header".to_owned(),
        });
        if let Some(sum) = of_headers.or(early) {
            return Ok(Some(sum));
        }
        for algorithm in self.habits.in_order(remote) {
            if let Some(sum) = self.sum_beside(remote, url, algorithm).await? {
                return Ok(Some(sum));
            }
        }
        Ok(None)
    }

    /// One of the checksum files; nothing where the server denies it in whatever words. A server that fails may have it.
    async fn sum_beside(
        &self,
        remote: &Remote,
        url: &SafeUrl,
        algorithm: Algorithm,
    ) -> Result<Option<Sum>, RequestError> {
        let beside = with_extension(url, algorithm.extension());
        let text = match self.read(remote, &beside, MAX_CHECKSUM).await {
            Ok(read) => read,
            Err(error) if error.is_denial() => None,
            Err(error) => return Err(error),
        };
        let expected = text.and_then(|(text, _)| algorithm.read(&String::from_utf8_lossy(&text)));
        self.habits.sum(remote, algorithm, expected.is_some());
        let source = format!("its file `.{}`", algorithm.extension());
        Ok(expected.map(|expected| Sum { algorithm, expected, source }))
    }

    async fn read(
        &self,
        remote: &Remote,
        url: &SafeUrl,
        limit: usize,
    ) -> Result<Option<(Vec<u8>, HeaderMap)>, RequestError> {
        match Box::pin(self.fetcher.read(&wanted(remote, url, ""), limit)).await {
            Ok(read) => Ok(Some(read)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The length of a file, where the first repository that has it tells.
    pub(super) async fn size(&self, file: &File, remotes: &Remotes) -> Option<u64> {
        let (resolved, remotes) = self.locate(file, remotes).await;
        let path = file.path(&resolved);
        for remote in remotes.iter().filter(|remote| remote.serves(&file.version)) {
            let Ok(url) = remote.url.clone().and_then(|base| join(&base, &path)) else { continue };
            if let Some(size) = self.cache.as_ref().and_then(|cache| cache.size(&url)) {
                return Some(size);
            }
            let _permit = self.permits.acquire().await.ok()?;
            if let Ok(size) = Box::pin(self.fetcher.size(&wanted(remote, &url, ""))).await {
                return size;
            }
        }
        None
    }

    /// Downloads a file into the workspace, from the first repository that has it.
    pub(super) async fn download(&self, file: &File, remotes: &Remotes) -> Result<Downloaded, Vec<Attempt>> {
        let Coordinate { version, .. } = self.release(file, remotes).await?;
        let file = &File { version, ..file.clone() };
        let (resolved, remotes) = self.locate(file, remotes).await;
        let path = file.path(&resolved);
        let keep = !is_snapshot(&file.version);
        let mut attempts = Vec::new();
        for remote in remotes.iter() {
            let url = remote.url.clone().and_then(|base| join(&base, &path));
            let answer = match (Self::at(remote, &file.version), url) {
                (Some(answer), _) => answer,
                (None, Err(closed)) => Answer::Closed(closed),
                (None, Ok(url)) => match self.download_verified(file, remote, &url, keep).await {
                    Ok(Some((fetched, sha1, verified))) => {
                        let place = Place { remote: Arc::clone(remote), url };
                        return Ok(Downloaded { file: file.clone(), fetched, sha1, verified, place });
                    }
                    Ok(None) => Answer::Missing,
                    Err(error) => Answer::Failed(Arc::new(error)),
                },
            };
            attempts.push(Attempt { repository: remote.to_string(), answer });
        }
        Err(attempts)
    }

    async fn download_verified(
        &self,
        file: &File,
        remote: &Remote,
        url: &SafeUrl,
        keep: bool,
    ) -> Result<Option<(Fetched, String, Option<Algorithm>)>, RequestError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name =
            workspace_name(&file.key.artifact, &format!("{}.maven", NEXT.fetch_add(1, Ordering::Relaxed)));
        let spool = self.workspace.join(name);
        if keep
            && let Some(cache) = &self.cache
            && let Some((fetched, verified)) = cache.copy(url, &spool).await
        {
            let sha1 = sum_of(&spool, Algorithm::Sha1).await?;
            return Ok(Some((fetched, sha1, Some(verified))));
        }
        let label = file.name();
        let mut mismatch = None;
        for _ in 0..2 {
            let wanted = wanted(remote, url, &label);
            let (fetched, early) =
                tokio::join!(Box::pin(self.fetcher.file(&wanted, &spool)), self.usual_sum(remote, url));
            let (fetched, headers) = match fetched {
                Ok(downloaded) => downloaded,
                Err(error) if error.is_missing() => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let sha1 = sum_of(&spool, Algorithm::Sha1).await?;
            let sum = self.sum(remote, url, &headers, early?).await?;
            if let Some(sum) = &sum {
                let actual = match sum.algorithm {
                    Algorithm::Sha512 => fetched.sha512().to_string(),
                    Algorithm::Sha1 => sha1.clone(),
                    other => sum_of(&spool, other).await?,
                };
                if actual != sum.expected {
                    mismatch = Some(sum.mismatch(actual));
                    continue;
                }
            } else {
                tracing::debug!("{url} has no checksum");
            }
            let verified = sum.map(|sum| sum.algorithm);
            if keep
                && !remote.insecure
                && let (Some(cache), Some(verified)) = (&self.cache, verified)
            {
                cache.keep(url, &spool, verified).await;
            }
            return Ok(Some((fetched, sha1, verified)));
        }
        mismatch.map_or(Ok(None), Err)
    }
}

/// What a file should be, and who says so.
struct Sum {
    algorithm: Algorithm,
    expected: String,
    source: String,
}

impl Sum {
    fn mismatch(&self, actual: String) -> RequestError {
        RequestError::Checksum {
            algorithm: self.algorithm,
            expected: self.expected.clone(),
            actual,
            source_of: self.source.clone(),
        }
    }
}

async fn sum_of(path: &Path, algorithm: Algorithm) -> Result<String, RequestError> {
    let file = path.to_owned();
    let sum = tokio::task::spawn_blocking(move || algorithm.of_file(&file)).await;
    let directory = path.parent().unwrap_or(path);
    match sum {
        Ok(sum) => sum.map_err(|source| WorkspaceError::new(directory, source).into()),
        Err(_) => {
            Err(RequestError::File { file: path.to_owned(), source: std::io::ErrorKind::Interrupted.into() })
        }
    }
}

fn wanted<'a>(remote: &'a Remote, url: &'a SafeUrl, label: &'a str) -> Wanted<'a> {
    Wanted { url, identity: &remote.identity, insecure: remote.insecure, named: remote.named, label }
}

/// A path below a repository's URL, whose query (some carry a token there) stays. What a POM puts into versions, classifiers
/// and types must not lead anywhere else.
fn join(base: &SafeUrl, path: &str) -> Result<SafeUrl, Closed> {
    if !path.split('/').all(is_lawful_version) {
        return Err(Closed::Path);
    }
    let mut url = base.expose().clone();
    url.set_path(&format!("{}{path}", url.path()));
    Ok(SafeUrl::new(url))
}

fn with_extension(url: &SafeUrl, extension: &str) -> SafeUrl {
    let mut url = url.expose().clone();
    url.set_path(&format!("{}.{extension}", url.path()));
    SafeUrl::new(url)
}
