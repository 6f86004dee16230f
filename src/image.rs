//! Images as values: a base, and what becomes of it when layers are added.
//!
//! Nothing here talks to anyone. [`base`] understands manifests, indexes and configs that were read elsewhere;
//! [`append`] adds layers and gives an [`Image`]: the exact bytes of config and manifest, with their digests. The base's
//! JSON is edited, not rebuilt, so fields that nobody here has heard of survive. [`validate()`] holds a finished image
//! against the specification, in tests and before every push.

pub mod base;
mod config;
mod error;
mod index;
pub mod manifest;
pub mod media_type;
pub mod parents;
pub mod platform;
mod validate;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::base::{BaseImage, Root};
pub use self::config::History;
pub use self::error::ImageError;
pub use self::index::index;
pub use self::manifest::append;
pub use self::media_type::Format;
pub use self::platform::{Platform, Platforms};
pub use self::validate::{MAX_LAYERS, validate};
use crate::digest::Digest;
use crate::layer::BuiltLayer;

/// A content descriptor (OCI image-spec, "OCI Content Descriptors").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The content's media type.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Free-form facts about it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Every other field, as it came.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

impl Descriptor {
    /// A descriptor of `content`.
    #[must_use]
    pub fn of(media_type: &str, content: &[u8]) -> Self {
        Self::new(media_type, Digest::of(content), content.len() as u64)
    }

    /// A descriptor without annotations.
    #[must_use]
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        let (annotations, other) = (BTreeMap::new(), BTreeMap::new());
        Self { media_type: media_type.to_owned(), digest, size, annotations, other }
    }
}

/// A plugin's layer, ready to be added.
#[derive(Debug, Clone)]
pub struct PluginLayer {
    /// The plugin's name.
    pub plugin: String,
    /// The key of its inputs ([`crate::plan::Plugin::inputs`]).
    pub inputs: Digest,
    /// One line for the history: what it was made of, without secrets.
    pub made_of: String,
    /// The layer.
    pub layer: BuiltLayer,
}

/// A config or manifest, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What others refer to it by.
    pub descriptor: Descriptor,
    /// Its bytes, which are what the digest is of.
    pub bytes: Vec<u8>,
}

impl Document {
    pub(crate) fn new(media_type: &str, value: &serde_json::Value) -> Self {
        let bytes = value.to_string().into_bytes();
        Self { descriptor: Descriptor::of(media_type, &bytes), bytes }
    }
}

/// A finished image for one platform.
#[derive(Debug, Clone)]
pub struct Image {
    /// Where it runs.
    pub platform: Platform,
    /// Its config.
    pub config: Document,
    /// Its manifest.
    pub manifest: Document,
    /// The base's layers, as they stand in the manifest.
    pub base_layers: Vec<Descriptor>,
    /// The plugins' layers, as they stand in the manifest.
    pub plugin_layers: Vec<Descriptor>,
}

/// What the user wants of the image beyond its layers.
#[derive(Debug, Clone, Default)]
pub struct Dressing {
    /// Docker schema 2 instead of OCI.
    pub format: Format,
    /// `created` of config and history, seconds since 1970.
    pub created: u64,
    /// Labels to set.
    pub labels: BTreeMap<String, String>,
    /// The base's name and digest, for the annotations of these names.
    pub base: Option<(String, Digest)>,
}

#[cfg(test)]
mod tests;
