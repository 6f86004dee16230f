#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::digest::Digest;
use crate::image::{Descriptor, Platform};
use crate::layer::BuiltLayer;
use crate::pipeline::{LayerOutcome, Outcome, Stage};
use crate::plan::Compression;
use crate::progress::{Direction, Ending, Event, Reporter, Transfer};
use crate::store::Pushed;

#[test]
fn numbers_for_people() {
    for (count, text) in [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (25_149_999, "25.1 MB"),
        (999_999_999, "999.9 MB"),
        (1_500_000_000, "1.5 GB"),
        (u64::MAX, "18446744.0 TB"),
    ] {
        assert_eq!(bytes(count), text);
    }
    assert_eq!(seconds(Duration::from_millis(834)), "0.83 s");
}

#[test]
fn a_long_message_keeps_its_start_and_its_hint() {
    let short = "error: x\nhint: y";
    assert_eq!(failure_message(short), short);
    let long = format!("error: {}\nhint: do this", "ü".repeat(5_000));
    let cut = failure_message(&long);
    assert!(cut.len() <= MAX_TERMINATION_MESSAGE && cut.len() > MAX_TERMINATION_MESSAGE - 4, "{}", cut.len());
    assert!(cut.starts_with("error: üüü") && cut.ends_with("ü\n…\nhint: do this"), "{cut}");
    let endless = failure_message(&format!("error: x\nhint: {}", "y".repeat(9_000)));
    assert!(endless.len() <= MAX_TERMINATION_MESSAGE && endless.starts_with("error: x"));
}

fn layer(name: &str, size: u64) -> LayerOutcome {
    LayerOutcome {
        plugin: name.to_owned(),
        inputs: Digest::of(b"inputs"),
        layer: BuiltLayer {
            path: PathBuf::from("layer"),
            digest: Digest::of(name.as_bytes()),
            size,
            diff_id: Digest::of(b"diff"),
            unpacked: size * 2,
            files: 43,
            compression: Compression::Gzip,
            took: Duration::from_millis(310),
        },
        artifacts: Vec::new(),
        connectors: Vec::new(),
    }
}

#[test]
fn the_table_at_the_end() {
    let digest = Digest::of(b"manifest");
    let mut outcome = Outcome {
        pushed: Pushed {
            location: "registry.example.com/team/connect:1.0".into(),
            reference: format!("registry.example.com/team/connect@{digest}"),
            digest,
        },
        base: Some(("quay.io/strimzi/kafka:1".into(), Digest::of(b"base"))),
        platforms: vec!["linux/amd64".parse::<Platform>().unwrap(), "linux/arm64".parse().unwrap()],
        base_layers: vec![Descriptor::new("x", Digest::of(b"l"), 367_900_000)],
        layers: vec![layer("debezium", 26_100_000), layer("a-plugin-with-a-long-name", 512)],
        stages: BTreeMap::from([
            (Stage::Download, Duration::from_millis(320)),
            (Stage::Base, Duration::from_millis(10)),
        ]),
        took: Duration::from_millis(820),
    };
    let with_base = table(&outcome);
    outcome.base = None;
    outcome.base_layers.clear();
    outcome.layers.clear();
    insta::assert_snapshot!(format!("{with_base}\n────────\n{}", table(&outcome)));
}

/// Everything that can be reported, in the order of a build.
fn tell(reporter: &Arc<dyn Reporter>) {
    let mut download = Transfer::start(reporter, Direction::Download, "debezium #1", Some(1_000));
    download.advance(400);
    download.restart();
    download.total(2_000);
    download.advance(2_000);
    download.end(Ending::Complete);
    let digest = Digest::of(b"layer");
    reporter.report(&Event::LayerBuilt {
        plugin: "debezium",
        files: 43,
        size: 26_100_000,
        digest: &digest,
        took: Duration::from_millis(310),
    });
    let mut upload = Transfer::start(reporter, Direction::Upload, "debezium", None);
    upload.advance(10);
    upload.end(Ending::Complete);
    Transfer::start(reporter, Direction::Upload, "other", None).end(Ending::Existing);
    let mounted = Transfer::start(reporter, Direction::Upload, "base sha256:0123", Some(7));
    mounted.end(Ending::Mounted { from: "kafka".into() });
    drop(Transfer::start(reporter, Direction::Download, "broken #1", None));
    reporter.report(&Event::Note("a note"));
    reporter.report(&Event::Warning("a warning"));
}

/// Takes what a subscriber writes.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_of_a_log() {
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let lines: Arc<dyn Reporter> = Arc::new(Lines::default());
    tracing::subscriber::with_default(subscriber, || tell(&lines));
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    insta::with_settings!({ filters => vec![(r"\d+\.\d\d s", "TIME")] }, { insta::assert_snapshot!(text) });
}

#[test]
fn bars_take_every_event_and_leave_nothing_behind() {
    let screen = indicatif::MultiProgress::with_draw_target(indicatif::ProgressDrawTarget::hidden());
    let bars: Arc<dyn Reporter> = Arc::new(Bars::new(screen.clone()));
    tell(&bars);
    let left = screen.add(indicatif::ProgressBar::new(1));
    left.finish();
}
