//! Several images under one name (OCI image-spec, "OCI Image Index").

use serde_json::json;

use super::{Document, Format, Image};

/// The index of `images`, in their order.
#[must_use]
pub fn index(images: &[Image], format: Format) -> Document {
    let manifests: Vec<_> = (images.iter())
        .map(|image| {
            let mut entry = json!(image.manifest.descriptor);
            entry["platform"] = json!(image.platform);
            entry
        })
        .collect();
    let index = json!({ "schemaVersion": 2, "mediaType": format.index(), "manifests": manifests });
    Document::new(format.index(), &index)
}
