//! The base's way: manifest and config in, layers over to the target, never unpacked.

use std::collections::HashSet;
use std::io::Read;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Build, BuildError, BuildSettings, Stage};
use crate::digest::Digest;
use crate::image::base::select;
use crate::image::parents::{Scan, ScanError};
use crate::image::{BaseImage, Descriptor, ImageError, Platforms, Root};
use crate::layer::ParentDirectory;
use crate::plan::PLUGINS_DIRECTORY;
use crate::progress::{Direction, Ending, Transfer};
use crate::store::{Source, StoreError, Target};

/// The images that plugins are added to.
pub(super) struct BaseImages {
    /// At least one.
    pub(super) images: Vec<BaseImage>,
    /// Digest of what the base's reference names: a manifest or an index.
    pub(super) digest: Digest,
    /// The result is an image, not an index.
    pub(super) single: bool,
}

/// Reads manifests and configs; no layer.
pub(super) async fn read(
    source: Option<&Source>,
    settings: &BuildSettings,
) -> Result<BaseImages, BuildError> {
    let wanted = &settings.platforms;
    let several = matches!(wanted, Platforms::Listed(list) if list.len() > 1);
    let Some(source) = source else {
        let images = BaseImage::scratch(wanted)?;
        return Ok(BaseImages { images, digest: Digest::of(b""), single: !several });
    };
    let root = source.root().await?;
    let (images, single) = match Root::parse(&root.bytes)? {
        Root::Manifest(manifest) => {
            let image = image(source, manifest, None).await?;
            image.check_platform(wanted)?;
            (vec![image], !several)
        }
        Root::Index(entries) => {
            let mut images = Vec::new();
            for (platform, descriptor) in select(&entries, wanted)? {
                let manifest = source.manifest(&descriptor).await?;
                let Root::Manifest(manifest) = Root::parse(&manifest.bytes)? else {
                    return Err(ImageError::Unreadable("manifest").into());
                };
                images.push(image(source, manifest, Some(platform)).await?);
            }
            (images, !several && *wanted != Platforms::All)
        }
    };
    images.iter().try_for_each(|image| image.check_layers(settings.format))?;
    Ok(BaseImages { images, digest: root.digest, single })
}

async fn image(
    source: &Source,
    manifest: serde_json::Value,
    platform: Option<crate::image::Platform>,
) -> Result<BaseImage, BuildError> {
    let config = source.config(&BaseImage::config_of(&manifest)?).await?;
    Ok(BaseImage::new(manifest, &config, platform)?)
}

/// Brings every layer of the base to the target.
pub(super) async fn copy(
    source: Option<&Source>,
    base: &BaseImages,
    target: &Target,
    build: &Build<'_>,
) -> Result<(), BuildError> {
    let Some(source) = source else { return Ok(()) };
    let mut seen = HashSet::new();
    let layers: Vec<&Descriptor> = (base.images.iter())
        .flat_map(|image| &image.layers)
        .filter(|layer| seen.insert(&layer.digest))
        .collect();
    let copies = layers.into_iter().map(|layer| async move {
        let label = format!("base {}", layer.digest.short());
        let mut transfer = Transfer::start(build.reporter, Direction::Upload, label, Some(layer.size));
        let ending: Ending = target.take_base_layer(source, layer, &mut transfer).await?;
        transfer.end(ending);
        Ok::<_, StoreError>(())
    });
    let all =
        stream::iter(copies).buffer_unordered(build.settings.parallel_uploads.max(1)).try_collect::<()>();
    Ok(build.stages.time(Stage::Copy, all).await?)
}

/// `/opt`, `/opt/kafka` and `/opt/kafka/plugins` as Strimzi's images have them.
pub(super) fn usual_parents() -> Vec<ParentDirectory> {
    parent_paths().iter().map(|path| ParentDirectory::usual(path)).collect()
}

fn parent_paths() -> Vec<String> {
    (1..=PLUGINS_DIRECTORY.len()).map(|depth| PLUGINS_DIRECTORY[..depth].join("/")).collect()
}

/// The same directories as this base has them: read from its layers, the topmost first, until all are found.
pub(super) async fn scan_parents(
    source: &Source,
    image: &BaseImage,
) -> Result<Vec<ParentDirectory>, BuildError> {
    let mut scan = Scan::new(parent_paths());
    for layer in image.layers.iter().rev() {
        if scan.is_complete() {
            break;
        }
        let mut reader = source.blob(layer).await?;
        let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(4);
        let media_type = layer.media_type.clone();
        let scanning = tokio::task::spawn_blocking(move || {
            let result = scan.layer(&media_type, Channel { receiver, current: Bytes::new() });
            (scan, result)
        });
        // Read to the end in any case, so that a damaged layer is noticed.
        loop {
            let next = reader.next().await.map_err(|cause| source.blob_error(layer, cause))?;
            let Some(bytes) = next else { break };
            // The scan may have all it wants.
            let _ = sender.send(bytes).await;
        }
        drop(sender);
        let (scanned, result) = scanning.await.map_err(|_| BuildError::Panicked)?;
        result.map_err(|error| match error {
            ScanError::Unreadable(_) => ImageError::Unreadable("layer"),
            ScanError::NotADirectory(path) => ImageError::ParentNotADirectory(path),
        })?;
        scan = scanned;
    }
    Ok(scan.finish())
}

/// Buffers of another task as a reader.
struct Channel {
    receiver: tokio::sync::mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Read for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.current.is_empty() {
            self.current = self.receiver.blocking_recv().unwrap_or_default();
        }
        let count = buffer.len().min(self.current.len());
        buffer[..count].copy_from_slice(&self.current.split_to(count));
        Ok(count)
    }
}
