//! Which paths a plugin's layer holds so far, and which may still come.
//!
//! A file may not come twice, nor stand where a directory is, nor the reverse: readers disagree on who wins. A
//! directory may be named again, which changes nothing, since all directories of a layer are alike. Names that
//! only a case-insensitive or normalising reader would confuse are remarked upon.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use unicode_normalization::UnicodeNormalization as _;

use super::Refusal;
use crate::path::EntryPath;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    File,
}

/// The paths of one plugin's layer.
#[derive(Debug, Default)]
pub struct Tree {
    kinds: HashMap<String, Kind>,
    folded: HashMap<String, String>,
}

impl Tree {
    /// An empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a directory; `false` if it is there already.
    pub(super) fn directory(&mut self, path: &EntryPath, remarks: &mut Vec<String>) -> Result<bool, Refusal> {
        self.ancestors(path, remarks)?;
        self.add_directory(path, remarks)
    }

    /// Adds a file.
    pub(super) fn file(&mut self, path: &EntryPath, remarks: &mut Vec<String>) -> Result<(), Refusal> {
        self.ancestors(path, remarks)?;
        match self.kinds.entry(path.to_string()) {
            Entry::Vacant(vacant) => {
                vacant.insert(Kind::File);
                self.fold(path, remarks);
                Ok(())
            }
            Entry::Occupied(earlier) => Err(match earlier.get() {
                Kind::File => Refusal::Duplicate,
                Kind::Directory => Refusal::FileOverDirectory,
            }),
        }
    }

    fn ancestors(&mut self, path: &EntryPath, remarks: &mut Vec<String>) -> Result<(), Refusal> {
        for ancestor in path.ancestors() {
            self.add_directory(&ancestor, remarks)?;
        }
        Ok(())
    }

    fn add_directory(&mut self, path: &EntryPath, remarks: &mut Vec<String>) -> Result<bool, Refusal> {
        match self.kinds.get(path.as_str()) {
            Some(Kind::Directory) => Ok(false),
            Some(Kind::File) => Err(Refusal::DirectoryOverFile),
            None => {
                self.kinds.insert(path.to_string(), Kind::Directory);
                self.fold(path, remarks);
                Ok(true)
            }
        }
    }

    fn fold(&mut self, path: &EntryPath, remarks: &mut Vec<String>) {
        let folded: String = path.as_str().nfkc().flat_map(char::to_lowercase).collect();
        match self.folded.entry(folded) {
            Entry::Vacant(vacant) => {
                vacant.insert(path.to_string());
            }
            Entry::Occupied(earlier) => remarks.push(format!(
                "`{path}` and `{}` are one name for readers that fold case or normalise",
                earlier.get()
            )),
        }
    }
}
