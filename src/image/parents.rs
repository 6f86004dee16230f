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
}

impl Scan {
    /// A search for these paths, without leading slash, outermost first.
    #[must_use]
    pub fn new(wanted: Vec<String>) -> Self {
        Self { wanted, found: Vec::new() }
    }

    /// Whether nothing is left to find.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.found.len() == self.wanted.len()
    }

    /// Looks through one layer; what a higher layer said stays.
    pub fn layer(&mut self, media_type: &str, content: impl Read) -> io::Result<()> {
        let (_, compression) = understand(media_type).ok_or(io::ErrorKind::Unsupported)?;
        match compression {
            Compression::Gzip => self.tar(MultiGzDecoder::new(content)),
            Compression::Zstd => self.tar(zstd::Decoder::new(content)?),
            Compression::None => self.tar(content),
        }
    }

    fn tar(&mut self, content: impl Read) -> io::Result<()> {
        let mut here: Vec<ParentDirectory> = Vec::new();
        for entry in Archive::new(content).entries()? {
            let entry = entry?;
            let name = entry.path_bytes();
            let name = String::from_utf8_lossy(&name);
            let path = name.trim_start_matches("./").trim_matches('/').to_owned();
            let header = entry.header();
            if header.entry_type() == EntryType::Directory && self.wanted.contains(&path) {
                let (mode, uid, gid) = (header.mode()? & 0o7777, header.uid()?, header.gid()?);
                here.retain(|earlier| earlier.path != path);
                here.push(ParentDirectory { path, mode, uid, gid });
            }
        }
        here.retain(|directory| self.found.iter().all(|found| found.path != directory.path));
        self.found.extend(here);
        Ok(())
    }

    /// What was found; for the rest, what is usual.
    #[must_use]
    pub fn finish(self) -> Vec<ParentDirectory> {
        let find = |path: &String| self.found.iter().find(|found| found.path == *path).cloned();
        self.wanted.iter().map(|path| find(path).unwrap_or_else(|| ParentDirectory::usual(path))).collect()
    }
}
