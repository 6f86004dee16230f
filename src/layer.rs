//! A plugin's entries as one layer: tar, compressed, with both digests, in a single pass.
//!
//! A [`LayerWriter`] is the [`Sink`] that entries go into. The tar is written on the caller's thread; hashing,
//! compressing and writing the file happen on a second one. Bytes depend on nothing but the entries and
//! [`LayerChoices`]: the order is the order of the calls, owner 0:0, modes 0644 and 0755, one modification time.
//! While the layer grows it can be read and sent already ([`Growing`]).

mod encoder;
mod growing;
mod gzip;
mod tar_writer;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use self::encoder::Encoder;
pub use self::growing::{Follower, Growing};
use self::tar_writer::TarWriter;
use crate::digest::Digest;
use crate::path::{EntryPath, PathKey};
use crate::plan::{Compression, LayerChoices};
use crate::unpack::Sink;

/// Mode of every directory that is ours.
const DIRECTORY_MODE: u32 = 0o755;

/// Owner and mode of a directory that the base image has and the layer names again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentDirectory {
    /// Without leading slash.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
}

impl ParentDirectory {
    /// A directory as Strimzi's base images have it: root's, mode 0755.
    #[must_use]
    pub fn usual(path: &str) -> Self {
        Self { path: path.to_owned(), mode: DIRECTORY_MODE, uid: 0, gid: 0 }
    }
}

/// A complete layer on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltLayer {
    /// Where it is.
    pub path: PathBuf,
    /// Digest of the file: the blob's digest.
    pub digest: Digest,
    /// Bytes of the file.
    pub size: u64,
    /// Digest of the uncompressed tar (OCI image-spec, "`DiffID`").
    pub diff_id: Digest,
    /// Bytes of the uncompressed tar.
    pub unpacked: u64,
    /// Regular files in it.
    pub files: u64,
    /// How it is compressed.
    pub compression: Compression,
    /// From the first entry to the last byte.
    pub took: Duration,
}

/// Writes one layer.
pub struct LayerWriter {
    tar: TarWriter<Encoder>,
    path: PathBuf,
    compression: Compression,
    /// Directories that have an entry.
    directories: HashSet<PathKey>,
    parents: Vec<ParentDirectory>,
    files: u64,
    started: Instant,
}

impl LayerWriter {
    /// A layer that is written to `file` at `path`; `parents` are directories of the base image, and get the owner and
    /// mode given here.
    pub fn new(
        file: File,
        path: &Path,
        choices: LayerChoices,
        parents: Vec<ParentDirectory>,
    ) -> io::Result<(Self, Growing)> {
        let (growth, growing) = growing::pair(path);
        let encoder = Encoder::start(file, growth, choices.compression)?;
        let writer = Self {
            tar: TarWriter::new(encoder, choices.mtime),
            path: path.to_owned(),
            compression: choices.compression,
            directories: HashSet::new(),
            parents,
            files: 0,
            started: Instant::now(),
        };
        Ok((writer, growing))
    }

    /// Ends the tar and waits for the digests.
    pub fn finish(self) -> io::Result<BuiltLayer> {
        let encoded = self.tar.finish()?.finish()?;
        Ok(BuiltLayer {
            path: self.path,
            digest: encoded.digest,
            size: encoded.size,
            diff_id: encoded.diff_id,
            unpacked: encoded.unpacked,
            files: self.files,
            compression: self.compression,
            took: self.started.elapsed(),
        })
    }

    fn ancestors(&mut self, path: &EntryPath) -> io::Result<()> {
        for ancestor in path.ancestors() {
            self.one_directory(ancestor.as_str())?;
        }
        Ok(())
    }

    fn one_directory(&mut self, path: &str) -> io::Result<()> {
        if !self.directories.insert(PathKey::of(path)) {
            return Ok(());
        }
        match self.parents.iter().find(|parent| parent.path == path) {
            Some(parent) => self.tar.directory(path, parent.mode, parent.uid, parent.gid),
            None => self.tar.directory(path, DIRECTORY_MODE, 0, 0),
        }
    }
}

impl Sink for LayerWriter {
    fn directory(&mut self, path: &EntryPath) -> io::Result<()> {
        self.ancestors(path)?;
        self.one_directory(path.as_str())
    }

    fn file(
        &mut self,
        path: &EntryPath,
        executable: bool,
        size: u64,
        content: &mut dyn Read,
    ) -> io::Result<()> {
        self.ancestors(path)?;
        self.files += 1;
        self.tar.file(path.as_str(), if executable { 0o755 } else { 0o644 }, size, content)
    }
}

/// Compresses what is written; ended explicitly, for the last bytes may fail.
trait Compressor: Write {
    /// Writes the end of the stream and gives the inner writer back.
    fn end(self: Box<Self>) -> io::Result<()>;
}

#[cfg(test)]
mod tests;
