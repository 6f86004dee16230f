//! The live display of a terminal: a bar for each transfer, a line for each finished plugin.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::text::{bytes, files as files_text, seconds};
use crate::progress::{Direction, Ending, Event, Reporter, TransferId};

const KNOWN: &str = "{prefix:>9} {msg:32!} [{bar:24}] {bytes:>10}/{total_bytes:<10} {bytes_per_sec:>12}";
const UNKNOWN: &str = "{prefix:>9} {msg:32!} {spinner} {bytes:>10} {bytes_per_sec:>12}";

/// Draws to the terminal.
#[derive(Debug)]
pub struct Bars {
    screen: MultiProgress,
    running: Mutex<HashMap<TransferId, ProgressBar>>,
}

impl Bars {
    /// Draws on `screen`, which the log's lines must go through too.
    #[must_use]
    pub fn new(screen: MultiProgress) -> Self {
        Self { screen, running: Mutex::default() }
    }

    fn line(&self, line: &str) {
        // A terminal that is gone takes no lines, and the build goes on.
        let _ = self.screen.println(line);
    }

    fn with(&self, id: TransferId, change: impl FnOnce(&ProgressBar)) {
        if let Ok(running) = self.running.lock()
            && let Some(bar) = running.get(&id)
        {
            change(bar);
        }
    }
}

impl Reporter for Bars {
    fn report(&self, event: &Event<'_>) {
        match event {
            Event::TransferStarted { id, direction, label, total } => {
                let bar = self.screen.add(ProgressBar::new(total.unwrap_or_default()));
                bar.set_style(style(total.is_some()));
                bar.set_prefix(match direction {
                    Direction::Download => "download",
                    Direction::Upload => "push",
                });
                bar.set_message((*label).to_owned());
                bar.enable_steady_tick(Duration::from_millis(120));
                if let Ok(mut running) = self.running.lock() {
                    running.insert(*id, bar);
                }
            }
            Event::TransferTotal { id, total } => self.with(*id, |bar| {
                bar.set_style(style(true));
                bar.set_length(*total);
            }),
            Event::TransferAdvanced { id, done } => self.with(*id, |bar| bar.set_position(*done)),
            Event::TransferEnded { id, label, ending, .. } => {
                let bar = self.running.lock().ok().and_then(|mut running| running.remove(id));
                if let Some(bar) = bar {
                    bar.finish_and_clear();
                    self.screen.remove(&bar);
                }
                match ending {
                    Ending::Existing => tracing::debug!("{label} is there already"),
                    Ending::Mounted { from } => tracing::debug!("mounted {label} from `{from}`"),
                    Ending::Complete | Ending::Abandoned => {}
                }
            }
            Event::ArtifactsFetched { .. } => {}
            Event::LayerBuilt { plugin, files, size, took, .. } => {
                let (files, size, took) = (files_text(*files), bytes(*size), seconds(*took));
                self.line(&format!("    built {plugin}: {files}, {size}, {took}"));
            }
            Event::MavenResolved { root, files, size, left_out, .. } => {
                self.line(&format!("    maven {}", super::text::maven(root, *files, *size, left_out)));
            }
            Event::Note(note) => self.line(&format!("     note {note}")),
            Event::Warning(warning) => self.line(&format!("  warning {warning}")),
        }
    }
}

fn style(known: bool) -> ProgressStyle {
    // The templates are constants, and tests draw them.
    ProgressStyle::with_template(if known { KNOWN } else { UNKNOWN })
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
