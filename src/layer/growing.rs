//! A layer file that can be read while it is written.
//!
//! The writer's end tells how far the file goes; the reader's end waits until there is more. An upload can so follow a
//! layer that is still being made, and start over from the file if it has to.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    written: u64,
    complete: bool,
}

/// The writer's end. Dropped before [`Growth::complete`], the layer has failed.
#[derive(Debug)]
pub(super) struct Growth(watch::Sender<State>);

/// The reader's end.
#[derive(Debug, Clone)]
pub struct Growing {
    path: PathBuf,
    state: watch::Receiver<State>,
}

/// Both ends for the file at `path`.
pub(super) fn pair(path: &Path) -> (Growth, Growing) {
    let (sender, state) = watch::channel(State { written: 0, complete: false });
    (Growth(sender), Growing { path: path.to_owned(), state })
}

impl Growth {
    pub(super) fn to(&self, written: u64) {
        self.0.send_modify(|state| state.written = written);
    }

    pub(super) fn complete(&self) {
        self.0.send_modify(|state| state.complete = true);
    }
}

/// A reader's place in a growing file.
#[derive(Debug)]
pub struct Follower {
    file: File,
    position: u64,
    state: watch::Receiver<State>,
}

impl Growing {
    /// Whether the whole file is there.
    pub fn is_complete(&self) -> bool {
        self.state.borrow().complete
    }

    /// Reads from the first byte on.
    pub async fn follow(&self) -> io::Result<Follower> {
        Ok(Follower { file: File::open(&self.path).await?, position: 0, state: self.state.clone() })
    }
}

impl Follower {
    /// The next bytes, at most `limit` of them; empty at the end of a complete file.
    ///
    /// # Errors
    /// Reading fails, or the writer gave up.
    pub async fn next(&mut self, limit: usize) -> io::Result<Vec<u8>> {
        let position = self.position;
        let state = *(self.state)
            .wait_for(|state| state.complete || state.written > position)
            .await
            .map_err(|_| io::Error::other("the layer was not finished"))?;
        let available = usize::try_from(state.written - self.position).unwrap_or(limit).min(limit);
        let mut bytes = vec![0; available];
        self.file.read_exact(&mut bytes).await?;
        self.position += available as u64;
        Ok(bytes)
    }
}
