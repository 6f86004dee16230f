//! A directory of released files that outlives a build (`--cache-dir`).
//!
//! Contents lie in `sha256/<digest>`; `maven/<digest of the URL>` says which one a URL had. Releases never change, so they may be
//! taken from here without a word to their repository; snapshots and metadata do, and never get in. What is read is hashed
//! again: a damaged entry counts as none. Every file appears in one step, so several builds may share the directory.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

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
        let (path, digest) = self.entry(url)?;
        let content = std::fs::read(path).ok()?;
        (Digest::of(&content).hex() == digest).then_some(content)
    }

    /// The length of the content that `url` had.
    pub fn size(&self, url: &SafeUrl) -> Option<u64> {
        Some(std::fs::metadata(self.entry(url)?.0).ok()?.len())
    }

    /// Copies the content that `url` had to `target`.
    pub async fn copy(&self, url: &SafeUrl, target: &Path) -> Option<Fetched> {
        let (path, digest) = self.entry(url)?;
        let target = target.to_owned();
        let copied = tokio::task::spawn_blocking(move || {
            let fetched = Fetched::copy_of(&path, &target)?;
            let sum = super::checksum::Algorithm::Sha256.of_file(&target)?;
            Ok::<_, io::Error>((sum == digest).then_some(fetched))
        });
        copied.await.ok()?.ok()?
    }

    /// Keeps a small content. A cache that cannot be written is a slower one, and no failure.
    pub fn write(&self, url: &SafeUrl, content: &[u8]) {
        if let Err(error) = self.store(url, &Digest::of(content).hex(), &mut &*content) {
            tracing::warn!("the cache `{}` cannot be written: {error}", self.directory.display());
        }
    }

    /// Keeps a file.
    pub async fn keep(&self, url: &SafeUrl, file: &Path) {
        let (cache, url, file) = (self.clone(), url.clone(), file.to_owned());
        let kept = tokio::task::spawn_blocking(move || {
            let digest = super::checksum::Algorithm::Sha256.of_file(&file)?;
            cache.store(&url, &digest, &mut std::fs::File::open(&file)?)
        });
        if let Ok(Err(error)) = kept.await {
            tracing::warn!("the cache `{}` cannot be written: {error}", self.directory.display());
        }
    }

    fn store(&self, url: &SafeUrl, digest: &str, content: &mut dyn io::Read) -> io::Result<()> {
        let path = self.directory.join("sha256").join(digest);
        if !path.is_file() {
            let mut file = tempfile::NamedTempFile::new_in(self.directory.join("sha256"))?;
            io::copy(content, &mut file)?;
            file.persist(path)?;
        }
        let mut entry = tempfile::NamedTempFile::new_in(self.directory.join("maven"))?;
        entry.write_all(digest.as_bytes())?;
        entry.persist(self.index(url))?;
        Ok(())
    }

    fn entry(&self, url: &SafeUrl) -> Option<(PathBuf, String)> {
        let digest = std::fs::read_to_string(self.index(url)).ok()?;
        let lawful = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        lawful.then(|| (self.directory.join("sha256").join(&digest), digest))
    }

    /// User and password do not change what is behind a URL.
    fn index(&self, url: &SafeUrl) -> PathBuf {
        let mut url = url.expose().clone();
        let _ = url.set_username("");
        let _ = url.set_password(None);
        self.directory.join("maven").join(Digest::of(url.as_str().as_bytes()).hex())
    }
}
