//! A directory of released files that outlives a build (`--cache-dir`).
//!
//! Contents lie in `sha256/<digest>`; `maven/<digest of the URL>` says which one a URL had, and which checksum it was held
//! against. Releases never change, so they may be taken from here without a word to their repository. Snapshots and metadata
//! do, and never get in; neither does what no checksum vouched for, or what came from a server that could be anybody. What is
//! read is hashed again: a damaged entry counts as none. Every file appears in one step, so several builds may share the
//! directory.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::checksum::Algorithm;
use crate::digest::Digest;
use crate::fetch::Fetched;
use crate::redact::SafeUrl;

/// See the module.
#[derive(Debug, Clone)]
pub struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// A cache in `directory`, which is made if it is not there.
    pub fn open(directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory.join("sha256"))?;
        std::fs::create_dir_all(directory.join("maven"))?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// The content that `url` had.
    pub fn read(&self, url: &SafeUrl) -> Option<Vec<u8>> {
        let (path, digest, _) = self.entry(url)?;
        let content = std::fs::read(path).ok()?;
        (Digest::of(&content).hex() == digest).then_some(content)
    }

    /// The length of the content that `url` had.
    pub fn size(&self, url: &SafeUrl) -> Option<u64> {
        Some(std::fs::metadata(self.entry(url)?.0).ok()?.len())
    }

    /// Copies the content that `url` had to `target`, and says which sum once held.
    pub async fn copy(&self, url: &SafeUrl, target: &Path) -> Option<(Fetched, Algorithm)> {
        let (path, digest, verified) = self.entry(url)?;
        let target = target.to_owned();
        let copied = tokio::task::spawn_blocking(move || {
            let fetched = Fetched::copy_of(&path, &target)?;
            let sum = Algorithm::Sha256.of_file(&target)?;
            Ok::<_, io::Error>((sum == digest).then_some(fetched))
        });
        Some((copied.await.ok()?.ok()??, verified))
    }

    /// Keeps a small content. A cache that cannot be written is a slower one, and no failure.
    pub fn write(&self, url: &SafeUrl, content: &[u8], verified: Algorithm) {
        if let Err(error) = self.store(url, &Digest::of(content).hex(), verified, &mut &*content) {
            tracing::warn!("the cache `{}` cannot be written: {error}", self.directory.display());
        }
    }

    /// Keeps a file.
    pub async fn keep(&self, url: &SafeUrl, file: &Path, verified: Algorithm) {
        let (cache, url, file) = (self.clone(), url.clone(), file.to_owned());
        let kept = tokio::task::spawn_blocking(move || {
            let digest = Algorithm::Sha256.of_file(&file)?;
            cache.store(&url, &digest, verified, &mut std::fs::File::open(&file)?)
        });
        if let Ok(Err(error)) = kept.await {
            tracing::warn!("the cache `{}` cannot be written: {error}", self.directory.display());
        }
    }

    fn store(
        &self,
        url: &SafeUrl,
        digest: &str,
        verified: Algorithm,
        content: &mut dyn io::Read,
    ) -> io::Result<()> {
        let path = self.directory.join("sha256").join(digest);
        if !path.is_file() {
            let mut file = tempfile::NamedTempFile::new_in(self.directory.join("sha256"))?;
            io::copy(content, &mut file)?;
            file.persist(path)?;
        }
        let mut entry = tempfile::NamedTempFile::new_in(self.directory.join("maven"))?;
        write!(entry, "{digest} {}", verified.extension())?;
        entry.persist(self.index(url))?;
        Ok(())
    }

    fn entry(&self, url: &SafeUrl) -> Option<(PathBuf, String, Algorithm)> {
        let text = std::fs::read_to_string(self.index(url)).ok()?;
        let (digest, sum) = text.split_once(' ')?;
        let verified = Algorithm::ALL.into_iter().find(|algorithm| algorithm.extension() == sum)?;
        let lawful = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        lawful.then(|| (self.directory.join("sha256").join(digest), digest.to_owned(), verified))
    }

    /// User and password do not change what is behind a URL.
    fn index(&self, url: &SafeUrl) -> PathBuf {
        let mut url = url.expose().clone();
        let _ = url.set_username("");
        let _ = url.set_password(None);
        self.directory.join("maven").join(Digest::of(url.as_str().as_bytes()).hex())
    }
}
