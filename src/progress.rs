//! What the library tells while it works: a stream of events to whoever listens.
//!
//! The library never prints. It hands an [`Event`] to the [`Reporter`] of the build; the live display, the
//! lines in a pod's log and the tests are reporters. Events may come from several threads at once and often
//! (one for each buffer of a transfer), so a reporter must be cheap.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::digest::Digest;

/// Listens to a build.
pub trait Reporter: Send + Sync {
    /// Takes one event. It may not block.
    fn report(&self, event: &Event<'_>);
}

/// A reporter that keeps silent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn report(&self, _: &Event<'_>) {}
}

/// Tells one transfer from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransferId(u64);

/// The direction of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// An artifact comes in.
    Download,
    /// A blob goes out.
    Upload,
}

/// How a transfer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All bytes went over the wire.
    Complete,
    /// The other side had the blob.
    Existing,
    /// The registry took the blob from another repository of its own.
    Mounted {
        /// That repository's name.
        from: String,
    },
    /// It failed, or was called off.
    Abandoned,
}

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A transfer begins.
    TransferStarted {
        /// Its identity in later events.
        id: TransferId,
        /// In or out.
        direction: Direction,
        /// What is transferred, for people.
        label: &'a str,
        /// Bytes, where known beforehand.
        total: Option<u64>,
    },
    /// A transfer's total became known, or changed.
    TransferTotal {
        /// Which transfer.
        id: TransferId,
        /// Bytes.
        total: u64,
    },
    /// A transfer went on (or, with 0, began anew).
    TransferAdvanced {
        /// Which transfer.
        id: TransferId,
        /// Bytes done in all.
        done: u64,
    },
    /// A transfer is over.
    TransferEnded {
        /// Which transfer.
        id: TransferId,
        /// In or out.
        direction: Direction,
        /// What was transferred.
        label: &'a str,
        /// Bytes done.
        bytes: u64,
        /// How it ended.
        ending: Ending,
    },
    /// A Maven artifact was resolved and its files are there.
    MavenResolved {
        /// Which artifact of which plugin.
        artifact: &'a str,
        /// Its coordinate.
        root: &'a str,
        /// Its files.
        files: usize,
        /// Bytes of all of them.
        size: u64,
        /// Files that were not wanted, by scope; empty where the resource names the scope.
        left_out: &'a [(&'a str, usize)],
    },
    /// Everything that a plugin is made of is there, and verified.
    ArtifactsFetched {
        /// The plugin.
        plugin: &'a str,
    },
    /// A plugin's layer is complete on disk.
    LayerBuilt {
        /// The plugin.
        plugin: &'a str,
        /// Regular files in it.
        files: u64,
        /// Bytes as stored (compressed).
        size: u64,
        /// The layer's digest.
        digest: &'a Digest,
        /// Time from the first artifact's byte read to the last layer byte written.
        took: Duration,
    },
    /// Something worth a line in every log.
    Note(&'a str),
    /// Something the user should change, though the build goes on.
    Warning(&'a str),
}

/// One transfer, from its start to its end; dropped without [`Transfer::end`] it is abandoned.
pub struct Transfer {
    reporter: Arc<dyn Reporter>,
    id: TransferId,
    direction: Direction,
    label: String,
    done: u64,
    ending: Ending,
}

impl Transfer {
    /// Announces a transfer.
    pub fn start(
        reporter: &Arc<dyn Reporter>,
        direction: Direction,
        label: impl Into<String>,
        total: Option<u64>,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let transfer = Self {
            reporter: Arc::clone(reporter),
            id: TransferId(NEXT.fetch_add(1, Ordering::Relaxed)),
            direction,
            label: label.into(),
            done: 0,
            ending: Ending::Abandoned,
        };
        let (id, label) = (transfer.id, transfer.label.as_str());
        reporter.report(&Event::TransferStarted { id, direction, label, total });
        transfer
    }

    /// Tells how many bytes it will be.
    pub fn total(&self, total: u64) {
        self.reporter.report(&Event::TransferTotal { id: self.id, total });
    }

    /// Tells that `bytes` more are done.
    pub fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        self.reporter.report(&Event::TransferAdvanced { id: self.id, done: self.done });
    }

    /// Tells that all starts again from the first byte.
    pub fn restart(&mut self) {
        self.done = 0;
        self.reporter.report(&Event::TransferAdvanced { id: self.id, done: 0 });
    }

    /// Ends it.
    pub fn end(mut self, ending: Ending) {
        self.ending = ending;
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.reporter.report(&Event::TransferEnded {
            id: self.id,
            direction: self.direction,
            label: &self.label,
            bytes: self.done,
            ending: self.ending.clone(),
        });
    }
}
