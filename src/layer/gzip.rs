//! gzip in which what is compressed already is stored, and only the rest deflated.
//!
//! A connector is nearly all jars, and deflating a jar again costs thirty times what storing it does, for a few
//! per cent. So the stream is cut into slices of [`SLICE`] bytes, each is judged by its bytes ([`compressible`]), and
//! goes out as a stored block or through the deflater. The result is one ordinary gzip member (RFC 1952). Slices lie at
//! fixed offsets, so the output depends on the input alone: not on how it was cut into writes, on threads or on the CPU.
//! It does depend on the version of the deflater, which the lock file pins and a golden digest watches.

use std::io::{self, Write};

use flate2::{Compress, Compression, Crc, FlushCompress};

use super::Compressor;

/// The longest stored block (RFC 1951, section 3.2.4).
const SLICE: usize = 65_535;

/// Deflate level of what is worth it.
const LEVEL: u32 = 6;

/// Magic, deflate, no flags, no time, no extra flags, operating system unknown.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// An empty, final stored block.
const LAST_BLOCK: [u8; 5] = [1, 0, 0, 0xff, 0xff];

/// Bytes of a slice that are looked at.
const SAMPLE: usize = 4_096;
/// Bytes looked at together.
const WINDOW: usize = 256;

pub(super) struct Gzip<W> {
    out: W,
    slice: Vec<u8>,
    deflater: Compress,
    /// Whether a run of deflated slices is open.
    deflating: bool,
    deflated: Vec<u8>,
    crc: Crc,
}

impl<W: Write> Gzip<W> {
    pub(super) fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&HEADER)?;
        Ok(Self {
            out,
            slice: Vec::with_capacity(SLICE),
            deflater: Compress::new(Compression::new(LEVEL), false),
            deflating: false,
            deflated: Vec::with_capacity(SLICE + 1_024),
            crc: Crc::new(),
        })
    }

    fn end_slice(&mut self) -> io::Result<()> {
        self.crc.update(&self.slice);
        let slice = std::mem::take(&mut self.slice);
        if compressible(&slice) {
            self.deflating = true;
            self.deflate(&slice, FlushCompress::None)?;
        } else if !slice.is_empty() {
            self.end_run()?;
            self.store(&slice)?;
        }
        self.slice = slice;
        self.slice.clear();
        Ok(())
    }

    /// Ends the deflated run on a byte boundary. The next run starts afresh: the deflater has not seen what is stored in
    /// between, so it may not refer back across it.
    fn end_run(&mut self) -> io::Result<()> {
        if self.deflating {
            self.deflate(&[], FlushCompress::Sync)?;
            self.deflater.reset();
            self.deflating = false;
        }
        Ok(())
    }

    fn deflate(&mut self, mut input: &[u8], flush: FlushCompress) -> io::Result<()> {
        loop {
            self.deflated.clear();
            let before = self.deflater.total_in();
            self.deflater.compress_vec(input, &mut self.deflated, flush)?;
            let taken = usize::try_from(self.deflater.total_in() - before).unwrap_or(input.len());
            input = &input[taken..];
            self.out.write_all(&self.deflated)?;
            // A buffer that is not full means that nothing waits inside.
            if input.is_empty() && self.deflated.len() < self.deflated.capacity() {
                return Ok(());
            }
        }
    }

    fn store(&mut self, slice: &[u8]) -> io::Result<()> {
        let length = u16::try_from(slice.len()).map_err(io::Error::other)?;
        let [low, high] = length.to_le_bytes();
        self.out.write_all(&[0, low, high, !low, !high])?;
        self.out.write_all(slice)
    }
}

impl<W: Write> Write for Gzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(SLICE - self.slice.len());
        self.slice.extend_from_slice(&bytes[..count]);
        if self.slice.len() == SLICE {
            self.end_slice()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Compressor for Gzip<W> {
    fn end(mut self: Box<Self>) -> io::Result<()> {
        self.end_slice()?;
        self.end_run()?;
        self.out.write_all(&LAST_BLOCK)?;
        self.out.write_all(&self.crc.sum().to_le_bytes())?;
        self.out.write_all(&self.crc.amount().to_le_bytes())?;
        self.out.flush()
    }
}

/// Whether deflating `slice` is worth it: whether two of its bytes are equal more often than in random data.
///
/// Of random bytes two are equal once in 256 pairs; compressed data comes close to that, Base64 has one in 64, text and
/// class files one in 20 to 30. The line is drawn at one in 160. Integers only, so every machine decides alike.
fn compressible(slice: &[u8]) -> bool {
    let mut counts = [0_u64; 256];
    let step = (slice.len() / (SAMPLE / WINDOW)).max(WINDOW);
    let mut total = 0_u64;
    for window in slice.chunks(step).map(|chunk| &chunk[..chunk.len().min(WINDOW)]) {
        for &byte in window {
            counts[usize::from(byte)] += 1;
        }
        total += window.len() as u64;
    }
    let equal_pairs: u64 = counts.iter().map(|count| count * count.saturating_sub(1)).sum();
    equal_pairs * 160 > total * total.saturating_sub(1)
}

#[cfg(test)]
mod tests;
