//! zip archives, read by their central directory, which must agree with everything else in the file.
//!
//! The `zip` crate reads the central directory and compares it with the local headers. What it forgives is refused here:
//! anything before the first entry, between entries, or after the end record; a second end record; zip64 extensible data;
//! data descriptors that are missing or lie; compressed data that goes on after its end; flags that mean nothing here
//! (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.4). So a reader that goes from entry to entry sees what this one sees.

mod bytes;
mod content;
mod end_record;
mod sequence;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use self::content::Content;
use self::end_record::end_record;
use self::sequence::{Span, check_sequence};
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

fn refusal(error: ZipError) -> Refusal {
    match error {
        ZipError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Refusal::Truncated,
        ZipError::Io(error) => Refusal::from_io(error),
        ZipError::InvalidArchive(detail) => Refusal::ZipInconsistent(detail.into_owned()),
        ZipError::UnsupportedArchive(detail) => Refusal::ZipDamaged(detail.into()),
        other => Refusal::ZipDamaged(other.to_string()),
    }
}
