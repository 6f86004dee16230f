//! The second half of a layer's way: `diff_id`, compression, digest and file, on a thread of its own.
//!
//! Inflating an archive and hashing a layer each take a good part of a core. The writer's thread hands over buffers and
//! gets them back empty; [`BUFFERS`] of them bound the memory.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use super::Compressor;
use super::growing::Growth;
use super::gzip::Gzip;
use crate::digest::{Digest, DigestWriter};
use crate::plan::Compression;

/// Bytes of tar handed over at once.
const BUFFER: usize = 256 << 10;
/// Buffers in all.
const BUFFERS: usize = 4;

/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;

/// The layer's measures.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) diff_id: Digest,
    pub(super) unpacked: u64,
}

/// What goes to the thread. Without an end the layer was given up, and is not to look complete.
enum Message {
    Bytes(Vec<u8>),
    End,
}

/// Takes the tar.
pub(super) struct Encoder {
    filling: Vec<u8>,
    full: SyncSender<Message>,
    empty: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<io::Result<Encoded>>>,
}

impl Encoder {
    pub(super) fn start(file: File, growth: Growth, compression: Compression) -> io::Result<Self> {
        let (full, receiver) = sync_channel(BUFFERS);
        let (returner, empty) = channel();
        for _ in 1..BUFFERS {
            let _ = returner.send(Vec::with_capacity(BUFFER));
        }
        let thread = std::thread::Builder::new()
            .name("layer".into())
            .spawn(move || encode(file, growth, compression, &receiver, &returner))?;
        Ok(Self { filling: Vec::with_capacity(BUFFER), full, empty, thread: Some(thread) })
    }

    /// Waits for the last byte.
    pub(super) fn finish(mut self) -> io::Result<Encoded> {
        self.hand_over()?;
        // If nobody takes it, the thread has an error to tell.
        let _ = self.full.send(Message::End);
        self.join()
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let filled = std::mem::take(&mut self.filling);
        let sent = self.full.send(Message::Bytes(filled)).is_ok();
        match self.empty.recv() {
            Ok(empty) if sent => {
                self.filling = empty;
                Ok(())
            }
            // The thread has ended early, and only an error makes it.
            _ => Err(self.join().err().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn join(&mut self) -> io::Result<Encoded> {
        let thread = self.thread.take().ok_or(io::ErrorKind::BrokenPipe)?;
        thread.join().map_err(|_| io::Error::other("the thread that writes the layer panicked"))?
    }
}

impl Write for Encoder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(BUFFER - self.filling.len());
        self.filling.extend_from_slice(&bytes[..count]);
        if self.filling.len() == BUFFER {
            self.hand_over()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn encode(
    file: File,
    growth: Growth,
    compression: Compression,
    full: &Receiver<Message>,
    empty: &Sender<Vec<u8>>,
) -> io::Result<Encoded> {
    let mut output = DigestWriter::new(Counted { file, growth, written: 0 });
    let mut tar = DigestWriter::new(compressor(compression, &mut output)?);
    while let Message::Bytes(mut buffer) = full.recv().map_err(|_| io::ErrorKind::Interrupted)? {
        tar.write_all(&buffer)?;
        buffer.clear();
        // The other side may have what it needs and be gone.
        let _ = empty.send(buffer);
    }
    let (compressor, diff_id, unpacked) = tar.finish();
    compressor.end()?;
    let (counted, digest, size) = output.finish();
    counted.growth.complete();
    Ok(Encoded { digest, size, diff_id, unpacked })
}

fn compressor<'a, W: Write + 'a>(compression: Compression, out: W) -> io::Result<Box<dyn Compressor + 'a>> {
    Ok(match compression {
        Compression::Gzip => Box::new(Gzip::new(out)?),
        Compression::Zstd => Box::new(Zstd(zstd::Encoder::new(out, ZSTD_LEVEL)?)),
        Compression::None => Box::new(Plain(out)),
    })
}

/// The file, and a word to whoever follows it.
struct Counted {
    file: File,
    growth: Growth,
    written: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.written += count as u64;
        self.growth.to(self.written);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

struct Zstd<W: Write>(zstd::Encoder<'static, W>);

impl<W: Write> Write for Zstd<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write> Compressor for Zstd<W> {
    fn end(self: Box<Self>) -> io::Result<()> {
        self.0.finish()?.flush()
    }
}

struct Plain<W>(W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write> Compressor for Plain<W> {
    fn end(mut self: Box<Self>) -> io::Result<()> {
        self.0.flush()
    }
}
