//! A verified artifact as lawful entries: the only reader of archives.
//!
//! [`unpack`] reads a [`Fetched`] and hands each entry to a [`Sink`], in the archive's order. What may come out is the
//! law: regular files and directories with lawful paths, within the limits, never two on one path; everything else is
//! a [`Refusal`]. No switch turns it off; `--links skip` leaves links out instead of refusing the archive. Nothing
//! an archive says becomes a path on our disk.

mod meter;
mod refusal;
mod services;
mod single;
mod sniff;
mod tar;
mod tgz;
mod tree;
mod zip;

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};

use self::meter::Meter;
pub use self::refusal::{Refusal, UnpackError};
use self::services::Services;
use self::tree::Added;
pub use self::tree::Tree;
use crate::fetch::Fetched;
use crate::limits::{Budget, Limits};
use crate::path::EntryPath;
use crate::plan::{Artifact, Format, Links};

/// Takes the entries of an artifact; paths are relative to the image's root.
pub trait Sink {
    /// A directory.
    fn directory(&mut self, path: &EntryPath) -> io::Result<()>;

    /// A regular file of `size` bytes, which `content` gives exactly or fails.
    fn file(
        &mut self,
        path: &EntryPath,
        executable: bool,
        size: u64,
        content: &mut dyn Read,
    ) -> io::Result<()>;
}

/// What holds for every artifact of a build.
#[derive(Debug)]
pub struct Rules {
    /// The limits.
    pub limits: Limits,
    /// What is left for the whole build.
    pub budget: Budget,
    /// Set when the build is called off; reading stops at the next buffer.
    pub cancelled: AtomicBool,
}

impl Rules {
    /// Rules with a full budget.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, budget: Budget::new(limits.unpacked_build), cancelled: AtomicBool::new(false) }
    }
}

/// What an artifact brought.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Regular files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Classes of connectors that its jars offer, as far as they say so.
    pub connectors: Vec<String>,
    /// What deserves a line in the log: links left out, names that differ only by case, a jar that is none.
    pub remarks: Vec<String>,
    /// Remarks beyond the first [`MAX_REMARKS`].
    pub more_remarks: u64,
}

/// Remarks that are told of one artifact.
pub const MAX_REMARKS: usize = 20;

impl Summary {
    fn remark(&mut self, words: impl FnOnce() -> String) {
        if self.remarks.len() < MAX_REMARKS {
            self.remarks.push(words());
        } else {
            self.more_remarks += 1;
        }
    }
}

/// Reads `fetched` as `artifact` says and hands its entries to `sink`. `tree` knows what the plugin holds already.
pub fn unpack(
    artifact: &Artifact,
    fetched: &Fetched,
    rules: &Rules,
    tree: &mut Tree,
    sink: &mut dyn Sink,
) -> Result<Summary, UnpackError> {
    let at_root = |refusal| UnpackError::new(&artifact.id, None, refusal);
    let file = File::open(fetched.path()).map_err(|error| at_root(Refusal::Io(error)))?;
    let mut unpacker = Unpacker {
        artifact,
        rules,
        tree,
        sink,
        meter: Meter::new(&rules.limits, fetched.size()),
        entry: None,
        summary: Summary::default(),
    };
    let read = match &artifact.format {
        Format::File { name, jar } => single::read(&mut unpacker, file, fetched, name, *jar),
        Format::Tgz => tgz::read(&mut unpacker, file),
        Format::Zip => zip::read(&mut unpacker, file, fetched.size()),
    };
    match read {
        Ok(()) => Ok(unpacker.summary),
        Err(refusal) => Err(UnpackError::new(&artifact.id, unpacker.entry, refusal)),
    }
}

/// Carries one artifact through the law: the readers name entries, it admits them.
struct Unpacker<'a> {
    artifact: &'a Artifact,
    rules: &'a Rules,
    tree: &'a mut Tree,
    sink: &'a mut dyn Sink,
    meter: Meter,
    entry: Option<String>,
    summary: Summary,
}

impl Unpacker<'_> {
    /// Begins an entry: counts it and remembers its name for messages.
    fn begin(&mut self, name: &[u8]) -> Result<(), Refusal> {
        let number = self.meter.entry(&self.rules.limits)?;
        self.entry = Some(format!("entry {number} (`{}`)", crate::path::shown(name)));
        Ok(())
    }

    /// Ends an entry: what is wrong from here on is wrong with the whole.
    fn end(&mut self) {
        self.entry = None;
    }

    fn path(&self, name: &[u8]) -> Result<EntryPath, Refusal> {
        EntryPath::parse(name, self.rules.limits.depth)
            .map(|path| path.below(&self.artifact.directory))
            .map_err(Refusal::Path)
    }

    fn directory(&mut self, name: &[u8]) -> Result<(), Refusal> {
        // `./`, the archive's root, is the artifact's directory and there already.
        if !name.is_empty() && name.split(|&b| b == b'/').all(|c| matches!(c, b"" | b".")) && name[0] != b'/'
        {
            return Ok(());
        }
        let path = self.path(name)?;
        let added = self.tree.directory(&path)?;
        self.admit(&path, &added)?;
        if added.directories.contains(&path) {
            self.sink.directory(&path).map_err(Refusal::Io)?;
        }
        Ok(())
    }

    fn file(
        &mut self,
        name: &[u8],
        executable: bool,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<(), Refusal> {
        let path = self.path(name)?;
        let added = self.tree.file(&path)?;
        self.admit(&path, &added)?;
        self.meter.name(&path, self.rules)?;
        self.meter.announce(size, self.rules)?;
        let services = is_jar(&path).then(Services::default);
        let mut content = Watched { content, cancelled: &self.rules.cancelled, services, failure: None };
        let taken = self.sink.file(&path, executable, size, &mut content);
        // A failing sink has its own words, a failing archive the reader's.
        match (content.failure, taken) {
            (Some(failure), _) | (None, Err(failure)) => Err(Refusal::from_io(failure)),
            (None, Ok(())) => {
                self.summary.files += 1;
                self.summary.bytes += size;
                self.summary.connectors.extend(content.services.map(Services::finish).unwrap_or_default());
                Ok(())
            }
        }
    }

    /// Counts what an entry adds beside itself, and remarks upon its name.
    fn admit(&mut self, path: &EntryPath, added: &Added) -> Result<(), Refusal> {
        for directory in &added.directories {
            self.meter.implied_directory(&self.rules.limits)?;
            self.meter.name(directory, self.rules)?;
        }
        if added.confusable {
            self.summary
                .remark(|| format!("`{path}` differs from another name only by case or Unicode form"));
        }
        Ok(())
    }

    fn link(&mut self, name: &[u8], kind: &'static str, target: &[u8]) -> Result<(), Refusal> {
        let path = self.path(name)?;
        let target = crate::path::shown(target);
        match self.artifact.links {
            Links::Refuse => Err(Refusal::Link { kind, target }),
            Links::Skip => {
                self.summary.remark(|| format!("the {kind} `{path}` to `{target}` is left out"));
                Ok(())
            }
        }
    }
}

/// Kafka looks for plugins in files with this ending.
fn is_jar(path: &EntryPath) -> bool {
    let extension = path.as_str().rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("jar"))
}

/// Passes an entry's content on until the build is called off, looks at what a jar offers, and keeps the archive's own error, which a sink may
/// wrap or lose.
struct Watched<'a> {
    content: &'a mut dyn Read,
    cancelled: &'a AtomicBool,
    services: Option<Services>,
    failure: Option<io::Error>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancelled.load(Ordering::Relaxed) {
            self.failure = Some(Refusal::Cancelled.into_io());
            return Err(io::ErrorKind::Other.into());
        }
        match self.content.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.failure = Some(error);
                Err(io::ErrorKind::Other.into())
            }
            Ok(length) => {
                if let Some(services) = &mut self.services {
                    services.see(&buffer[..length]);
                }
                Ok(length)
            }
            interrupted => interrupted,
        }
    }
}

#[cfg(test)]
mod tests;
