//! The law of paths: names from strangers become an [`EntryPath`] or are refused.
//!
//! An `EntryPath` is relative, non-empty UTF-8 with forward slashes, without `.` or `..` or empty components,
//! without control or direction-changing characters, and not a whiteout. Joined below a plugin's directory it
//! cannot leave it, on any operating system that unpacks the image. There is no other way to name an entry of
//! a layer.

use std::fmt;

use sha2::Digest as _;

/// Longest path in bytes (Linux `PATH_MAX`).
pub const MAX_PATH_BYTES: usize = 4_096;
/// Longest component in bytes (Linux `NAME_MAX`).
pub const MAX_COMPONENT_BYTES: usize = 255;

/// A lawful relative path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryPath(String);

/// Why a name is no lawful path. The words follow "the name …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathRefused {
    /// No name at all, or nothing but `.` and slashes.
    #[error("is empty")]
    Empty,
    /// Bytes that are not UTF-8, from this offset on.
    #[error("is not UTF-8 (from byte {0} on)")]
    NotUtf8(usize),
    /// A leading slash.
    #[error("is an absolute path")]
    Absolute,
    /// `C:` or `\\server`.
    #[error("starts with a Windows drive or server")]
    Windows,
    /// A `..` component.
    #[error("has a `..` component and could leave its directory")]
    Parent,
    /// A backslash, which some readers take for a separator.
    #[error("has a backslash, which some readers take for a separator")]
    Backslash,
    /// NUL, a control character, or one that changes the direction of text.
    #[error("has the character U+{:04X}, which is not allowed in a name", u32::from(*.0))]
    Character(char),
    /// Over [`MAX_PATH_BYTES`].
    #[error("is {0} bytes long, more than {MAX_PATH_BYTES}")]
    Long(usize),
    /// A component over [`MAX_COMPONENT_BYTES`].
    #[error("has a component of {0} bytes, more than {MAX_COMPONENT_BYTES}")]
    LongComponent(usize),
    /// A slash where there may be none.
    #[error("has a slash, but must be the name of one file")]
    Slash,
    /// Deeper than the limit.
    #[error("is nested {0} directories deep, more than the limit of {1}")]
    Deep(usize, usize),
    /// A component that begins with `.wh.` (OCI image-spec, layer, "Whiteouts").
    #[error("is a whiteout (`.wh.`), which would delete files of the base image")]
    Whiteout,
}

impl EntryPath {
    /// Reads a name as an archive gives it; `./` and doubled or trailing slashes are normalised away.
    pub fn parse(name: &[u8], max_depth: usize) -> Result<Self, PathRefused> {
        if name.len() > MAX_PATH_BYTES {
            return Err(PathRefused::Long(name.len()));
        }
        let name = std::str::from_utf8(name).map_err(|e| PathRefused::NotUtf8(e.valid_up_to()))?;
        if let Some(character) = name.chars().find(|&c| forbidden(c)) {
            return Err(PathRefused::Character(character));
        }
        if name.starts_with('/') {
            return Err(PathRefused::Absolute);
        }
        if name.starts_with(r"\\")
            || matches!(name.as_bytes(), [drive, b':', ..] if drive.is_ascii_alphabetic())
        {
            return Err(PathRefused::Windows);
        }
        if name.contains('\\') {
            return Err(PathRefused::Backslash);
        }
        let components: Vec<&str> = name.split('/').filter(|c| !matches!(*c, "" | ".")).collect();
        for component in &components {
            match *component {
                ".." => return Err(PathRefused::Parent),
                long if long.len() > MAX_COMPONENT_BYTES => {
                    return Err(PathRefused::LongComponent(long.len()));
                }
                hidden if hidden.starts_with(".wh.") => return Err(PathRefused::Whiteout),
                _ => {}
            }
        }
        match components.len() {
            0 => Err(PathRefused::Empty),
            depth if depth > max_depth => Err(PathRefused::Deep(depth, max_depth)),
            _ => Ok(Self(components.join("/"))),
        }
    }

    /// Reads a name that must be one component: a plugin, a file name.
    pub fn component(name: &str) -> Result<Self, PathRefused> {
        // The law's other words come first: `../x` is worse than a slash.
        let path = Self::parse(name.as_bytes(), usize::MAX)?;
        if name.contains('/') { Err(PathRefused::Slash) } else { Ok(path) }
    }

    /// This path below `parent`.
    #[must_use]
    pub fn below(&self, parent: &EntryPath) -> Self {
        Self(format!("{parent}/{self}"))
    }

    /// The path, without a leading or trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory that holds it.
    #[must_use]
    pub fn parent(&self) -> Option<EntryPath> {
        self.0.rfind('/').map(|index| Self(self.0[..index].to_owned()))
    }

    /// The directories that lead here, outermost first, this path not included.
    pub fn ancestors(&self) -> impl Iterator<Item = EntryPath> + '_ {
        self.0.match_indices('/').map(|(index, _)| Self(self.0[..index].to_owned()))
    }
}

/// A path's identity in 16 bytes, half of its SHA-256. Two paths with one key would take 2^64 tries to find, and would be
/// refused as one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PathKey([u8; 16]);

impl PathKey {
    /// The key of `path`.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let digest: [u8; 32] = sha2::Sha256::digest(path.as_bytes()).into();
        Self(std::array::from_fn(|index| digest[index]))
    }
}

impl fmt::Display for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Control characters, and the marks by which shown text can lie about its order (Unicode UAX #9).
fn forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// A text from a stranger with its control and direction characters escaped.
#[must_use]
pub fn plain(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.chars().any(forbidden) {
        return text.into();
    }
    let mut plain = String::new();
    for c in text.chars() {
        if forbidden(c) {
            plain.extend(c.escape_unicode());
        } else {
            plain.push(c);
        }
    }
    plain.into()
}

/// A name from a stranger, fit to be shown: control and direction characters escaped, long ones cut.
#[must_use]
pub fn shown(name: &[u8]) -> String {
    let mut text = String::new();
    for c in String::from_utf8_lossy(name).chars() {
        if text.len() > 200 {
            text.push('…');
            break;
        }
        if forbidden(c) {
            text.extend(c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests;
