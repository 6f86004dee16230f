//! The one directory that a build writes to: spooled artifacts and finished layers, removed at the end.
//!
//! Every name in it is ours, never an archive's or a resource's. What goes wrong there is nearly always a
//! volume that is read-only or too small, so [`WorkspaceError`] says which directory and what to mount.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::{Diagnose, Reason};

/// A private directory with the life of the build.
#[derive(Debug)]
pub struct Workspace {
    directory: TempDir,
}

/// The workspace cannot be made or written.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// No directory could be made.
    #[error("cannot create a workspace in `{}`", parent.display())]
    Create {
        /// Where it should have been.
        parent: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The volume is full.
    #[error("the volume of the workspace `{}` is full", directory.display())]
    Full {
        /// The workspace.
        directory: PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// A file in it cannot be written or read back.
    #[error("cannot write to the workspace `{}`", directory.display())]
    Write {
        /// The workspace.
        directory: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl WorkspaceError {
    /// Sorts an error of a file in the workspace `directory`.
    pub fn new(directory: &Path, source: io::Error) -> Self {
        let directory = directory.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { directory, source },
            _ => Self::Write { directory, source },
        }
    }
}

impl Diagnose for WorkspaceError {
    fn reason(&self) -> Reason {
        Reason::WorkspaceFailed
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Full { .. } => {
                "a build needs room for its downloads and its layers, about twice the size of \
                 the artifacts: mount a larger volume and name it with `--workspace DIR` or `TMPDIR`"
                    .into()
            }
            Self::Create { .. } | Self::Write { .. } => {
                "mount a writable volume (an emptyDir) and name it with `--workspace DIR` or `TMPDIR`".into()
            }
        })
    }
}

/// A file's name in the workspace: unique for the plugin, and short whatever the plugin's name is.
pub(crate) fn workspace_name(plugin: &str, suffix: &str) -> String {
    let start: String = plugin.chars().take(40).collect();
    let digest = crate::digest::Digest::of(plugin.as_bytes()).hex();
    format!("{start}-{}.{suffix}", &digest[..16])
}

impl Workspace {
    /// Makes a new directory inside `parent`, readable by this user alone.
    pub fn create(parent: &Path) -> Result<Self, WorkspaceError> {
        let fail = |source| WorkspaceError::Create { parent: parent.to_owned(), source };
        std::fs::metadata(parent).map_err(fail)?;
        let directory = tempfile::Builder::new().prefix("connect-build-").tempdir_in(parent);
        // tempfile's own words would name a directory that nobody knows.
        directory.map(|directory| Self { directory }).map_err(|error| fail(error.kind().into()))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A new file of this name, with its path.
    pub fn create_file(&self, name: &str) -> Result<(File, PathBuf), WorkspaceError> {
        let path = self.path().join(name);
        match File::create_new(&path) {
            Ok(file) => Ok((file, path)),
            Err(source) => Err(WorkspaceError::new(self.path(), source)),
        }
    }
}
