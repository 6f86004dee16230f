//! One plugin's way: its artifacts come in, become a layer, and go out while they do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::try_join_all;

use super::bring::Brought;
use super::{ArtifactOutcome, Build, BuildError, LayerOutcome, MavenFile, Stage};
use crate::image::{Descriptor, ImageError, PluginLayer};
use crate::layer::{BuiltLayer, LayerWriter};
use crate::plan::Plugin;
use crate::progress::Event;
use crate::unpack::{Rules, Summary, Tree, unpack};
use crate::workspace::{WorkspaceError, workspace_name};

/// A plugin, done.
pub(super) struct BuiltPlugin {
    pub(super) layer: PluginLayer,
    pub(super) outcome: LayerOutcome,
}

impl Build<'_> {
    pub(super) async fn plugin(&self, plugin: &Plugin) -> Result<BuiltPlugin, BuildError> {
        let fetch = try_join_all(plugin.artifacts.iter().map(|artifact| self.bring(artifact)));
        let brought = self.stages.time(Stage::Download, fetch).await?;
        self.reporter.report(&Event::ArtifactsFetched { plugin: &plugin.name });

        let permit = self.layer_permits.acquire().await;
        let (file, path) = self.workspace.create_file(&workspace_name(&plugin.name, "layer"))?;
        let workspace = |source| WorkspaceError::new(self.workspace.path(), source);
        let (writer, growing) =
            LayerWriter::new(file, &path, self.settings.layer, self.parents.clone()).map_err(workspace)?;
        // The layer goes out while it is made.
        let upload_started = Instant::now();
        let slot = self.target.begin_layer(&plugin.name, &growing);
        let rules = Arc::clone(&self.rules);
        let assemble = tokio::task::spawn_blocking(move || assemble(brought, writer, &rules));
        let assembled = self.stages.time(Stage::Assemble, assemble).await;
        let (layer, parts) = assembled.map_err(|_| BuildError::Panicked)?.map_err(|error| match error {
            AssembleError::Build(error) => error,
            AssembleError::Write(error) => workspace(error).into(),
        })?;
        drop(permit);
        self.tell(plugin, &layer, &parts);

        let media_type = self.settings.format.layer(layer.compression).ok_or(ImageError::NoZstd)?;
        let descriptor = Descriptor::new(&media_type, layer.digest.clone(), layer.size);
        slot.finish(&layer, &descriptor).await?;
        self.stages.took(Stage::Upload, upload_started);
        Ok(BuiltPlugin::new(plugin, layer, parts))
    }

    fn tell(&self, plugin: &Plugin, layer: &BuiltLayer, parts: &[Part]) {
        for (artifact, part) in plugin.artifacts.iter().zip(parts) {
            for summary in &part.summaries {
                for remark in &summary.remarks {
                    self.warn(&format!("{}: {remark}", artifact.id()));
                }
                if summary.more_remarks > 0 {
                    self.warn(&format!("{}: and {} more of the kind", artifact.id(), summary.more_remarks));
                }
            }
        }
        self.reporter.report(&Event::LayerBuilt {
            plugin: &plugin.name,
            files: layer.files,
            size: layer.size,
            digest: &layer.digest,
            took: layer.took,
        });
    }
}

/// What one artifact gave to the layer.
struct Part {
    pinned: bool,
    sha512: Option<String>,
    size: u64,
    resolved: Vec<MavenFile>,
    /// Of each of its files.
    summaries: Vec<Summary>,
}

enum AssembleError {
    Build(BuildError),
    Write(std::io::Error),
}

/// Reads the artifacts into the layer, on a thread that may block.
fn assemble(
    brought: Vec<Brought>,
    mut writer: LayerWriter,
    rules: &Rules,
) -> Result<(BuiltLayer, Vec<Part>), AssembleError> {
    let mut tree = Tree::new();
    let mut parts = Vec::new();
    for Brought { files, resolved } in brought {
        // A single download is its artifact; of a Maven artifact's files each has its own sum.
        let single = files.first().filter(|_| resolved.is_empty());
        let sha512 = single.map(|(_, fetched)| fetched.sha512().to_string());
        let pinned = single.is_some_and(|(artifact, _)| artifact.sha512.is_some());
        let size = files.iter().map(|(_, fetched)| fetched.size()).sum();
        let mut summaries = Vec::new();
        for (artifact, fetched) in files {
            let summary = unpack(&artifact, &fetched, rules, &mut tree, &mut writer)
                .map_err(|error| AssembleError::Build(error.into()))?;
            // The spool is needed no more, and the volume may be small.
            if let Err(error) = std::fs::remove_file(fetched.path()) {
                tracing::debug!("a spooled artifact was not removed: {error}");
            }
            summaries.push(summary);
        }
        parts.push(Part { pinned, sha512, size, resolved, summaries });
    }
    let layer = writer.finish().map_err(AssembleError::Write)?;
    Ok((layer, parts))
}

impl BuiltPlugin {
    fn new(plugin: &Plugin, layer: BuiltLayer, parts: Vec<Part>) -> Self {
        let offered = parts.iter().flat_map(|part| &part.summaries).flat_map(|summary| &summary.connectors);
        let connectors: BTreeSet<String> = offered.cloned().collect();
        let artifacts: Vec<ArtifactOutcome> = (plugin.artifacts.iter().zip(parts))
            .map(|(artifact, part)| ArtifactOutcome {
                kind: artifact.id().kind,
                source: artifact.source(),
                target: artifact.target(),
                sha512: part.sha512,
                pinned: part.pinned,
                size: part.size,
                files: part.summaries.iter().map(|summary| summary.files).sum(),
                resolved: part.resolved,
            })
            .collect();
        let made_of: Vec<String> =
            artifacts.iter().map(|artifact| format!("{} {}", artifact.kind, artifact.source)).collect();
        let outcome = LayerOutcome {
            plugin: plugin.name.clone(),
            inputs: plugin.inputs.clone(),
            layer: layer.clone(),
            artifacts,
            connectors: connectors.into_iter().collect(),
        };
        let (name, inputs) = (plugin.name.clone(), plugin.inputs.clone());
        Self { layer: PluginLayer { plugin: name, inputs, made_of: made_of.join(", "), layer }, outcome }
    }
}
