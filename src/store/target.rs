//! Where the finished image goes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Source, StoreError};
use crate::digest::Digest;
use crate::image::{self, Descriptor, Format, Image};
use crate::layer::{BuiltLayer, Growing};
use crate::layout::{Layout, LayoutError};
use crate::plan::{ImageLocation, Output};
use crate::progress::{Ending, Reporter, Transfer};
use crate::registry::upload::{LayerUpload, Uploads};
use crate::registry::{RegistrySettings, Repository};

/// A place to write an image to.
pub enum Target {
    /// A registry.
    Registry {
        /// The repository.
        repository: Repository,
        /// The tag in it.
        location: ImageLocation,
        /// Layers on their way.
        uploads: Uploads,
    },
    /// A layout directory, which may then become an archive.
    Files {
        /// The layout; a directory of the workspace if it becomes an archive.
        layout: Layout,
        /// What is wanted.
        output: Output,
    },
}

/// What has been published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The place, as the user named it.
    pub location: String,
    /// `repository@sha256:…`, or the place and digest where it is no registry.
    pub reference: String,
    /// Digest of the manifest, or of the index where there is one.
    pub digest: Digest,
}

/// A layer that is being made and may be on its way already.
pub enum LayerSlot {
    /// Being uploaded.
    Upload(Box<LayerUpload>),
    /// To be moved into a layout.
    File(Layout),
}

impl Target {
    /// Opens the place and makes sure that it can be written, before any work is done.
    pub async fn open(
        output: &Output,
        settings: &RegistrySettings,
        workspace: &Path,
        parallel: usize,
        reporter: Arc<dyn Reporter>,
    ) -> Result<Self, StoreError> {
        match output {
            Output::Registry(location) => {
                let repository = Repository::for_writing(location, settings)?;
                repository.check_push().await?;
                let uploads = Uploads::new(repository.clone(), parallel, reporter);
                Ok(Self::Registry { repository, location: location.clone(), uploads })
            }
            Output::Layout { directory, .. } => {
                Ok(Self::Files { layout: Layout::create(directory)?, output: output.clone() })
            }
            Output::OciArchive { file, .. } | Output::DockerArchive { file, .. } => {
                check_archive(file)?;
                Ok(Self::Files { layout: Layout::create(&workspace.join("image"))?, output: output.clone() })
            }
        }
    }

    /// Makes sure that the target has a layer of the base.
    pub async fn take_base_layer(
        &self,
        source: &Source,
        descriptor: &Descriptor,
        transfer: &mut Transfer,
    ) -> Result<Ending, StoreError> {
        match self {
            Self::Registry { repository, .. } => {
                let file = source.file(descriptor);
                match source.blob_source(file.as_deref()) {
                    Some(blob) => Ok(repository.take_blob(blob, descriptor, transfer).await?),
                    None => Ok(Ending::Abandoned),
                }
            }
            Self::Files { layout, .. } if layout.has_blob(descriptor) => Ok(Ending::Existing),
            Self::Files { layout, .. } => {
                let reader = source.blob(descriptor).await?;
                layout.put_reader(reader, &descriptor.digest, |bytes| transfer.advance(bytes)).await?;
                Ok(Ending::Complete)
            }
        }
    }

    /// A place for a layer that is about to be made.
    pub fn begin_layer(&self, plugin: &str, growing: &Growing) -> LayerSlot {
        match self {
            Self::Registry { uploads, .. } => LayerSlot::Upload(Box::new(uploads.begin(plugin, growing))),
            Self::Files { layout, .. } => LayerSlot::File(layout.clone()),
        }
    }

    /// Publishes the images: configs, manifests, and last what the tag names.
    pub async fn publish(
        &self,
        images: &[Image],
        format: Format,
        single: bool,
    ) -> Result<Pushed, StoreError> {
        let index = (!single).then(|| image::index(images, format));
        let root = index.as_ref().or(images.first().map(|image| &image.manifest));
        let Some(root) = root else {
            // A build has at least one image.
            return Err(StoreError::Layout(LayoutError::SeveralPlatforms));
        };
        let digest = root.descriptor.digest.clone();
        match self {
            Self::Registry { repository, location, .. } => {
                for image in images {
                    repository.push_document(&image.config).await?;
                    if index.is_some() {
                        repository
                            .push_manifest(&image.manifest, &image.manifest.descriptor.digest.to_string())
                            .await?;
                    }
                }
                repository.push_manifest(root, location.tag_or_digest()).await?;
                let reference = format!("{}@{digest}", location.name());
                Ok(Pushed { location: location.to_string(), reference, digest })
            }
            Self::Files { layout, output } => {
                for image in images {
                    layout.put_document(&image.config)?;
                    layout.put_document(&image.manifest)?;
                }
                layout.put_document(root)?;
                publish_files(layout, output, &root.descriptor, images)?;
                // Docker's archives hold no manifest; there an image is known by its config.
                let digest = match (output, images) {
                    (Output::DockerArchive { .. }, [image]) => image.config.descriptor.digest.clone(),
                    _ => digest,
                };
                Ok(Pushed { location: output.to_string(), reference: format!("{output}@{digest}"), digest })
            }
        }
    }
}

fn publish_files(
    layout: &Layout,
    output: &Output,
    root: &Descriptor,
    images: &[Image],
) -> Result<(), LayoutError> {
    match (output, images) {
        (Output::Layout { tag, .. }, _) => layout.publish(root, tag.as_deref()),
        (Output::OciArchive { file, tag }, _) => {
            layout.publish(root, tag.as_deref())?;
            layout.pack_oci(file)
        }
        (Output::DockerArchive { file, name }, [image]) => {
            layout.pack_docker(file, image, name.as_ref().map(ToString::to_string).as_deref())
        }
        (Output::DockerArchive { .. }, _) => Err(LayoutError::SeveralPlatforms),
        // `Target::open` makes files of no registry.
        (Output::Registry(_), _) => Ok(()),
    }
}

impl LayerSlot {
    /// Brings the finished layer to its place.
    pub async fn finish(self, layer: &BuiltLayer, descriptor: &Descriptor) -> Result<(), StoreError> {
        match self {
            Self::Upload(upload) => Ok(upload.finish(descriptor).await?),
            Self::File(layout) => Ok(layout.put_file(&layer.path, &layer.digest)?),
        }
    }
}

/// Whether an archive can be written under this name.
fn check_archive(file: &Path) -> Result<(), LayoutError> {
    let write = |source| LayoutError::Write { file: file.to_owned(), source };
    let parent: PathBuf = crate::layout::parent(file).to_owned();
    if file.is_dir() {
        return Err(write(std::io::ErrorKind::IsADirectory.into()));
    }
    tempfile::tempfile_in(parent).map(drop).map_err(write)
}
