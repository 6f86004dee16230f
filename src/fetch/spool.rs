//! Writes a stream to a spool file and hashes it, on a thread of its own.
//!
//! Hashing half a gigabyte takes a second; it must not stand between the network and the disk. Memory is bounded by
//! the queue: a few buffers of what the network gives at once.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::DownloadError;
use crate::digest::{Sha512, Sha512Stream};
use crate::workspace::WorkspaceError;

/// Buffers between the network and the disk.
const QUEUE: usize = 4;

/// An open spool file.
pub(super) struct Spool {
    queue: mpsc::Sender<Bytes>,
    writer: JoinHandle<Result<(u64, Sha512), WorkspaceError>>,
    limit: u64,
    taken: u64,
}

impl Spool {
    /// Opens `path` anew; more than `limit` bytes are an error.
    pub(super) fn open(path: &Path, limit: u64) -> Result<Self, DownloadError> {
        let directory = path.parent().unwrap_or(path).to_owned();
        // A new file each time: the writer of an earlier try may not have noticed yet that it is over. It is made here and
        // not by the writer, which could be late and make it while the workspace is being removed.
        let _ = std::fs::remove_file(path);
        let file = File::create_new(path)
            .map_err(|source| DownloadError::Workspace(WorkspaceError::new(&directory, source)))?;
        let (queue, receiver) = mpsc::channel(QUEUE);
        let writer = tokio::task::spawn_blocking(move || write(file, &directory, receiver));
        Ok(Self { queue, writer, limit, taken: 0 })
    }

    /// Takes the next bytes.
    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<(), DownloadError> {
        self.taken += bytes.len() as u64;
        if self.taken > self.limit {
            return Err(DownloadError::TooLarge { limit: self.limit });
        }
        match self.queue.send(bytes).await {
            Ok(()) => Ok(()),
            // The writer has ended, which it does early only for an error.
            Err(_) => Err((&mut self.writer).await.map_or(DownloadError::Cancelled, |result| {
                result.err().map_or(DownloadError::Cancelled, DownloadError::Workspace)
            })),
        }
    }

    /// Waits until all is written; the length and the sum.
    pub(super) async fn finish(self) -> Result<(u64, Sha512), DownloadError> {
        drop(self.queue);
        match self.writer.await {
            Ok(result) => result.map_err(DownloadError::Workspace),
            Err(_) => Err(DownloadError::Cancelled),
        }
    }
}

fn write(
    mut file: File,
    directory: &Path,
    mut queue: mpsc::Receiver<Bytes>,
) -> Result<(u64, Sha512), WorkspaceError> {
    let (mut written, mut sum) = (0, Sha512Stream::default());
    while let Some(bytes) = queue.blocking_recv() {
        file.write_all(&bytes).map_err(|source| WorkspaceError::new(directory, source))?;
        sum.update(&bytes);
        written += bytes.len() as u64;
    }
    Ok((written, sum.finish()))
}
