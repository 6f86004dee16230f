//! Where entries lie: from the first byte of the file to its central directory, one behind the other, and nothing between.
//!
//! Readers of streams go from entry to entry and never see the directory; this makes sure that they see the same archive.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt as _;

use zip::CompressionMethod;

use super::bytes::{u32_at, u64_at};
use crate::unpack::Refusal;

/// Flags that an entry may have: compression options, data descriptor, UTF-8 name (APPNOTE 4.4.4).
const LAWFUL_FLAGS: u16 = 1 << 1 | 1 << 2 | DESCRIPTOR_FLAG | 1 << 11;
const DESCRIPTOR_FLAG: u16 = 1 << 3;

/// Where an entry lies in the file, and what must stand behind it.
pub(super) struct Span {
    start: u64,
    /// End of its compressed data.
    end: u64,
    /// CRC, compressed and uncompressed size, if a data descriptor follows.
    descriptor: Option<(u32, u64, u64)>,
}

impl Span {
    pub(super) fn of<R: Read>(entry: &zip::read::ZipFile<'_, R>, file: &File) -> Result<Self, Refusal> {
        if entry.encrypted() {
            return Err(Refusal::ZipEncrypted);
        }
        if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            return Err(Refusal::ZipMethod(entry.compression().to_string()));
        }
        let central = entry.central_header_start();
        let flags = read_u16(file, central + 8)?;
        if flags != read_u16(file, entry.header_start() + 6)? {
            return Err(Refusal::ZipInconsistent("the flags of its two headers differ".into()));
        }
        if flags & !LAWFUL_FLAGS != 0 {
            return Err(Refusal::ZipInconsistent(format!(
                "it has the flags {flags:#06x}, not all of which are known"
            )));
        }
        if !matches!(read_u16(file, central + 34)?, 0 | u16::MAX) {
            return Err(Refusal::ZipSplit);
        }
        let data = entry.data_start().ok_or(Refusal::Truncated)?;
        let end = data.checked_add(entry.compressed_size()).ok_or(Refusal::Truncated)?;
        let sums = (entry.crc32(), entry.compressed_size(), entry.size());
        let descriptor = (flags & DESCRIPTOR_FLAG != 0).then_some(sums);
        Ok(Self { start: entry.header_start(), end, descriptor })
    }
}

/// Checks that entries and their descriptors fill the file from its first byte to the central directory.
pub(super) fn check_sequence(mut spans: Vec<Span>, directory: u64, file: &File) -> Result<(), Refusal> {
    spans.sort_by_key(|span| span.start);
    if spans.first().map_or(directory, |first| first.start) != 0 {
        return Err(Refusal::ZipStart);
    }
    let starts: Vec<u64> = spans.iter().map(|span| span.start).skip(1).chain([directory]).collect();
    for (span, next) in spans.iter().zip(starts) {
        let between = next.checked_sub(span.end).ok_or(Refusal::ZipGap)?;
        match span.descriptor {
            None if between == 0 => {}
            None => return Err(Refusal::ZipGap),
            Some(sums) => check_descriptor(sums, span.end, between, file)?,
        }
    }
    Ok(())
}

/// Checks a data descriptor: with or without signature, with sizes of four or of eight bytes (APPNOTE 4.3.9).
fn check_descriptor(
    (crc, packed, size): (u32, u64, u64),
    at: u64,
    length: u64,
    file: &File,
) -> Result<(), Refusal> {
    let mut bytes = [0; 24];
    let Some(bytes) = usize::try_from(length).ok().and_then(|length| bytes.get_mut(..length)) else {
        return Err(Refusal::ZipGap);
    };
    file.read_exact_at(bytes, at).map_err(|_| Refusal::Truncated)?;
    let bytes = match bytes.len() {
        16 | 24 => bytes.strip_prefix(b"PK\x07\x08").unwrap_or(&[]),
        _ => bytes,
    };
    let told = match bytes.len() {
        12 => (u32_at(bytes, 0), u64::from(u32_at(bytes, 4)), u64::from(u32_at(bytes, 8))),
        20 => (u32_at(bytes, 0), u64_at(bytes, 4), u64_at(bytes, 12)),
        _ => return Err(Refusal::ZipGap),
    };
    if told == (crc, packed, size) {
        Ok(())
    } else {
        Err(Refusal::ZipInconsistent("a data descriptor differs from the central directory".into()))
    }
}

fn read_u16(file: &File, offset: u64) -> Result<u16, Refusal> {
    let mut bytes = [0; 2];
    file.read_exact_at(&mut bytes, offset).map_err(|_| Refusal::Truncated)?;
    Ok(u16::from_le_bytes(bytes))
}
