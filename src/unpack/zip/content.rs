//! What is in an entry: exactly the announced bytes, made of exactly its compressed ones, with the CRC of its headers.

use std::io::{self, BufReader, Read};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use zip::CompressionMethod;

use super::BUFFER;
use crate::unpack::Refusal;

/// The content of an entry: exactly the announced bytes, made of exactly its compressed ones.
pub(super) struct Content<'a> {
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
    pub(super) fn of<R: Read>(entry: &'a mut zip::read::ZipFile<'_, R>) -> Result<Self, Refusal> {
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
    pub(super) fn at_end(&mut self) -> Result<(), Refusal> {
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
