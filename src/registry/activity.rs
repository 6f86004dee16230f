//! Whether a transfer moves.
//!
//! reqwest's own timeouts cannot tell an upload that goes on from one that hangs, so whoever feeds a request's body tells
//! an [`Activity`], and [`Activity::watch`] gives the request up when nothing has moved for long.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::time::timeout;

use super::error::Cause;
use crate::http::{HttpError, STALL_TIMEOUT};

/// Signs of life of one transfer.
#[derive(Debug, Default)]
pub(super) struct Activity {
    buffers: AtomicU64,
    /// What is sent is not there yet: not the connection's fault.
    starving: AtomicBool,
}

impl Activity {
    /// A buffer went on its way.
    pub(super) fn moved(&self) {
        self.buffers.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits for `more` to send; the connection is not to blame meanwhile.
    pub(super) async fn waiting_for<T>(&self, more: impl Future<Output = T>) -> T {
        self.starving.store(true, Ordering::Relaxed);
        let there = more.await;
        self.starving.store(false, Ordering::Relaxed);
        there
    }

    /// The outcome of `request`, unless nothing moves for [`STALL_TIMEOUT`].
    pub(super) async fn watch<T>(
        &self,
        host: &str,
        request: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, Cause> {
        tokio::pin!(request);
        let mut before = None;
        loop {
            if let Ok(result) = timeout(STALL_TIMEOUT, &mut request).await {
                return result;
            }
            let now = Some(self.buffers.load(Ordering::Relaxed));
            if (before.is_none() && now == Some(0) || now == before) && !self.starving.load(Ordering::Relaxed)
            {
                return Err(Cause::Http(HttpError::Timeout { host: host.to_owned() }));
            }
            before = now;
        }
    }
}
