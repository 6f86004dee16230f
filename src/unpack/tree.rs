//! Which paths a plugin's layer holds so far, and which may still come.
//!
//! A file may not come twice, nor stand where a directory is, nor the reverse: readers disagree on who wins. A
//! directory may be named again, which changes nothing, since all directories of a layer are alike. Names that
//! only a case-insensitive or normalising reader would confuse are remarked upon. Paths are kept as digests, so that
//! memory does not grow with the length of names.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use unicode_normalization::UnicodeNormalization as _;

use super::Refusal;
use crate::path::{EntryPath, PathKey};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    File,
}

/// The paths of one plugin's layer.
#[derive(Debug, Default)]
pub struct Tree {
    kinds: HashMap<PathKey, Kind>,
    folded: HashSet<PathKey>,
}

/// What an entry adds to the tree.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Added {
    /// Directories that are new: the entry's ancestors, and itself if it is one.
    pub(super) directories: Vec<EntryPath>,
    /// Some new name differs from another one only by case or normalisation.
    pub(super) confusable: bool,
}

impl Tree {
    /// An empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a directory and its ancestors.
    pub(super) fn directory(&mut self, path: &EntryPath) -> Result<Added, Refusal> {
        let mut added = Added::default();
        for directory in path.ancestors().chain([path.clone()]) {
            match self.kinds.entry(PathKey::of(directory.as_str())) {
                Entry::Occupied(earlier) if *earlier.get() == Kind::File => {
                    return Err(Refusal::DirectoryOverFile);
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(vacant) => {
                    vacant.insert(Kind::Directory);
                    added.confusable |= self.confusable(&directory);
                    added.directories.push(directory);
                }
            }
        }
        Ok(added)
    }

    /// Adds a file and its ancestors.
    pub(super) fn file(&mut self, path: &EntryPath) -> Result<Added, Refusal> {
        let mut added = match path.parent() {
            Some(parent) => self.directory(&parent)?,
            None => Added::default(),
        };
        match self.kinds.entry(PathKey::of(path.as_str())) {
            Entry::Vacant(vacant) => {
                vacant.insert(Kind::File);
                added.confusable |= self.confusable(path);
                Ok(added)
            }
            Entry::Occupied(earlier) => Err(match earlier.get() {
                Kind::File => Refusal::Duplicate,
                Kind::Directory => Refusal::FileOverDirectory,
            }),
        }
    }

    /// Whether the folded form of a new path was there before.
    fn confusable(&mut self, path: &EntryPath) -> bool {
        let folded: String = path.as_str().nfkc().flat_map(char::to_lowercase).collect();
        !self.folded.insert(PathKey::of(&folded))
    }
}
