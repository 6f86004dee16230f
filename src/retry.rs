//! One policy for trying again: exponential waits with jitter, bounded in count and in length, and never
//! shorter than what the server asked for in `Retry-After`.
//!
//! Whether an error is worth a second try is the error's own word ([`Diagnose::is_transient`]).

use std::future::Future;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};

use crate::error::{Diagnose, one_line};

/// How often and how patiently to try.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Tries after the first one.
    pub retries: usize,
    /// The wait before the second try; it doubles from then on.
    pub first_wait: Duration,
    /// The longest wait, also when a server asks for more.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { retries: 3, first_wait: Duration::from_millis(500), longest_wait: Duration::from_secs(30) }
    }
}

impl RetryPolicy {
    /// Runs `operation` until it succeeds, fails for good, or the tries are used up; the last error stays.
    pub async fn run<T, E, F, Fut>(&self, operation: F) -> Result<T, E>
    where
        E: Diagnose,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let backoff = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(self.first_wait)
            .with_max_delay(self.longest_wait)
            .with_max_times(self.retries);
        operation
            .retry(backoff)
            .sleep(tokio::time::sleep)
            .when(E::is_transient)
            .adjust(|error, wait| {
                wait.map(|wait| error.retry_after().unwrap_or_default().max(wait).min(self.longest_wait))
            })
            .notify(|error, wait| {
                tracing::warn!("{}; trying again in {:.1} s", one_line(error), wait.as_secs_f64());
            })
            .await
    }
}

#[cfg(test)]
mod tests;
