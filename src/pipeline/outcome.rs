//! What a build brought, for reports.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::digest::Digest;
use crate::image::{Descriptor, Platform};
use crate::layer::BuiltLayer;
use crate::store::Pushed;

/// A finished build.
#[derive(Debug)]
pub struct Outcome {
    /// What was published.
    pub pushed: Pushed,
    /// The base's name and digest; `None` without a base.
    pub base: Option<(String, Digest)>,
    /// The platforms of the image.
    pub platforms: Vec<Platform>,
    /// The base's layers (of the first platform).
    pub base_layers: Vec<Descriptor>,
    /// The plugins' layers, in order.
    pub layers: Vec<LayerOutcome>,
    /// From the first start to the last end of each stage. Stages overlap.
    pub stages: BTreeMap<Stage, Duration>,
    /// The whole build.
    pub took: Duration,
}

/// A plugin's layer.
#[derive(Debug, Clone)]
pub struct LayerOutcome {
    /// The plugin.
    pub plugin: String,
    /// The key of its inputs.
    pub inputs: Digest,
    /// The layer.
    pub layer: BuiltLayer,
    /// Its artifacts.
    pub artifacts: Vec<ArtifactOutcome>,
    /// Classes of connectors that its jars say they offer, in alphabetical order. Jars need not say so.
    pub connectors: Vec<String>,
}

/// An artifact as it was found.
#[derive(Debug, Clone)]
pub struct ArtifactOutcome {
    /// Its type.
    pub kind: &'static str,
    /// Where it came from, credentials masked.
    pub source: String,
    /// Where it is in the image.
    pub target: String,
    /// SHA-512 of what came, in hexadecimal digits; nothing for a Maven artifact, which is many files.
    pub sha512: Option<String>,
    /// Whether the resource gave that sum.
    pub pinned: bool,
    /// Bytes that came.
    pub size: u64,
    /// Regular files that it brought.
    pub files: u64,
    /// The files that a Maven artifact was resolved to.
    pub resolved: Vec<MavenFile>,
}

/// One of the files of a Maven artifact.
#[derive(Debug, Clone)]
pub struct MavenFile {
    /// Its name in the image.
    pub name: String,
    /// `group:artifact[:extension[:classifier]]:version`.
    pub coordinate: String,
    /// The scope that it has; nothing for the artifact itself.
    pub scope: Option<String>,
    /// Where it came from, credentials masked.
    pub repository: String,
    /// SHA-1 of the file, in hexadecimal digits.
    pub sha1: String,
    /// SHA-512 of the file.
    pub sha512: String,
    /// The checksum of the repository that held, by its name; nothing where there was none.
    pub verified: Option<&'static str>,
    /// Bytes.
    pub size: u64,
}

/// A part of a build that is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Reading the base's manifest and config.
    Base,
    /// Bringing the base's layers to the target, by mounting if the registry lets us.
    Copy,
    /// Artifacts come in.
    Download,
    /// Archives are read and layers written.
    Assemble,
    /// Layers go out.
    Upload,
    /// Config and manifest go out.
    Publish,
}

impl Stage {
    /// The word in tables and result files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Copy => "copy",
            Self::Download => "download",
            Self::Assemble => "assemble",
            Self::Upload => "upload",
            Self::Publish => "publish",
        }
    }
}

/// Takes the time of stages that many tasks go through.
#[derive(Debug, Default)]
pub struct Stages {
    times: Mutex<BTreeMap<Stage, (Instant, Instant)>>,
    publishing: AtomicBool,
}

impl Stages {
    /// Runs `task` as a part of `stage`.
    pub async fn time<T>(&self, stage: Stage, task: impl Future<Output = T>) -> T {
        let start = Instant::now();
        if stage == Stage::Publish {
            self.publishing.store(true, Ordering::Relaxed);
        }
        let result = task.await;
        self.took(stage, start);
        result
    }

    /// Whether publishing has begun: from then on the target's tag may name the new image.
    #[must_use]
    pub fn is_publishing(&self) -> bool {
        self.publishing.load(Ordering::Relaxed)
    }

    /// A part of `stage` that began at `start` ends now.
    pub fn took(&self, stage: Stage, start: Instant) {
        if let Ok(mut stages) = self.times.lock() {
            let end = Instant::now();
            let (first, last) = stages.entry(stage).or_insert((start, end));
            (*first, *last) = (start.min(*first), end.max(*last));
        }
    }

    pub(super) fn finish(&self) -> BTreeMap<Stage, Duration> {
        let stages = self.times.lock().map(|stages| stages.clone()).unwrap_or_default();
        stages.into_iter().map(|(stage, (first, last))| (stage, last - first)).collect()
    }
}
