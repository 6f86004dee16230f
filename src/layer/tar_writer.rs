//! Writes a tar whose bytes depend on its entries alone (POSIX.1-2017, pax, "ustar Interchange Format").
//!
//! Names that fit ustar's fields are written there; longer ones, and ones that are not ASCII, get a PAX header, as do
//! sizes of 8 GiB and more. User and group names stay empty, so no reader maps them to ids of its own.

use std::io::{self, Read, Write};

use tar::{EntryType, Header};

const BLOCK: usize = 512;

/// The largest size of ustar's eleven octal digits.
const MAX_USTAR_SIZE: u64 = 0o77_777_777_777;

/// Bytes copied at once.
const COPY_BUFFER: usize = 64 << 10;

pub(super) struct TarWriter<W> {
    out: W,
    mtime: u64,
    buffer: Vec<u8>,
}

impl<W: Write> TarWriter<W> {
    /// `mtime` in seconds since 1970, for every entry.
    pub(super) fn new(out: W, mtime: u64) -> Self {
        Self { out, mtime, buffer: vec![0; COPY_BUFFER] }
    }

    pub(super) fn directory(&mut self, path: &str, mode: u32, uid: u64, gid: u64) -> io::Result<()> {
        self.header(&format!("{path}/"), EntryType::Directory, mode, (uid, gid), 0)
    }

    /// A file of root's; `content` must give exactly `size` bytes.
    pub(super) fn file(
        &mut self,
        path: &str,
        mode: u32,
        size: u64,
        content: &mut dyn Read,
    ) -> io::Result<()> {
        self.header(path, EntryType::Regular, mode, (0, 0), size)?;
        let mut left = size;
        while left > 0 {
            let wanted = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            match content.read(&mut self.buffer[..wanted]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.out.write_all(&self.buffer[..count])?;
                    left -= count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.pad(size)
    }

    /// Writes the two blocks of zeros that end a tar.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        Ok(self.out)
    }

    fn header(
        &mut self,
        path: &str,
        kind: EntryType,
        mode: u32,
        (uid, gid): (u64, u64),
        size: u64,
    ) -> io::Result<()> {
        let mut header = Header::new_ustar();
        let mut records = Vec::new();
        if !set_name(&mut header, path) {
            records.extend(record("path", path));
        }
        if size > MAX_USTAR_SIZE {
            records.extend(record("size", &size.to_string()));
        }
        if !records.is_empty() {
            self.extension(&records)?;
        }
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(uid);
        header.set_gid(gid);
        header.set_size(size.min(MAX_USTAR_SIZE));
        header.set_mtime(self.mtime);
        header.set_cksum();
        self.out.write_all(header.as_bytes())
    }

    /// A PAX header for the next entry.
    fn extension(&mut self, records: &[u8]) -> io::Result<()> {
        let mut header = Header::new_ustar();
        set_name(&mut header, "PaxHeader");
        header.set_entry_type(EntryType::XHeader);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(records.len() as u64);
        header.set_mtime(self.mtime);
        header.set_cksum();
        self.out.write_all(header.as_bytes())?;
        self.out.write_all(records)?;
        self.pad(records.len() as u64)
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        let rest = usize::try_from(size % BLOCK as u64).unwrap_or_default();
        if rest == 0 { Ok(()) } else { self.out.write_all(&[0; BLOCK][rest..]) }
    }
}

/// Puts `path` into the name and prefix fields; `false`, and a cut name for old readers, if it does not fit.
fn set_name(header: &mut Header, path: &str) -> bool {
    let Some(fields) = header.as_ustar_mut() else { return false };
    let bytes = path.as_bytes();
    let (name_length, prefix_length) = (fields.name.len(), fields.prefix.len());
    if path.is_ascii() && bytes.len() <= name_length {
        fields.name[..bytes.len()].copy_from_slice(bytes);
        return true;
    }
    // The slash between prefix and name is not stored; a directory's final one must stay in the name.
    let split = (bytes.iter().enumerate())
        .filter(|&(at, &byte)| byte == b'/' && at <= prefix_length && at + 1 < bytes.len())
        .map(|(at, _)| at)
        .find(|at| bytes.len() - at - 1 <= name_length);
    if let Some(at) = split.filter(|_| path.is_ascii()) {
        fields.prefix[..at].copy_from_slice(&bytes[..at]);
        fields.name[..bytes.len() - at - 1].copy_from_slice(&bytes[at + 1..]);
        return true;
    }
    let cut: Vec<u8> = bytes.iter().map(|&b| if b.is_ascii() { b } else { b'?' }).take(name_length).collect();
    fields.name[..cut.len()].copy_from_slice(&cut);
    false
}

/// `length key=value\n`, the length counting its own digits.
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    if rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n").into_bytes()
}
