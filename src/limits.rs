//! How much a build may take in: bytes, entries, depth, ratio. Every limit has a default that real connectors
//! fit and can be set from the command line; each is enforced while bytes stream, before they are written.

use std::sync::atomic::{AtomicU64, Ordering};

/// The limits of one build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one download.
    pub download: u64,
    /// Unpacked bytes of one artifact.
    pub unpacked: u64,
    /// Unpacked bytes of all artifacts together.
    pub unpacked_build: u64,
    /// Entries of one archive.
    pub entries: u64,
    /// Unpacked bytes for each packed byte of one artifact; the first [`RATIO_GRACE`] bytes are free.
    pub ratio: u64,
    /// Directories above and including an entry.
    pub depth: usize,
    /// Bytes of one PAX or GNU long-name header of a tar archive.
    pub tar_header: u64,
}

/// Unpacked bytes to which the ratio is not applied: a small text file may well shrink to nothing.
pub const RATIO_GRACE: u64 = 64 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            download: 8 << 30,
            unpacked: 16 << 30,
            unpacked_build: 64 << 30,
            entries: 100_000,
            ratio: 200,
            depth: 64,
            tar_header: 64 << 10,
        }
    }
}

/// What is left of [`Limits::unpacked_build`]; shared by all artifacts of a build.
#[derive(Debug)]
pub struct Budget(AtomicU64);

impl Budget {
    /// A budget of `bytes`.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self(AtomicU64::new(bytes))
    }

    /// Takes `bytes` out; `false` when they are not there.
    #[must_use]
    pub fn take(&self, bytes: u64) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }
}
