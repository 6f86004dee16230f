//! Owner and mode of directories, found in an image's layers without unpacking them.
//!
//! A layer that names `/opt/kafka/plugins/x` must name its parents too, because runtimes give missing ones mode 0600
//! (containers/storage#1288, moby#44106). For a base whose parents are not root's with mode 0755, they are looked up.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::media_type::understand;
use crate::layer::ParentDirectory;
use crate::plan::Compression;

/// A search through the layers of an image, the topmost first.
#[derive(Debug)]
pub struct Scan {
    wanted: Vec<String>,
    found: Vec<ParentDirectory>,
    /// Wanted paths that a higher layer took away: what lies below does not count.
    gone: Vec<String>,
}

/// Why a scan has no answer.
#[derive(Debug)]
pub enum ScanError {
    /// The layer cannot be read.
    Unreadable(io::Error),
    /// A path is there, but is no directory: a layer that names it as one would replace it, and all that is behind it.
    NotADirectory(String),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl Scan {
    /// A search for these paths, without leading slash, outermost first.
    #[must_use]
    pub fn new(wanted: Vec<String>) -> Self {
        Self { wanted, found: Vec::new(), gone: Vec::new() }
    }

    /// Whether nothing is left to find.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.wanted.iter().all(|path| self.is_settled(path))
    }

    fn is_settled(&self, path: &str) -> bool {
        self.found.iter().any(|found| found.path == path) || self.gone.iter().any(|gone| gone == path)
    }

    /// Looks through one layer; what a higher layer said stays.
    pub fn layer(&mut self, media_type: &str, content: impl Read) -> Result<(), ScanError> {
        let (_, compression) = understand(media_type).ok_or(io::Error::from(io::ErrorKind::Unsupported))?;
        match compression {
            Compression::Gzip => self.tar(MultiGzDecoder::new(content)),
            Compression::Zstd => self.tar(zstd::Decoder::new(content)?),
            Compression::None => self.tar(content),
        }
    }

    fn tar(&mut self, content: impl Read) -> Result<(), ScanError> {
        let mut here: Vec<ParentDirectory> = Vec::new();
        let mut gone: Vec<String> = Vec::new();
        for entry in Archive::new(content).entries()? {
            let entry = entry?;
            let name = entry.path_bytes();
            let name = String::from_utf8_lossy(&name);
            let path = name.trim_start_matches("./").trim_matches('/').to_owned();
            gone.extend(self.taken_away(&path));
            if !self.wanted.contains(&path) || self.is_settled(&path) {
                continue;
            }
            let header = entry.header();
            if header.entry_type() != EntryType::Directory {
                return Err(ScanError::NotADirectory(path));
            }
            let (mode, uid, gid) = (header.mode()? & 0o7777, header.uid()?, header.gid()?);
            here.retain(|earlier| earlier.path != path);
            here.push(ParentDirectory { path, mode, uid, gid });
        }
        self.found.extend(here);
        gone.retain(|path| !self.is_settled(path));
        self.gone.extend(gone);
        Ok(())
    }

    /// The wanted paths that a whiteout hides in the layers below: `a/.wh.b` hides `a/b` and what is in it, `a/.wh..wh..opq`
    /// what is in `a` (OCI image-spec, layer, "Whiteouts").
    fn taken_away(&self, path: &str) -> Vec<String> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Some(hidden) = name.strip_prefix(".wh.") else { return Vec::new() };
        let join = |name: &str| if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
        let (itself, inside) = match hidden {
            ".wh..opq" => (None, if parent.is_empty() { String::new() } else { format!("{parent}/") }),
            hidden => (Some(join(hidden)), format!("{}/", join(hidden))),
        };
        let hides = |path: &&String| Some(*path) == itself.as_ref() || path.starts_with(&inside);
        self.wanted.iter().filter(hides).cloned().collect()
    }

    /// What was found; for the rest, what is usual.
    #[must_use]
    pub fn finish(self) -> Vec<ParentDirectory> {
        let find = |path: &String| self.found.iter().find(|found| found.path == *path).cloned();
        self.wanted.iter().map(|path| find(path).unwrap_or_else(|| ParentDirectory::usual(path))).collect()
    }
}
