//! Content digests: OCI's `sha256:…`, Strimzi's `sha512sum`, and writers that compute them on the way.
//!
//! A [`Digest`] is always a well-formed `sha256:` digest; a [`Sha512`] always 64 bytes. Both are made by
//! parsing or by hashing, never from loose text.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512 as Sha512Hasher};

/// A `sha256:<64 lowercase hex digits>` digest (OCI image-spec, descriptor, "Digests").
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// Text that is not a `sha256:` digest.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a digest of the form `sha256:<64 hexadecimal digits>`")]
pub struct InvalidDigest(String);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of all that `hasher` has seen.
    pub(crate) fn from_hasher(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }

    /// The 64 hexadecimal digits, without `sha256:`.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    /// `sha256:` and the first 12 digits, for tables and progress lines.
    #[must_use]
    pub fn short(&self) -> String {
        format!("sha256:{}", &self.hex()[..12])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix("sha256:")
            .filter(|digits| !digits.bytes().any(|b| b.is_ascii_uppercase()))
            .and_then(unhex)
            .map(Self)
            .ok_or_else(|| InvalidDigest(text.to_owned()))
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidDigest;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// A SHA-512 sum, as `sha512sum` prints it: 128 hexadecimal digits, any letter case when read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sha512([u8; 64]);

impl fmt::Display for Sha512 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Text that is not a SHA-512 sum.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidSha512 {
    /// The number of characters that was found instead of 128.
    #[error("a SHA-512 sum has exactly 128 hexadecimal digits, this has {0} characters")]
    Length(usize),
    /// The first character that is no hexadecimal digit.
    #[error("a SHA-512 sum has only hexadecimal digits, this has `{}` at position {position}", .found.escape_default())]
    Digit {
        /// The character.
        found: char,
        /// Its place, counted from 1.
        position: usize,
    },
}

impl FromStr for Sha512 {
    type Err = InvalidSha512;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((index, found)) = (text.chars().enumerate()).find(|(_, c)| !c.is_ascii_hexdigit()) {
            return Err(InvalidSha512::Digit { found, position: index + 1 });
        }
        unhex(text).map(Self).ok_or(InvalidSha512::Length(text.len()))
    }
}

/// A SHA-512 that is still being computed.
#[derive(Debug, Default)]
pub struct Sha512Stream(Sha512Hasher);

impl Sha512Stream {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The sum of everything that a reader gives.
    pub fn of_reader(reader: &mut dyn io::Read) -> io::Result<Sha512> {
        let (mut stream, mut buffer) = (Self::default(), vec![0; 128 << 10]);
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(stream.finish()),
                count => stream.update(&buffer[..count]),
            }
        }
    }

    /// The sum of all bytes taken.
    #[must_use]
    pub fn finish(self) -> Sha512 {
        Sha512(self.0.finalize().into())
    }
}

/// Passes bytes on to `W` and computes their digest and number.
#[derive(Debug)]
pub struct DigestWriter<W> {
    inner: W,
    hasher: Sha256,
    written: u64,
}

impl<W: Write> DigestWriter<W> {
    /// A writer that has seen nothing yet.
    pub fn new(inner: W) -> Self {
        Self { inner, hasher: Sha256::new(), written: 0 }
    }

    /// Bytes passed on so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The inner writer, the digest and the number of bytes.
    pub fn finish(self) -> (W, Digest, u64) {
        (self.inner, Digest(self.hasher.finalize().into()), self.written)
    }
}

impl<W: Write> Write for DigestWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The first eight hexadecimal digits of the SHA-1 of `text`, as Strimzi names an artifact's directory.
///
/// Strimzi hashes `text.getBytes(US_ASCII)`, in which Java replaces every other character by `?`
/// (`io.strimzi.operator.common.Util.hashStub`).
#[must_use]
pub fn strimzi_stub(text: &str) -> String {
    let ascii: Vec<u8> =
        (text.chars()).map(|c| u8::try_from(c).ok().filter(u8::is_ascii).unwrap_or(b'?')).collect();
    hex(&sha1::Sha1::digest(&ascii)[..4])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    (bytes.iter())
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Vec<u8> =
        (text.chars()).map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair.iter().fold(0, |n, d| n << 4 | d)).collect();
    (digits.len() == 2 * N).then(|| bytes.try_into().ok()).flatten()
}

#[cfg(test)]
mod tests;
