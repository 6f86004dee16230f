//! Holds a finished image against the specification: the last check before anything is pushed.

use serde_json::Value;

use super::{Descriptor, Document, Image, ImageError};

/// Layers that overlayfs mounts at most (moby's `maxDepth` is 125 plus two; containers/storage stops at 127).
pub const MAX_LAYERS: usize = 127;

/// Checks every invariant that can be checked without the layers' bytes.
pub fn validate(image: &Image) -> Result<(), ImageError> {
    let (base, plugins) = (image.base_layers.len(), image.plugin_layers.len());
    if base + plugins > MAX_LAYERS {
        return Err(ImageError::TooManyLayers { found: base + plugins, limit: MAX_LAYERS, base, plugins });
    }
    let invalid = |what: &str| Err(ImageError::Invalid(what.to_owned()));
    let (Some(manifest), Some(config)) = (parse(&image.manifest), parse(&image.config)) else {
        return invalid("a document is not what its descriptor says");
    };
    let layers: Vec<Descriptor> =
        manifest.get("layers").and_then(|l| serde_json::from_value(l.clone()).ok()).unwrap_or_default();
    if layers != [image.base_layers.as_slice(), image.plugin_layers.as_slice()].concat() {
        return invalid("the manifest's layers are not the base's and the plugins'");
    }
    if manifest.get("config") != Some(&serde_json::json!(image.config.descriptor)) {
        return invalid("the manifest's config is another one");
    }
    let count = |pointer: &str| config.pointer(pointer).and_then(Value::as_array).map_or(0, Vec::len);
    if count("/rootfs/diff_ids") != layers.len() {
        return invalid("the config's `diff_ids` are not as many as the layers");
    }
    let history = config.get("history").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let told = history.iter().filter(|entry| entry.get("empty_layer") != Some(&Value::Bool(true))).count();
    if told < layers.len() {
        return invalid("the config's history does not tell of each layer");
    }
    Ok(())
}

/// The document, if its bytes are those of its descriptor.
fn parse(document: &Document) -> Option<Value> {
    let described = Descriptor::of(&document.descriptor.media_type, &document.bytes);
    (described == document.descriptor).then(|| serde_json::from_slice(&document.bytes).ok()).flatten()
}
