//! Counts what an artifact unpacks to, and stops it at the limits before the bytes are written.

use super::{Refusal, Rules};
use crate::limits::{Limits, RATIO_GRACE};
use crate::path::EntryPath;

/// Bytes of a tar block.
const BLOCK: u64 = 512;
/// The longest name that needs no further header.
const USTAR_NAME: u64 = 100;

/// The running totals of one artifact.
#[derive(Debug)]
pub(super) struct Meter {
    entries: u64,
    implied: u64,
    unpacked: u64,
    /// Unpacked bytes at which the ratio is exceeded.
    ratio_bytes: u64,
}

impl Meter {
    /// Bytes that the artifact may inflate to in all, headers and padding included.
    pub(super) fn most_inflated(&self, limits: &Limits) -> u64 {
        // Headers and padding of small entries can outweigh their content.
        self.ratio_bytes.min(limits.unpacked.saturating_mul(2).max(RATIO_GRACE))
    }

    /// A meter for an artifact of `packed` bytes.
    pub(super) fn new(limits: &Limits, packed: u64) -> Self {
        let ratio_bytes = packed.saturating_mul(limits.ratio).max(RATIO_GRACE);
        Self { entries: 0, implied: 0, unpacked: 0, ratio_bytes }
    }

    /// Counts an entry; gives its number, from 1.
    pub(super) fn entry(&mut self, limits: &Limits) -> Result<u64, Refusal> {
        self.entries += 1;
        if self.entries > limits.entries { Err(Refusal::Entries(limits.entries)) } else { Ok(self.entries) }
    }

    /// Counts a directory that no entry names, only paths.
    pub(super) fn implied_directory(&mut self, limits: &Limits) -> Result<(), Refusal> {
        self.implied += 1;
        if self.implied > limits.entries { Err(Refusal::Entries(limits.entries)) } else { Ok(()) }
    }

    /// Counts what the header of an entry takes in the layer: a block, and more for a long name.
    pub(super) fn name(&mut self, path: &EntryPath, rules: &Rules) -> Result<(), Refusal> {
        let length = path.as_str().len() as u64;
        self.announce(if length <= USTAR_NAME { BLOCK } else { 3 * BLOCK + length }, rules)
    }

    /// Counts entries from 1 again: a zip's are looked through once before they are read.
    pub(super) fn restart_entries(&mut self) {
        self.entries = 0;
    }

    /// Counts `size` bytes that an entry announces; its content can then be no longer.
    pub(super) fn announce(&mut self, size: u64, rules: &Rules) -> Result<(), Refusal> {
        self.unpacked = self.unpacked.saturating_add(size);
        if self.unpacked > rules.limits.unpacked {
            return Err(Refusal::Unpacked(rules.limits.unpacked));
        }
        if self.unpacked > self.ratio_bytes {
            return Err(Refusal::Ratio(rules.limits.ratio));
        }
        if !rules.budget.take(size) {
            return Err(Refusal::UnpackedBuild(rules.limits.unpacked_build));
        }
        Ok(())
    }
}
