//! The connectors that a jar offers, as it says itself in `META-INF/services` (KIP-898; Java's `ServiceLoader`).
//!
//! A jar goes into its layer as it is and is not opened for that; its bytes are looked at as they pass by. What is looked for is a
//! local file header with one of two names, and then the few bytes of that file. Nothing depends on it but what is reported, so
//! whatever cannot be understood is passed over, and a jar without such files offers nothing that is known.

use std::io::Read as _;
use std::ops::Range;

use flate2::read::DeflateDecoder;
use memchr::memmem;

/// What the names of both files begin with.
const PREFIX: &[u8] = b"META-INF/services/org.apache.kafka.connect.";

/// The two files.
const NAMES: [&[u8]; 2] = [
    b"META-INF/services/org.apache.kafka.connect.source.SourceConnector",
    b"META-INF/services/org.apache.kafka.connect.sink.SinkConnector",
];

/// Bytes of a local file header in front of the name (PKWARE APPNOTE 4.3.7).
const HEADER: usize = 30;

/// Most bytes of such a file, packed and unpacked.
const MAX_FILE: usize = 16 << 10;

/// Most such files of one jar; an honest one has two.
const MAX_FILES: usize = 8;

/// Most connectors of one artifact, and the longest name of a class.
const MAX_CONNECTORS: usize = 200;
const MAX_NAME: usize = 300;

/// Looks at the bytes of one jar.
#[derive(Debug, Default)]
pub(super) struct Services {
    /// What has passed by and may be the start of something.
    window: Vec<u8>,
    files: usize,
    connectors: Vec<String>,
}

impl Services {
    /// The next bytes of the jar.
    pub(super) fn see(&mut self, bytes: &[u8]) {
        if self.files >= MAX_FILES {
            return;
        }
        self.window.extend_from_slice(bytes);
        let done = self.search(false);
        self.window.drain(..done);
    }

    /// What was found, when the jar has passed.
    pub(super) fn finish(mut self) -> Vec<String> {
        self.search(true);
        self.connectors
    }

    /// Looks through the window; what stands before the place that it gives has been seen. `last` says that nothing follows.
    fn search(&mut self, last: bool) -> usize {
        let mut from = 0;
        while self.files < MAX_FILES
            && let Some(found) = memmem::find(&self.window[from..], PREFIX)
        {
            let name = from + found;
            from = name + 1;
            let Some(start) = name.checked_sub(HEADER) else { continue };
            match local_header(&self.window[start..]) {
                Header::Other => {}
                Header::Unfinished if last => {}
                Header::Unfinished => return start,
                Header::Service { method, size, data } => {
                    let data = start + data;
                    if self.window.len() < data + size && !last {
                        return start;
                    }
                    let end = self.window.len().min(data + size);
                    self.files += 1;
                    from = data + self.read_file(method, data..end);
                }
            }
        }
        from.max(self.window.len().saturating_sub(HEADER + PREFIX.len() - 1))
    }

    /// Reads a file's packed bytes, and gives how many they were.
    fn read_file(&mut self, method: Method, place: Range<usize>) -> usize {
        let packed = &self.window[place];
        let mut text = Vec::new();
        let length = match method {
            Method::Stored => {
                text.extend_from_slice(packed);
                packed.len()
            }
            Method::Deflated => {
                let mut content = DeflateDecoder::new(packed).take(MAX_FILE as u64);
                // What came before an error counts.
                let _ = content.read_to_end(&mut text);
                usize::try_from(content.get_ref().total_in())
                    .map_or(packed.len(), |read| read.min(packed.len()))
            }
        };
        for line in String::from_utf8_lossy(&text).lines() {
            let name = line.split('#').next().unwrap_or_default().trim();
            let lawful = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$');
            if !name.is_empty()
                && name.len() <= MAX_NAME
                && name.chars().all(lawful)
                && self.connectors.len() < MAX_CONNECTORS
                && self.connectors.iter().all(|known| known != name)
            {
                self.connectors.push(name.to_owned());
            }
        }
        length
    }
}

#[derive(Debug, Clone, Copy)]
enum Method {
    Stored,
    Deflated,
}

enum Header {
    /// Not the header of one of the two files.
    Other,
    /// It goes on behind what has passed so far.
    Unfinished,
    /// One of the two files: its data begins `data` bytes further on, and has at most `size` bytes.
    Service { method: Method, size: usize, data: usize },
}

fn local_header(bytes: &[u8]) -> Header {
    let number = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    if !bytes.starts_with(b"PK\x03\x04") {
        return Header::Other;
    }
    let (flags, method, size, unpacked) = (number(6), number(8), number(18), number(22));
    let large = number(20) > 0 || number(24) > 0 || size > MAX_FILE || unpacked > MAX_FILE;
    let (name, extra) = (number(26), number(28));
    let encrypted = flags & 1 != 0;
    // The size stands behind the data (APPNOTE 4.4.4, bit 3).
    let streamed = flags & 8 != 0;
    if NAMES.iter().all(|known| known.len() != name) || large || encrypted {
        return Header::Other;
    }
    let Some(found) = bytes.get(HEADER..HEADER + name) else { return Header::Unfinished };
    if !NAMES.contains(&found) {
        return Header::Other;
    }
    if bytes.len() < HEADER + name + extra {
        return Header::Unfinished;
    }
    let data = HEADER + name + extra;
    match (method, streamed) {
        (8, true) => Header::Service { method: Method::Deflated, size: MAX_FILE, data },
        (8, false) => Header::Service { method: Method::Deflated, size, data },
        (0, false) => Header::Service { method: Method::Stored, size, data },
        _ => Header::Other,
    }
}

#[cfg(test)]
mod tests;
