//! The checksums that repositories keep beside their files, or send along with them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use md5::Md5;
use reqwest::header::HeaderMap;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use crate::digest::hex;

/// How a file is summed, the best way first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-512.
    Sha512,
    /// SHA-256.
    Sha256,
    /// SHA-1, which nearly every repository has.
    Sha1,
    /// MD5, which old ones have.
    Md5,
}

impl Algorithm {
    /// All of them, the best first.
    pub const ALL: [Self; 4] = [Self::Sha512, Self::Sha256, Self::Sha1, Self::Md5];

    /// The file's extension, without its dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Sha512 => "sha512",
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
        }
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha512 => "SHA-512",
            Self::Sha256 => "SHA-256",
            Self::Sha1 => "SHA-1",
            Self::Md5 => "MD5",
        }
    }

    /// The sum of some bytes, as lower-case digits.
    pub fn of(self, bytes: &[u8]) -> String {
        match self {
            Self::Sha512 => hex(&Sha512::digest(bytes)),
            Self::Sha256 => hex(&Sha256::digest(bytes)),
            Self::Sha1 => hex(&Sha1::digest(bytes)),
            Self::Md5 => hex(&Md5::digest(bytes)),
        }
    }

    /// The sum of a file.
    pub fn of_file(self, path: &Path) -> io::Result<String> {
        fn run<D: sha2::Digest>(path: &Path) -> io::Result<String> {
            let (mut file, mut hasher) = (File::open(path)?, D::new());
            let mut buffer = vec![0; 128 << 10];
            loop {
                match file.read(&mut buffer)? {
                    0 => return Ok(hex(&hasher.finalize())),
                    count => hasher.update(&buffer[..count]),
                }
            }
        }
        match self {
            Self::Sha512 => run::<Sha512>(path),
            Self::Sha256 => run::<Sha256>(path),
            Self::Sha1 => run::<Sha1>(path),
            Self::Md5 => run::<Md5>(path),
        }
    }

    const fn digits(self) -> usize {
        match self {
            Self::Sha512 => 128,
            Self::Sha256 => 64,
            Self::Sha1 => 40,
            Self::Md5 => 32,
        }
    }

    /// The sum that a file beside another one gives: alone, before a name, or behind `name = `
    /// (`ChecksumUtils.read`). Anything else is no sum.
    pub fn read(self, text: &str) -> Option<String> {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
        let word = match line.rsplit_once('=') {
            Some((_, sum)) => sum.trim(),
            None => line.split_whitespace().next()?,
        };
        (word.len() == self.digits() && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| word.to_ascii_lowercase())
    }
}

/// The best sum among an answer's headers: `X-Checksum-Sha1` and its like, as Central, Artifactory and others send them, and
/// `x-goog-meta-checksum-sha1` of Google's storage (`ChecksumExtractorStrategy` of resolver 1.9).
pub(super) fn of_headers(headers: &HeaderMap) -> Option<(Algorithm, String)> {
    Algorithm::ALL.into_iter().find_map(|algorithm| {
        let name = algorithm.extension();
        let names = [format!("x-checksum-{name}"), format!("x-goog-meta-checksum-{name}")];
        let value = names.iter().find_map(|name| headers.get(name))?.to_str().ok()?;
        Some((algorithm, algorithm.read(value)?))
    })
}

#[cfg(test)]
mod tests;
