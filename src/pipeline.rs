//! The order of a build: the one place that knows every room.
//!
//! [`run`] asks the base for its manifest and the target for permission, then lets the plugins go their way side by side
//! (fetched, read, written as layers, sent), while the base's layers are brought over; at last it puts the image together
//! and publishes it. The first error calls everything else off. Until the last request the target's tag names what it
//! named before.

mod base;
mod bring;
mod error;
mod outcome;
mod plugin;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures_util::future::try_join_all;
use tokio::sync::Semaphore;

pub use self::error::BuildError;
pub use self::outcome::{ArtifactOutcome, LayerOutcome, MavenFile, Outcome, Stage, Stages};
use crate::fetch::{FetchSettings, Fetcher};
use crate::image::{self, Dressing, Format, Image, ImageError, MAX_LAYERS, Platforms};
use crate::layer::ParentDirectory;
use crate::layout::LayoutError;
use crate::maven::{Maven, MavenSettings};
use crate::plan::{LayerChoices, Output, Plan};
use crate::progress::{Event, Reporter};
use crate::registry::RegistrySettings;
use crate::store::{Source, StoreError, Target};
use crate::unpack::Rules;
use crate::workspace::Workspace;

/// How a plan is carried out.
#[derive(Debug, Clone)]
pub struct BuildSettings {
    /// Where the workspace is made.
    pub workspace: PathBuf,
    /// How artifacts come in.
    pub fetch: FetchSettings,
    /// How Maven artifacts are resolved.
    pub maven: MavenSettings,
    /// How registries are reached for the base.
    pub pull: RegistrySettings,
    /// How registries are reached for the result.
    pub push: RegistrySettings,
    /// What decides the layers' bytes.
    pub layer: LayerChoices,
    /// Which platforms the image is for.
    pub platforms: Platforms,
    /// The format of manifest and config.
    pub format: Format,
    /// Labels to set.
    pub labels: BTreeMap<String, String>,
    /// Read the base's layers for owner and mode of `/opt/kafka/plugins` and its parents.
    pub scan_parents: bool,
    /// Layers written at the same time.
    pub parallel_layers: usize,
    /// Blobs sent at the same time.
    pub parallel_uploads: usize,
}

/// One build on its way.
struct Build<'a> {
    settings: &'a BuildSettings,
    reporter: &'a Arc<dyn Reporter>,
    workspace: &'a Workspace,
    target: &'a Target,
    fetcher: Arc<Fetcher>,
    maven: Maven,
    rules: Arc<Rules>,
    parents: Vec<ParentDirectory>,
    layer_permits: Semaphore,
    stages: &'a Stages,
}

/// Carries out `plan`; `stages`, which start empty, tell how far it is, also to whoever calls it off. When all is there but the
/// image itself, `consent` is waited for: it ends as soon as the image may be published.
pub async fn run(
    plan: &Plan,
    settings: &BuildSettings,
    reporter: &Arc<dyn Reporter>,
    stages: &Stages,
    consent: impl Future<Output = ()>,
) -> Result<Outcome, BuildError> {
    let started = Instant::now();
    let workspace = Workspace::create(&settings.workspace)?;
    if settings.format.layer(settings.layer.compression).is_none() {
        return Err(ImageError::NoZstd.into());
    }
    let source = Source::open(&plan.base, &settings.pull).await?;
    let open_target = async {
        let parallel = settings.parallel_uploads;
        let target =
            Target::open(&plan.output, &settings.push, workspace.path(), parallel, Arc::clone(reporter));
        target.await.map_err(BuildError::from)
    };
    let read_base = stages.time(Stage::Base, base::read(source.as_ref(), settings));
    // Both at once, but of two errors always the same one: what may not be pushed need not be read.
    let (base, target) = tokio::join!(read_base, open_target);
    let (target, base) = (target?, base?);
    check(plan, &base)?;

    let parents = match &source {
        Some(source) if settings.scan_parents => {
            stages.time(Stage::Base, base::scan_parents(source, &base.images[0])).await?
        }
        _ => base::usual_parents(),
    };
    let fetcher = |settings| Arc::new(Fetcher::new(settings, workspace.path(), Arc::clone(reporter)));
    let artifacts = fetcher(settings.fetch.clone());
    let repositories = match &settings.maven.settings.proxies {
        Some(proxies) => fetcher(FetchSettings { proxies: proxies.clone(), ..settings.fetch.clone() }),
        None => Arc::clone(&artifacts),
    };
    let build = Build {
        settings,
        reporter,
        workspace: &workspace,
        target: &target,
        maven: Maven::new(settings.maven.clone(), repositories, workspace.path()),
        fetcher: artifacts,
        rules: Arc::new(Rules::new(settings.fetch.limits)),
        parents,
        layer_permits: Semaphore::new(settings.parallel_layers.max(1)),
        stages,
    };
    let plugins = try_join_all(plan.plugins.iter().map(|plugin| build.plugin(plugin)));
    let copy_base = base::copy(source.as_ref(), &base, &target, &build);
    let (built, ()) = tokio::try_join!(plugins, copy_base)?;

    let layers: Vec<image::PluginLayer> = built.iter().map(|built| built.layer.clone()).collect();
    let dressing = Dressing {
        format: settings.format,
        created: settings.layer.mtime,
        labels: settings.labels.clone(),
        base: source.as_ref().map(|source| (source.name(), base.digest.clone())),
    };
    let images: Vec<Image> =
        base.images.iter().map(|base| image::append(base, &layers, &dressing)).collect::<Result<_, _>>()?;
    images.iter().try_for_each(image::validate)?;
    consent.await;
    let publish =
        async { target.publish(&images, settings.format, base.single).await.map_err(BuildError::from) };
    let pushed = stages.time(Stage::Publish, publish).await?;
    Ok(Outcome {
        pushed,
        base: dressing.base,
        platforms: images.iter().map(|image| image.platform.clone()).collect(),
        base_layers: images.first().map(|image| image.base_layers.clone()).unwrap_or_default(),
        layers: built.into_iter().map(|built| built.outcome).collect(),
        stages: stages.finish(),
        took: started.elapsed(),
    })
}

/// What can be known to fail before anything is downloaded.
fn check(plan: &Plan, base: &base::BaseImages) -> Result<(), BuildError> {
    if matches!(plan.output, Output::DockerArchive { .. }) && base.images.len() > 1 {
        return Err(StoreError::from(LayoutError::SeveralPlatforms).into());
    }
    let plugins = plan.plugins.len();
    for image in &base.images {
        let found = image.layers.len() + plugins;
        if found > MAX_LAYERS {
            let base = image.layers.len();
            return Err(ImageError::TooManyLayers { found, limit: MAX_LAYERS, base, plugins }.into());
        }
    }
    Ok(())
}

impl Build<'_> {
    fn warn(&self, message: &str) {
        self.reporter.report(&Event::Warning(message));
    }
}

impl Drop for Build<'_> {
    /// Readers of archives run on threads that cannot be aborted; they look at this before each buffer.
    fn drop(&mut self) {
        self.rules.cancelled.store(true, Ordering::Relaxed);
    }
}
