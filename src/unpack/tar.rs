//! tar: v7, ustar, PAX and GNU long names, read strictly (POSIX.1-2017, pax, "ustar Interchange Format" and "pax
//! Extended Header").
//!
//! Readers of tar disagree about malformed archives, and attacks live in that disagreement. So what two readers could
//! understand differently is refused: doubled extension headers, sizes that do not parse, anything but zeros after the
//! end. A PAX size overrides the header's everywhere, also in finding the next header.

use std::io::{self, Read};

use super::{Refusal, Unpacker};

const BLOCK: usize = 512;

/// Fields of a header block: (offset, end).
const NAME: (usize, usize) = (0, 100);
const MODE: (usize, usize) = (100, 108);
const SIZE: (usize, usize) = (124, 136);
const CHECKSUM: (usize, usize) = (148, 156);
const TYPE_FLAG: usize = 156;
const LINK_NAME: (usize, usize) = (157, 257);
const MAGIC: (usize, usize) = (257, 263);
const PREFIX: (usize, usize) = (345, 500);

/// Reads the archive to the end of `input`.
pub(super) fn read(unpacker: &mut Unpacker<'_>, input: &mut dyn Read) -> Result<(), Refusal> {
    let mut blocks = Blocks { input, offset: 0 };
    let mut extension = Extension::default();
    while let Some(block) = blocks.header()? {
        let header = Header { block: &block };
        header.verify(blocks.offset - BLOCK as u64)?;
        let limit = unpacker.rules.limits.tar_header;
        match header.flag() {
            b'x' => {
                let records = blocks.extension("PAX", header.size()?, limit)?;
                extension.pax(&records)?;
            }
            b'g' => {
                let records = blocks.extension("PAX", header.size()?, limit)?;
                refuse_global(&records)?;
            }
            b'L' => {
                let name = blocks.extension("GNU long name", header.size()?, limit)?;
                Extension::set(&mut extension.path, terminated(name)?, "name")?;
            }
            b'K' => {
                let name = blocks.extension("GNU long link", header.size()?, limit)?;
                Extension::set(&mut extension.link, terminated(name)?, "link")?;
            }
            _ => {
                read_entry(unpacker, &mut blocks, &header, std::mem::take(&mut extension))?;
                unpacker.end();
            }
        }
    }
    extension.nothing_left()?;
    blocks.only_zeros()
}

fn read_entry(
    unpacker: &mut Unpacker<'_>,
    blocks: &mut Blocks<'_>,
    header: &Header<'_>,
    extension: Extension,
) -> Result<(), Refusal> {
    let name = extension.path.unwrap_or_else(|| header.name());
    unpacker.begin(&name)?;
    let size = match extension.size {
        Some(size) => size,
        None => header.size()?,
    };
    if extension.sparse {
        return Err(Refusal::Sparse);
    }
    let directory_name = name.ends_with(b"/");
    match header.flag() {
        // Before POSIX a directory was a file whose name ends with a slash, and readers still take it so.
        b'5' | b'0' | 0 if size == 0 && (header.flag() == b'5' || directory_name) => {
            unpacker.directory(&name)
        }
        b'5' => Err(Refusal::DirectoryWithContent),
        b'0' | 0 if directory_name => Err(Refusal::DirectoryWithContent),
        b'0' | 0 => {
            let mut content = Content { blocks, left: size };
            unpacker.file(&name, header.mode() & 0o111 != 0, size, &mut content)?;
            let left = content.left;
            if left > 0 {
                return Err(Refusal::Io(io::Error::other("the content was not read to its end")));
            }
            blocks.padding(size)
        }
        flag @ (b'1' | b'2') => {
            let target = extension.link.unwrap_or_else(|| header.field(LINK_NAME).to_vec());
            unpacker.link(&name, if flag == b'1' { "hard link" } else { "symbolic link" }, &target)?;
            // A link that is left out must not hide anything behind it.
            if size == 0 { Ok(()) } else { Err(Refusal::TarSize) }
        }
        b'3' => Err(Refusal::Kind("character device")),
        b'4' => Err(Refusal::Kind("block device")),
        b'6' => Err(Refusal::Kind("FIFO")),
        b'7' => Err(Refusal::Kind("contiguous file")),
        b'S' => Err(Refusal::Sparse),
        b'M' => Err(Refusal::Kind("continuation of a file from another volume")),
        b'V' => Err(Refusal::Kind("volume label")),
        b'D' => Err(Refusal::Kind("GNU directory dump")),
        flag => Err(Refusal::UnknownKind(flag)),
    }
}

/// The blocks of a tar, with the position for messages.
struct Blocks<'a> {
    input: &'a mut dyn Read,
    offset: u64,
}

impl Blocks<'_> {
    /// The next header block; `None` at the end-of-archive block, or where the input ends instead of it.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>, Refusal> {
        let mut block = [0; BLOCK];
        let count = self.fill(&mut block)?;
        if self.offset == count as u64 && count < BLOCK {
            return Err(Refusal::NotTar(super::sniff::describe(&block[..count])));
        }
        match count {
            0 => Ok(None),
            BLOCK if block.iter().all(|&b| b == 0) => Ok(None),
            BLOCK => Ok(Some(block)),
            _ => Err(Refusal::Truncated),
        }
    }

    /// The content of an extension header.
    fn extension(&mut self, kind: &'static str, size: u64, limit: u64) -> Result<Vec<u8>, Refusal> {
        let length = match usize::try_from(size) {
            Ok(length) if size <= limit => length,
            _ => return Err(Refusal::LongHeader { kind, size, limit }),
        };
        let mut content = vec![0; length];
        if self.fill(&mut content)? < length {
            return Err(Refusal::Truncated);
        }
        self.padding(size)?;
        Ok(content)
    }

    /// Skips what fills the last block of `size` bytes.
    fn padding(&mut self, size: u64) -> Result<(), Refusal> {
        let rest = usize::try_from(size % BLOCK as u64).unwrap_or_default();
        let mut padding = vec![0; if rest == 0 { 0 } else { BLOCK - rest }];
        if self.fill(&mut padding)? < padding.len() { Err(Refusal::Truncated) } else { Ok(()) }
    }

    /// Reads what is left; anything but zeros is refused.
    fn only_zeros(&mut self) -> Result<(), Refusal> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let start = self.offset;
            let count = self.fill(&mut buffer)?;
            if let Some(position) = buffer[..count].iter().position(|&b| b != 0) {
                return Err(Refusal::TarTrailing(start + position as u64));
            }
            if count < buffer.len() {
                return Ok(());
            }
        }
    }

    /// Fills `buffer` as far as the input goes.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Refusal> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.input.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Refusal::from_io(error)),
            }
        }
        self.offset += filled as u64;
        Ok(filled)
    }
}

/// The content of one file: exactly `left` more bytes.
struct Content<'a, 'b> {
    blocks: &'a mut Blocks<'b>,
    left: u64,
}

impl Read for Content<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.blocks.input.read(&mut buffer[..wanted])?;
        if count == 0 {
            return Err(Refusal::Truncated.into_io());
        }
        self.blocks.offset += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

/// One header block.
struct Header<'a> {
    block: &'a [u8; BLOCK],
}

impl Header<'_> {
    /// Checks the sum of all bytes, its own field taken as spaces.
    fn verify(&self, offset: u64) -> Result<(), Refusal> {
        let sum: u64 = (self.block.iter().enumerate())
            .map(|(i, &byte)| u64::from(if (CHECKSUM.0..CHECKSUM.1).contains(&i) { b' ' } else { byte }))
            .sum();
        match octal(&self.block[CHECKSUM.0..CHECKSUM.1]) {
            Some(given) if given == sum => Ok(()),
            _ if offset == 0 && &self.block[MAGIC.0..MAGIC.0 + 5] != b"ustar" => {
                Err(Refusal::NotTar(super::sniff::describe(self.block)))
            }
            _ => Err(Refusal::TarChecksum(offset)),
        }
    }

    fn flag(&self) -> u8 {
        self.block[TYPE_FLAG]
    }

    /// A text field, up to its first NUL.
    fn field(&self, (start, end): (usize, usize)) -> &[u8] {
        let field = &self.block[start..end];
        &field[..field.iter().position(|&b| b == 0).unwrap_or(field.len())]
    }

    /// The name; in ustar (not in GNU's variant) with its prefix.
    fn name(&self) -> Vec<u8> {
        let prefix = if &self.block[MAGIC.0..MAGIC.1] == b"ustar\0" { self.field(PREFIX) } else { b"" };
        if prefix.is_empty() { self.field(NAME).to_vec() } else { [prefix, b"/", self.field(NAME)].concat() }
    }

    fn mode(&self) -> u64 {
        octal(&self.block[MODE.0..MODE.1]).unwrap_or_default()
    }

    /// The size: octal, or GNU's base-256 with the highest bit set.
    fn size(&self) -> Result<u64, Refusal> {
        let field = &self.block[SIZE.0..SIZE.1];
        let size = if field[0] & 0x80 == 0 {
            octal(field)
        } else {
            // 0x80 begins a positive number; anything else is negative or far too large.
            let (high, low) = field.split_at(4);
            let fits = high == [0x80, 0, 0, 0] && low[0] & 0x80 == 0;
            fits.then(|| low.iter().fold(0, |n, &byte| n << 8 | u64::from(byte)))
        };
        size.ok_or(Refusal::TarSize)
    }
}

/// Octal digits, led by spaces and ended by spaces or NULs; an empty field is 0.
fn octal(field: &[u8]) -> Option<u64> {
    let start = field.iter().position(|&b| b != b' ').unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits.iter().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if !rest.iter().all(|&b| b == 0 || b == b' ') {
        return None;
    }
    digits.iter().try_fold(0_u64, |n, &digit| {
        if digit > b'7' { None } else { n.checked_mul(8)?.checked_add(u64::from(digit - b'0')) }
    })
}

fn terminated(mut name: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    match name.iter().position(|&b| b == 0) {
        Some(end) if name[end..].iter().all(|&b| b == 0) => {
            name.truncate(end);
            Ok(name)
        }
        _ => Err(Refusal::UnterminatedName),
    }
}

/// What extension headers say about the next entry.
#[derive(Default)]
struct Extension {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
    pax_seen: bool,
}

impl Extension {
    fn set<T>(slot: &mut Option<T>, value: T, what: &'static str) -> Result<(), Refusal> {
        if slot.replace(value).is_some() { Err(Refusal::DoubleHeader(what)) } else { Ok(()) }
    }

    fn pax(&mut self, records: &[u8]) -> Result<(), Refusal> {
        if std::mem::replace(&mut self.pax_seen, true) {
            return Err(Refusal::DoubleHeader("PAX"));
        }
        for record in Records(records) {
            let (key, value) = record?;
            match key {
                b"path" => Self::set(&mut self.path, value.to_vec(), "name")?,
                b"linkpath" => Self::set(&mut self.link, value.to_vec(), "link")?,
                b"size" => Self::set(&mut self.size, decimal(value).ok_or(Refusal::TarSize)?, "size")?,
                // Times, owners, attributes and comments decide nothing here.
                other => self.sparse |= other.starts_with(b"GNU.sparse"),
            }
        }
        Ok(())
    }

    fn nothing_left(&self) -> Result<(), Refusal> {
        match self {
            Self { pax_seen: true, .. } => Err(Refusal::DanglingHeader("PAX")),
            Self { path: Some(_), .. } => Err(Refusal::DanglingHeader("GNU long name")),
            Self { link: Some(_), .. } => Err(Refusal::DanglingHeader("GNU long link")),
            _ => Ok(()),
        }
    }
}

/// Global headers carry comments (git archive's commit id) and times; one that names or sizes every entry is refused.
fn refuse_global(records: &[u8]) -> Result<(), Refusal> {
    for record in Records(records) {
        let (key, _) = record?;
        if matches!(key, b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse") {
            return Err(Refusal::GlobalPax(crate::path::shown(key)));
        }
    }
    Ok(())
}

/// The records `length key=value\n` of a PAX header, the length counting itself.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let record = Self::split(self.0);
        self.0 = record.as_ref().map_or(&[], |(_, rest)| rest);
        Some(record.map(|(pair, _)| pair).ok_or_else(|| {
            Refusal::Pax("a record is not of the form `length key=value` with a final newline".into())
        }))
    }
}

impl Records<'_> {
    #[allow(clippy::type_complexity)]
    fn split(records: &[u8]) -> Option<((&[u8], &[u8]), &[u8])> {
        let space = records.iter().position(|&b| b == b' ')?;
        let length = usize::try_from(decimal(&records[..space])?).ok()?;
        let (record, rest) = records.split_at_checked(length)?;
        let pair = record.get(space + 1..)?.strip_suffix(b"\n")?;
        let equals = pair.iter().position(|&b| b == b'=').filter(|&at| at > 0)?;
        Some(((&pair[..equals], &pair[equals + 1..]), rest))
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| all_digits)?.parse().ok()
}
