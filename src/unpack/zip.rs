//! zip archives, read by their central directory, which must agree with everything else in the file.
//!
//! The `zip` crate reads the central directory and compares it with the local headers. What it forgives is refused here:
//! anything before the first entry, between entries, or after the end record; a second end record; zip64 extensible data;
//! data descriptors that are missing or lie; compressed data that goes on after its end; flags that mean nothing here
//! (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.4). So a reader that goes from entry to entry sees what this one sees.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
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
    let raw = file.get_ref().try_clone().map_err(Refusal::Io)?;
    let mut archive = ZipArchive::new(file).map_err(refusal)?;
    if archive.offset() != 0 {
        return Err(Refusal::ZipStart);
    }
    let mut spans = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(refusal)?;
        unpacker.begin(entry.name_raw())?;
        spans.push(Span::of(&entry, &raw)?);
        unpacker.end();
    }
    archive.validate_header_consistency().map_err(refusal)?;
    check_sequence(spans, archive.central_directory_start(), &raw)?;
    unpacker.meter.restart_entries();
    for index in 0..archive.len() {
        let mut entry = archive.by_index_raw(index).map_err(refusal)?;
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
    let mut content = Content::of(entry)?;
    match (mode & TYPE_BITS, raw.ends_with(b"/")) {
        (LINK, _) => {
            let mut target = Vec::new();
            let read = content.by_ref().take(LINK_TARGET).read_to_end(&mut target);
            read.map_err(Refusal::from_io)?;
            unpacker.link(&name, "symbolic link", &target)
        }
        // Not every tool marks a directory as one; the slash does.
        (0 | DIRECTORY | REGULAR, true) if size == 0 => unpacker.directory(&name),
        (0 | DIRECTORY | REGULAR, true) => Err(Refusal::DirectoryWithContent),
        (0 | REGULAR, false) => {
            unpacker.file(&name, mode & 0o111 != 0, size, &mut content)?;
            content.at_end()
        }
        (DIRECTORY, false) => {
            Err(Refusal::ZipInconsistent("a directory's name must end with a slash".into()))
        }
        _ => Err(Refusal::Kind("special file")),
    }
}

/// Flags that an entry may have: compression options, data descriptor, UTF-8 name (APPNOTE 4.4.4).
const LAWFUL_FLAGS: u16 = 1 << 1 | 1 << 2 | DESCRIPTOR_FLAG | 1 << 11;
const DESCRIPTOR_FLAG: u16 = 1 << 3;

/// Where an entry lies in the file, and what must stand behind it.
struct Span {
    start: u64,
    /// End of its compressed data.
    end: u64,
    /// CRC, compressed and uncompressed size, if a data descriptor follows.
    descriptor: Option<(u32, u64, u64)>,
}

impl Span {
    fn of<R: Read>(entry: &zip::read::ZipFile<'_, R>, file: &File) -> Result<Self, Refusal> {
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
fn check_sequence(mut spans: Vec<Span>, directory: u64, file: &File) -> Result<(), Refusal> {
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

/// The content of an entry: exactly the announced bytes, made of exactly its compressed ones.
struct Content<'a> {
    data: Data<'a>,
    left: u64,
    packed: u64,
    expected_crc: u32,
    crc: Crc,
}

enum Data<'a> {
    Stored(Box<dyn Read + 'a>),
    Deflated(Box<DeflateDecoder<BufReader<Box<dyn Read + 'a>>>>),
}

impl<'a> Content<'a> {
    /// Reads an entry that gives its data as they are.
    fn of<R: Read>(entry: &'a mut zip::read::ZipFile<'_, R>) -> Result<Self, Refusal> {
        let (left, packed, expected_crc) = (entry.size(), entry.compressed_size(), entry.crc32());
        let stored = entry.compression() == CompressionMethod::Stored;
        if stored && left != packed {
            return Err(Refusal::ZipInconsistent("a stored entry has two sizes".into()));
        }
        let raw: Box<dyn Read + 'a> = Box::new(entry);
        let data = if stored {
            Data::Stored(raw)
        } else {
            Data::Deflated(Box::new(DeflateDecoder::new(BufReader::with_capacity(BUFFER, raw))))
        };
        Ok(Self { data, left, packed, expected_crc, crc: Crc::new() })
    }

    fn inflate(&mut self, buffer: &mut [u8]) -> Result<usize, Refusal> {
        let read = match &mut self.data {
            Data::Stored(raw) => raw.read(buffer),
            Data::Deflated(decoder) => decoder.read(buffer),
        };
        read.map_err(|error| content_refusal(&error))
    }

    /// Holds length, CRC and the end of the compressed data against what the headers say.
    fn at_end(&mut self) -> Result<(), Refusal> {
        let damaged = |what: &str| Err(Refusal::ZipDamaged(what.to_owned()));
        if self.left > 0 {
            return damaged("an entry is shorter than it says");
        }
        if self.inflate(&mut [0])? > 0 {
            return damaged("an entry is longer than it says");
        }
        if let Data::Deflated(decoder) = &self.data
            && decoder.total_in() != self.packed
        {
            return damaged("an entry's compressed data goes on after its end");
        }
        if self.crc.sum() == self.expected_crc { Ok(()) } else { damaged("an entry's CRC is wrong") }
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.inflate(&mut buffer[..wanted]).map_err(Refusal::into_io)?;
        if count == 0 {
            return Err(Refusal::ZipDamaged("an entry is shorter than it says".into()).into_io());
        }
        self.crc.update(&buffer[..count]);
        self.left -= count as u64;
        Ok(count)
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

fn read_u16(file: &File, offset: u64) -> Result<u16, Refusal> {
    let mut bytes = [0; 2];
    file.read_exact_at(&mut bytes, offset).map_err(|_| Refusal::Truncated)?;
    Ok(u16::from_le_bytes(bytes))
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
