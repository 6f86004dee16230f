//! gzip-compressed tar archives.
//!
//! Several gzip members are one stream (RFC 1952, section 2.2). CRC and length of each member are checked when its end
//! is reached, so the stream is read to its end, past the tar's own.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};

use flate2::bufread::GzDecoder;

use super::{Refusal, Unpacker, sniff, tar};

/// Compressed bytes read at once.
const BUFFER: usize = 128 << 10;

pub(super) fn read(unpacker: &mut Unpacker<'_>, file: File) -> Result<(), Refusal> {
    let mut file = BufReader::with_capacity(BUFFER, file);
    let start = file.fill_buf().map_err(Refusal::Io)?;
    if !start.starts_with(&MAGIC) {
        return Err(Refusal::NotGzip(sniff::describe(&start[..start.len().min(sniff::SNIFF_BYTES)])));
    }
    let limits = &unpacker.rules.limits;
    let left = unpacker.meter.most_inflated(limits);
    tar::read(unpacker, &mut Members { decoder: Some(GzDecoder::new(file)), left, ratio: limits.ratio })
}

/// Identification of a gzip member (RFC 1952, section 2.3.1), with the only method there is.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// The members of a gzip file as one stream, strict about what follows a member.
struct Members {
    /// Gone after the last member.
    decoder: Option<GzDecoder<BufReader<File>>>,
    /// Bytes that may still come out: padding and extension headers are no entries, and cost time all the same.
    left: u64,
    ratio: u64,
}

impl Read for Members {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let count = decoder.read(buffer).map_err(|error| damaged(&error).into_io())?;
            if count > 0 || buffer.is_empty() {
                let left = self.left.checked_sub(count as u64);
                self.left = left.ok_or_else(|| Refusal::Ratio(self.ratio).into_io())?;
                return Ok(count);
            }
            let Some(decoder) = self.decoder.take() else { break };
            let mut rest = decoder.into_inner();
            let next = rest.fill_buf()?;
            if next.is_empty() {
                break;
            }
            if !next.starts_with(&MAGIC[..next.len().min(MAGIC.len())]) {
                return Err(Refusal::GzipTrailing.into_io());
            }
            self.decoder = Some(GzDecoder::new(rest));
        }
        Ok(0)
    }
}

fn damaged(error: &io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Refusal::Truncated,
        _ => Refusal::Gzip(error.to_string()),
    }
}
