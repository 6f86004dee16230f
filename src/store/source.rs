//! Where the base image lies.

use std::path::PathBuf;

use super::StoreError;
use crate::blob::{BlobError, BlobReader};
use crate::error::one_line;
use crate::image::Descriptor;
use crate::layout::{Layout, LayoutError};
use crate::plan::{Base, ImageLocation};
use crate::registry::copy::BlobSource;
use crate::registry::pull::RawManifest;
use crate::registry::{Cause, RegistrySettings, Repository};

/// The registry that has mirrors, as image references name it.
const DOCKER_HUB: &str = "docker.io";

/// A place to read an image from.
pub enum Source {
    /// A registry.
    Registry {
        /// The repository.
        repository: Repository,
        /// The image in it.
        location: ImageLocation,
    },
    /// A layout directory.
    Layout {
        /// The directory.
        layout: Layout,
        /// The image in it.
        tag: Option<String>,
    },
}

impl Source {
    /// The place of `base`; `None` if there is no base. For an image of Docker Hub the first mirror is taken that has it.
    pub async fn open(base: &Base, settings: &RegistrySettings) -> Result<Option<Self>, StoreError> {
        Ok(match base {
            Base::Scratch => None,
            Base::Image(location) => {
                let repository = repository(location, settings).await?;
                Some(Self::Registry { repository, location: location.clone() })
            }
            Base::Layout { directory, tag } => {
                Some(Self::Layout { layout: Layout::open(directory)?, tag: tag.clone() })
            }
        })
    }

    /// The name of the base for the annotation `org.opencontainers.image.base.name`.
    pub fn name(&self) -> String {
        match self {
            Self::Registry { location, .. } => location.to_string(),
            Self::Layout { layout, tag } => {
                let name = layout.directory().file_name().unwrap_or_default().to_string_lossy().into_owned();
                tag.as_ref().map_or_else(|| name.clone(), |tag| format!("{name}:{tag}"))
            }
        }
    }

    /// The manifest or index that the base's reference names.
    pub async fn root(&self) -> Result<RawManifest, StoreError> {
        match self {
            Self::Registry { repository, location } => {
                Ok(repository.manifest(location.tag_or_digest()).await?)
            }
            Self::Layout { layout, tag } => self.manifest(&layout.resolve(tag.as_deref())?).await,
        }
    }

    /// A manifest that an index lists.
    pub async fn manifest(&self, descriptor: &Descriptor) -> Result<RawManifest, StoreError> {
        match self {
            Self::Registry { repository, .. } => {
                Ok(repository.manifest(&descriptor.digest.to_string()).await?)
            }
            Self::Layout { layout, .. } => {
                let bytes = layout.read(descriptor).await?;
                Ok(RawManifest { bytes, digest: descriptor.digest.clone() })
            }
        }
    }

    /// A config.
    pub async fn config(&self, descriptor: &Descriptor) -> Result<Vec<u8>, StoreError> {
        match self {
            Self::Registry { repository, .. } => Ok(repository.config(descriptor).await?),
            Self::Layout { layout, .. } => Ok(layout.read(descriptor).await?),
        }
    }

    /// A layer, as it comes.
    pub async fn blob(&self, descriptor: &Descriptor) -> Result<BlobReader, StoreError> {
        match self {
            Self::Registry { repository, .. } => {
                let doing = |cause: Cause| repository.failed_to_read(descriptor, cause);
                Ok(repository.blob(descriptor).await.map_err(doing)?)
            }
            Self::Layout { layout, .. } => {
                let path = layout.blob_path(&descriptor.digest);
                BlobReader::open(&path, descriptor).await.map_err(|error| self.blob_error(descriptor, error))
            }
        }
    }

    /// The error of a layer that broke off.
    pub fn blob_error(&self, descriptor: &Descriptor, source: BlobError) -> StoreError {
        match self {
            Self::Registry { repository, .. } => {
                repository.failed_to_read(descriptor, Cause::Blob(source)).into()
            }
            Self::Layout { layout, .. } => {
                LayoutError::Blob { directory: layout.directory().to_owned(), source }.into()
            }
        }
    }

    /// The file of a layer, where the base lies in files.
    pub(super) fn file(&self, descriptor: &Descriptor) -> Option<PathBuf> {
        match self {
            Self::Registry { .. } => None,
            Self::Layout { layout, .. } => Some(layout.blob_path(&descriptor.digest)),
        }
    }

    /// The layer's place in the words of [`crate::registry`]; `file` is what [`Source::file`] gives.
    pub(super) fn blob_source<'a>(&'a self, file: Option<&'a std::path::Path>) -> Option<BlobSource<'a>> {
        match (self, file) {
            (Self::Registry { repository, .. }, _) => Some(BlobSource::Repository(repository)),
            (Self::Layout { .. }, file) => file.map(BlobSource::File),
        }
    }
}

/// The repository of `location`, or that of a mirror of it.
async fn repository(location: &ImageLocation, settings: &RegistrySettings) -> Result<Repository, StoreError> {
    let mirrors = if location.registry() == DOCKER_HUB { settings.mirrors.as_slice() } else { &[] };
    let mut failure = None;
    for mirror in mirrors {
        let Ok(mirrored) = location.at(mirror) else {
            tracing::warn!("the mirror `{mirror}` is passed over: it is not a registry's host");
            continue;
        };
        let repository = Repository::for_reading(&mirrored, settings)?;
        match repository.manifest(mirrored.tag_or_digest()).await {
            Ok(_) => {
                tracing::info!("the base image comes from the mirror `{mirror}`");
                return Ok(repository);
            }
            Err(error) if settings.mirrors_only => failure = Some(error),
            Err(error) => tracing::warn!("the mirror `{mirror}` is passed over: {}", one_line(&error)),
        }
    }
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(Repository::for_reading(location, settings)?),
    }
}
