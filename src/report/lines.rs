//! One line of the log for each thing that happened, for pods and pipes.
//!
//! Lines are `tracing` events with fields, so that the log's format (text or JSON) is the subscriber's choice. A transfer
//! that takes long says every ten seconds how far it is.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::text::{bytes, files as files_text, seconds};
use crate::progress::{Direction, Ending, Event, Reporter, TransferId};

/// How often a long transfer is mentioned.
const INTERVAL: Duration = Duration::from_secs(10);

/// Reports to the log.
#[derive(Debug, Default)]
pub struct Lines {
    running: Mutex<HashMap<TransferId, Running>>,
}

#[derive(Debug)]
struct Running {
    label: String,
    direction: Direction,
    total: Option<u64>,
    started: Instant,
    mentioned: Instant,
}

impl Reporter for Lines {
    fn report(&self, event: &Event<'_>) {
        match event {
            Event::TransferStarted { id, direction, label, total } => {
                let now = Instant::now();
                let (label, direction, total) = ((*label).to_owned(), *direction, *total);
                let running = Running { label, direction, total, started: now, mentioned: now };
                self.with(|all| all.insert(*id, running));
            }
            Event::TransferTotal { id, total } => self.with(|all| {
                if let Some(running) = all.get_mut(id) {
                    running.total = Some(*total);
                }
            }),
            Event::TransferAdvanced { id, done } => self.with(|all| {
                if let Some(running) = all.get_mut(id) {
                    running.mention(*done);
                }
            }),
            Event::TransferEnded { id, direction, label, bytes, ending } => {
                let mut started = None;
                self.with(|all| started = all.remove(id).map(|running| running.started));
                let took = started.map(|started| started.elapsed()).unwrap_or_default();
                ended(*direction, label, *bytes, ending, took);
            }
            Event::ArtifactsFetched { .. } => {}
            Event::LayerBuilt { plugin, files, size, digest, took } => {
                let (files, size, took) = (files_text(*files), bytes(*size), seconds(*took));
                tracing::info!(plugin, %digest, "built the layer of plugin `{plugin}`: {files}, {size}, {took}");
            }
            Event::MavenResolved { artifact, root, files, size, left_out } => {
                tracing::info!("{artifact}: {}", super::text::maven(root, *files, *size, left_out));
            }
            Event::Note(note) => tracing::info!("{note}"),
            Event::Warning(warning) => tracing::warn!("{warning}"),
        }
    }
}

impl Lines {
    fn with<T>(&self, change: impl FnOnce(&mut HashMap<TransferId, Running>) -> T) {
        if let Ok(mut running) = self.running.lock() {
            change(&mut running);
        }
    }
}

impl Running {
    fn mention(&mut self, done: u64) {
        if self.mentioned.elapsed() < INTERVAL {
            return;
        }
        self.mentioned = Instant::now();
        let of = self.total.map(|total| format!(" of {}", bytes(total))).unwrap_or_default();
        let (doing, label, done) = (verb(self.direction), &self.label, bytes(done));
        tracing::info!("{doing} {label}: {done}{of} so far");
    }
}

fn verb(direction: Direction) -> &'static str {
    match direction {
        Direction::Download => "downloading",
        Direction::Upload => "pushing",
    }
}

fn ended(direction: Direction, label: &str, count: u64, ending: &Ending, took: Duration) {
    let (size, took) = (bytes(count), seconds(took));
    match (direction, ending) {
        (Direction::Download, Ending::Complete) => {
            tracing::info!(bytes = count, "downloaded {label}: {size}, {took}");
        }
        (Direction::Upload, Ending::Complete) => {
            tracing::info!(bytes = count, "pushed {label}: {size}, {took}");
        }
        (_, Ending::Existing) => tracing::info!("{label} is there already"),
        (_, Ending::Mounted { from }) => tracing::info!("mounted {label} from `{from}`"),
        (_, Ending::Abandoned) => tracing::debug!("gave up {} {label}", verb(direction)),
    }
}
