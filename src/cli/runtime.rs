//! Threads for what waits, and the signals that end it.

use std::time::Duration;

use super::error::CliError;

/// How long threads get to notice that the build has ended.
pub(super) const SHUTDOWN: Duration = Duration::from_millis(500);

/// Threads for everything that waits.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().map_err(CliError::Start)
}

/// The name of the first signal that wants this process to end.
pub(super) fn signal() -> std::io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            _ = hangup.recv() => "SIGHUP",
        }
    })
}
