//! The base image, as its registry or layout tells it: an index or a manifest, then a config.

use serde_json::{Value, json};

use super::{Descriptor, Format, ImageError, Platform, Platforms, media_type};
use crate::digest::Digest;

/// What a reference of the base leads to.
#[derive(Debug, Clone)]
pub enum Root {
    /// One image.
    Manifest(Value),
    /// Several, for different platforms.
    Index(Vec<(Platform, Descriptor)>),
}

/// One image of the base.
#[derive(Debug, Clone)]
pub struct BaseImage {
    /// Where it runs.
    pub platform: Platform,
    /// Its manifest, every field of it.
    pub manifest: Value,
    /// Its config, every field of it.
    pub config: Value,
    /// The manifest's layers, lowest first.
    pub layers: Vec<Descriptor>,
}

impl Root {
    /// Reads the document behind a reference. Attestations and other entries without a real platform are left out.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        let value: Value = serde_json::from_slice(bytes).map_err(|_| ImageError::Unreadable("manifest"))?;
        if value.get("schemaVersion").and_then(Value::as_u64) == Some(1) {
            return Err(ImageError::SchemaOne);
        }
        match value.get("manifests").and_then(Value::as_array) {
            Some(entries) => Ok(Self::Index(entries.iter().filter_map(index_entry).collect())),
            None if value.get("config").is_some() && value.get("layers").is_some() => {
                Ok(Self::Manifest(value))
            }
            None => Err(ImageError::Unreadable("manifest")),
        }
    }
}

fn index_entry(entry: &Value) -> Option<(Platform, Descriptor)> {
    let descriptor: Descriptor = serde_json::from_value(entry.clone()).ok()?;
    let platform: Platform = serde_json::from_value(entry.get("platform")?.clone()).ok()?;
    let image =
        [media_type::OCI_MANIFEST, media_type::DOCKER_MANIFEST].contains(&descriptor.media_type.as_str());
    (image && !platform.is_unknown()).then_some((platform, descriptor))
}

/// The entries of an index that are wanted, in the index's order for `all`, in the user's for a list.
pub fn select(
    entries: &[(Platform, Descriptor)],
    wanted: &Platforms,
) -> Result<Vec<(Platform, Descriptor)>, ImageError> {
    let find = |wanted: &Platform| {
        let found = entries.iter().find(|(platform, _)| platform.satisfies(wanted));
        found.cloned().ok_or_else(|| ImageError::NoPlatform {
            wanted: wanted.to_string(),
            available: entries.iter().map(|(platform, _)| platform.to_string()).collect(),
        })
    };
    match wanted {
        Platforms::Here => Ok(vec![find(&Platform::here())?]),
        Platforms::All if entries.is_empty() => Err(ImageError::EmptyIndex),
        Platforms::All => Ok(entries.to_vec()),
        Platforms::Listed(list) => list.iter().map(find).collect(),
    }
}

impl BaseImage {
    /// The images of no base at all: one empty one for each wanted platform.
    pub fn scratch(wanted: &Platforms) -> Result<Vec<Self>, ImageError> {
        let platforms = match wanted {
            Platforms::Here => vec![Platform::here()],
            Platforms::Listed(list) => list.clone(),
            Platforms::All => return Err(ImageError::AllOfScratch),
        };
        let image = |platform: Platform| {
            let mut config = json!({ "architecture": platform.architecture, "os": platform.os });
            if let Some(variant) = &platform.variant {
                config["variant"] = json!(variant);
            }
            config["config"] = json!({});
            config["rootfs"] = json!({ "type": "layers", "diff_ids": [] });
            config["history"] = json!([]);
            let manifest = json!({ "schemaVersion": 2 });
            Self { platform, manifest, config, layers: Vec::new() }
        };
        Ok(platforms.into_iter().map(image).collect())
    }

    /// The config of a manifest.
    pub fn config_of(manifest: &Value) -> Result<Descriptor, ImageError> {
        let config = manifest.get("config").cloned().unwrap_or_default();
        serde_json::from_value(config).map_err(|_| ImageError::Unreadable("manifest"))
    }

    /// An image from its manifest and config. `wanted` is the platform under which an index listed it.
    pub fn new(manifest: Value, config: &[u8], wanted: Option<Platform>) -> Result<Self, ImageError> {
        let layers: Vec<Descriptor> = manifest
            .get("layers")
            .and_then(|layers| serde_json::from_value(layers.clone()).ok())
            .ok_or(ImageError::Unreadable("manifest"))?;
        let config: Value = serde_json::from_slice(config).map_err(|_| ImageError::Unreadable("config"))?;
        let platform: Platform =
            serde_json::from_value(config.clone()).map_err(|_| ImageError::Unreadable("config"))?;
        let diff_ids = config.pointer("/rootfs/diff_ids").and_then(Value::as_array).map_or(0, Vec::len);
        if diff_ids != layers.len() {
            return Err(ImageError::LayerCount { manifest: layers.len(), config: diff_ids });
        }
        Ok(Self { platform: wanted.unwrap_or(platform), manifest, config, layers })
    }

    /// Holds a single manifest's platform against what the user asked for.
    pub fn check_platform(&self, wanted: &Platforms) -> Result<(), ImageError> {
        match wanted {
            // A base without a choice is taken as it is, as other builders do.
            Platforms::Here | Platforms::All => Ok(()),
            Platforms::Listed(list) => match list.iter().find(|wanted| !self.platform.satisfies(wanted)) {
                Some(missing) => Err(ImageError::NoPlatform {
                    wanted: missing.to_string(),
                    available: vec![self.platform.to_string()],
                }),
                None => Ok(()),
            },
        }
    }

    /// Whether every layer has a media type in `format`, and its bytes can be had from a registry.
    pub fn check_layers(&self, format: Format) -> Result<(), ImageError> {
        for layer in &self.layers {
            if format.adopt(&layer.media_type).is_none() {
                return Err(ImageError::LayerType { media_type: layer.media_type.clone() });
            }
        }
        Ok(())
    }

    /// `diff_id`s of the layers, lowest first.
    pub fn diff_ids(&self) -> Vec<Digest> {
        let ids = self.config.pointer("/rootfs/diff_ids").cloned().unwrap_or_default();
        serde_json::from_value(ids).unwrap_or_default()
    }
}
