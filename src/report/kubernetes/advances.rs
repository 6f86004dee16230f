//! How far a build is, counted from its events on their way to the console.

use std::sync::{Arc, Mutex, PoisonError};

use crate::progress::{Direction, Event, Reporter};
use crate::report::status::Advance;

/// Passes events on, and counts.
pub(super) struct Tee {
    next: Arc<dyn Reporter>,
    advances: Arc<Advances>,
}

impl Tee {
    pub(super) fn new(next: Arc<dyn Reporter>, advances: Arc<Advances>) -> Self {
        Self { next, advances }
    }
}

impl Reporter for Tee {
    fn report(&self, event: &Event<'_>) {
        self.advances.hear(event);
        self.next.report(event);
    }
}

/// How far the build is, as its events tell.
#[derive(Default)]
pub(super) struct Advances(Mutex<Advance>);

impl Advances {
    pub(super) fn get(&self) -> Advance {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_plugins(&self, plugins: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).plugins = Some(plugins);
    }

    fn hear(&self, event: &Event<'_>) {
        let mut advance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::ArtifactsFetched { .. } => advance.fetched += 1,
            Event::LayerBuilt { .. } => advance.built += 1,
            Event::TransferEnded { direction: Direction::Download, bytes, .. } => advance.downloaded += bytes,
            Event::TransferEnded { direction: Direction::Upload, bytes, .. } => advance.uploaded += bytes,
            _ => {}
        }
    }
}
