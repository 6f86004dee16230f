//! The end of a zip, from which its central directory is found: at the very end of the file, once, and without gaps.

use std::io::{Read, Seek, SeekFrom};

use super::bytes::{u16_at, u32_at, u64_at};
use crate::unpack::Refusal;

const END_RECORD: usize = 22;
const ZIP64_LOCATOR: usize = 20;
const ZIP64_END_RECORD: usize = 56;

/// Finds the end record at the very end of the file and checks all that hangs on it; gives the number of entries.
pub(super) fn end_record(file: &mut (impl Read + Seek), length: u64) -> Result<u64, Refusal> {
    let tail_length =
        length.min((END_RECORD + usize::from(u16::MAX) + ZIP64_LOCATOR + ZIP64_END_RECORD) as u64);
    let tail_start = length - tail_length;
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(tail_start)).map_err(Refusal::Io)?;
    file.take(tail_length).read_to_end(&mut tail).map_err(Refusal::Io)?;
    file.seek(SeekFrom::Start(0)).map_err(Refusal::Io)?;

    // The first record that reaches exactly to the end; one further on lies in its comment.
    let mut at = None;
    for position in
        (0..tail.len().saturating_sub(END_RECORD - 1)).filter(|&p| tail[p..].starts_with(b"PK\x05\x06"))
    {
        let comment = usize::from(u16_at(&tail, position + 20));
        match at {
            None if position + END_RECORD + comment == tail.len() => at = Some(position),
            None => {}
            Some(_) => return Err(Refusal::ZipComment),
        }
    }
    let at = at.ok_or(Refusal::ZipEnd)?;
    if tail[at + END_RECORD..]
        .windows(4)
        .any(|w| matches!(w, b"PK\x01\x02" | b"PK\x03\x04" | b"PK\x06\x06" | b"PK\x06\x07"))
    {
        return Err(Refusal::ZipComment);
    }
    if u16_at(&tail, at + 4) != 0
        || u16_at(&tail, at + 6) != 0
        || u16_at(&tail, at + 8) != u16_at(&tail, at + 10)
    {
        return Err(Refusal::ZipSplit);
    }
    let mut entries = u64::from(u16_at(&tail, at + 10));
    let mut directory = (u64::from(u32_at(&tail, at + 16)), u64::from(u32_at(&tail, at + 12)));
    let mut directory_end = tail_start + at as u64;
    if at >= ZIP64_LOCATOR && tail[at - ZIP64_LOCATOR..].starts_with(b"PK\x06\x07") {
        let record = (at - ZIP64_LOCATOR)
            .checked_sub(ZIP64_END_RECORD)
            .filter(|&r| tail[r..].starts_with(b"PK\x06\x06"));
        // A longer record holds extensible data, and then it does not begin here.
        let record = record.ok_or(Refusal::Zip64Extensible)?;
        if u64_at(&tail, record + 4) != (ZIP64_END_RECORD - 12) as u64 {
            return Err(Refusal::Zip64Extensible);
        }
        directory_end = tail_start + record as u64;
        if u64_at(&tail, at - ZIP64_LOCATOR + 8) != directory_end {
            return Err(Refusal::ZipGap);
        }
        entries = u64_at(&tail, record + 32);
        directory = (u64_at(&tail, record + 48), u64_at(&tail, record + 40));
    }
    match directory.0.checked_add(directory.1) {
        Some(end) if end == directory_end => Ok(entries),
        // Offsets that are all too small by the same amount: something stands before the zip.
        Some(end) if end < directory_end && !directory_starts_at(file, directory.0)? => {
            Err(Refusal::ZipStart)
        }
        _ => Err(Refusal::ZipGap),
    }
}

fn directory_starts_at(file: &mut (impl Read + Seek), offset: u64) -> Result<bool, Refusal> {
    let mut start = Vec::new();
    file.seek(SeekFrom::Start(offset)).map_err(Refusal::Io)?;
    file.take(4).read_to_end(&mut start).map_err(Refusal::Io)?;
    file.seek(SeekFrom::Start(0)).map_err(Refusal::Io)?;
    Ok(start == b"PK\x01\x02" || start == b"PK\x05\x06")
}
