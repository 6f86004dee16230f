//! zip archives, read by their central directory, which must agree with everything else in the file.
//!
//! The `zip` crate compares central directory and local headers, finds overlaps and unlisted entries, and checks CRCs.
//! What it forgives is refused here before it reads: bytes before the first entry or after the end record, a second end
//! record, zip64 extensible data, more entries than the limit (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.4).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::{Refusal, Unpacker, sniff};

/// Compressed bytes read at once.
const BUFFER: usize = 64 << 10;

/// File type bits of a Unix mode.
const TYPE_BITS: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

/// The longest target of a link that is shown.
const LINK_TARGET: u64 = 4096;

pub(super) fn read(unpacker: &mut Unpacker<'_>, file: File, length: u64) -> Result<(), Refusal> {
    let mut file = BufReader::with_capacity(BUFFER, file);
    let mut start = Vec::new();
    file.by_ref().take(sniff::SNIFF_BYTES as u64).read_to_end(&mut start).map_err(Refusal::Io)?;
    if !sniff::is_zip(&start) {
        // A zip with something in front still ends like one.
        let ends_like_a_zip = matches!(end_record(&mut file, length), Ok(_) | Err(Refusal::ZipStart));
        return Err(if ends_like_a_zip {
            Refusal::ZipStart
        } else {
            Refusal::NotZip(sniff::describe(&start))
        });
    }
    let entries = end_record(&mut file, length)?;
    if entries > unpacker.rules.limits.entries {
        return Err(Refusal::Entries(unpacker.rules.limits.entries));
    }
    let headers = file.get_ref().try_clone().map_err(Refusal::Io)?;
    let mut archive = ZipArchive::new(file).map_err(refusal)?;
    if archive.offset() != 0 {
        return Err(Refusal::ZipStart);
    }
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(refusal)?;
        unpacker.begin(entry.name_raw())?;
        if entry.encrypted() {
            return Err(Refusal::ZipEncrypted);
        }
        if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            return Err(Refusal::ZipMethod(entry.compression().to_string()));
        }
        // The crate holds everything else of the two headers against each other.
        if flags_at(&headers, entry.header_start() + 6)?
            != flags_at(&headers, entry.central_header_start() + 8)?
        {
            return Err(Refusal::ZipInconsistent("the flags of its two headers differ".into()));
        }
    }
    unpacker.end();
    archive.validate_header_consistency().map_err(refusal)?;
    unpacker.meter.restart_entries();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(refusal)?;
        read_entry(unpacker, &mut entry)?;
        unpacker.end();
    }
    Ok(())
}

fn read_entry<R: Read + Seek>(
    unpacker: &mut Unpacker<'_>,
    entry: &mut zip::read::ZipFile<'_, R>,
) -> Result<(), Refusal> {
    let raw = entry.name_raw().to_vec();
    unpacker.begin(&raw)?;
    std::str::from_utf8(&raw)
        .map_err(|e| Refusal::Path(crate::path::PathRefused::NotUtf8(e.valid_up_to())))?;
    // Not the raw name: a Unicode Path extra field (0x7075), already held against it, may spell it better.
    let name = entry.name().map_err(refusal)?.into_owned().into_bytes();
    let (size, mode) = (entry.size(), entry.unix_mode().unwrap_or_default());
    match (mode & TYPE_BITS, raw.ends_with(b"/")) {
        (LINK, _) => {
            let mut target = Vec::new();
            entry
                .by_ref()
                .take(LINK_TARGET)
                .read_to_end(&mut target)
                .map_err(|error| content_refusal(&error))?;
            unpacker.link(&name, "symbolic link", &target)
        }
        (0 | DIRECTORY, true) if size == 0 => unpacker.directory(&name),
        (0 | DIRECTORY | REGULAR, true) => Err(Refusal::DirectoryWithContent),
        (0 | REGULAR, false) => {
            let mut content = Content { entry, left: size };
            unpacker.file(&name, mode & 0o111 != 0, size, &mut content)?;
            content.at_end()
        }
        (DIRECTORY, false) => {
            Err(Refusal::ZipInconsistent("a directory's name must end with a slash".into()))
        }
        _ => Err(Refusal::Kind("special file")),
    }
}

/// The content of an entry: exactly the announced bytes.
struct Content<'a, R> {
    entry: &'a mut R,
    left: u64,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let count =
            self.entry.read(&mut buffer[..wanted]).map_err(|error| content_refusal(&error).into_io())?;
        if count == 0 {
            return Err(Refusal::ZipDamaged("an entry is shorter than it says".into()).into_io());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

impl<R: Read> Content<'_, R> {
    /// Reads on to the end, where the CRC is checked.
    fn at_end(&mut self) -> Result<(), Refusal> {
        match self.entry.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(Refusal::ZipDamaged("an entry is longer than it says".into())),
            Err(error) => Err(content_refusal(&error)),
        }
    }
}

fn content_refusal(error: &io::Error) -> Refusal {
    Refusal::ZipDamaged(error.to_string())
}

fn refusal(error: ZipError) -> Refusal {
    match error {
        ZipError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Refusal::Truncated,
        ZipError::Io(error) => Refusal::from_io(error),
        ZipError::InvalidArchive(detail) => Refusal::ZipInconsistent(detail.into_owned()),
        ZipError::UnsupportedArchive(detail) => Refusal::ZipDamaged(detail.into()),
        other => Refusal::ZipDamaged(other.to_string()),
    }
}

const END_RECORD: usize = 22;
const ZIP64_LOCATOR: usize = 20;
const ZIP64_END_RECORD: usize = 56;

/// Finds the end record at the very end of the file and checks all that hangs on it; gives the number of entries.
fn end_record(file: &mut (impl Read + Seek), length: u64) -> Result<u64, Refusal> {
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

/// The general purpose bit flag of a header.
fn flags_at(file: &File, offset: u64) -> Result<[u8; 2], Refusal> {
    let mut flags = [0; 2];
    file.read_exact_at(&mut flags, offset).map_err(|_| Refusal::Truncated)?;
    Ok(flags)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
