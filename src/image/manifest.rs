//! Adding plugin layers to a base image: the manifest (OCI image-spec, "OCI Image Manifest").

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::config::{self, History};
use super::{BaseImage, Descriptor, Document, Dressing, Format, Image, ImageError, PluginLayer};

/// The plugin that a layer holds.
pub const PLUGIN_ANNOTATION: &str = "connectbuild.io/plugin";
/// The key of the inputs that the layer was made of.
pub const INPUTS_ANNOTATION: &str = "connectbuild.io/inputs";
/// The label that names all plugins, comma-separated.
pub const PLUGINS_LABEL: &str = "connectbuild.io/plugins";

const BASE_NAME: &str = "org.opencontainers.image.base.name";
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// `base` with `plugins` on top.
pub fn append(base: &BaseImage, plugins: &[PluginLayer], dressing: &Dressing) -> Result<Image, ImageError> {
    let format = dressing.format;
    base.check_layers(format)?;
    let base_layers: Vec<Descriptor> = (base.layers.iter())
        .map(|layer| {
            let media_type = format.adopt(&layer.media_type).unwrap_or_else(|| layer.media_type.clone());
            Descriptor { media_type, ..layer.clone() }
        })
        .collect();
    let plugin_layers =
        plugins.iter().map(|plugin| describe(plugin, format)).collect::<Result<Vec<_>, _>>()?;

    let mut config = base.config.clone();
    let added: Vec<History> = (plugins.iter())
        .map(|plugin| History {
            created_by: format!("connect-build: plugin {} from {}", plugin.plugin, plugin.made_of),
            diff_id: plugin.layer.diff_id.clone(),
        })
        .collect();
    let mut labels = dressing.labels.clone();
    let names: Vec<&str> = plugins.iter().map(|plugin| plugin.plugin.as_str()).collect();
    labels.entry(PLUGINS_LABEL.into()).or_insert_with(|| names.join(","));
    let created = config::rfc3339(dressing.created);
    config::append(&mut config, base.layers.len(), &added, &created, &labels)?;
    let config = Document::new(format.config(), &config);

    let mut manifest = base.manifest.clone();
    let fields = manifest.as_object_mut().ok_or(ImageError::Unreadable("manifest"))?;
    // These would say of the new image what is true of the base alone.
    fields.remove("subject");
    fields.remove("artifactType");
    fields.insert("mediaType".into(), json!(format.manifest()));
    fields.insert("config".into(), json!(config.descriptor));
    fields.insert("layers".into(), json!([base_layers.as_slice(), plugin_layers.as_slice()].concat()));
    annotate(fields, dressing);
    let manifest = Document::new(format.manifest(), &manifest);
    Ok(Image { platform: base.platform.clone(), config, manifest, base_layers, plugin_layers })
}

fn describe(plugin: &PluginLayer, format: Format) -> Result<Descriptor, ImageError> {
    let layer = &plugin.layer;
    let media_type = format.layer(layer.compression).ok_or(ImageError::NoZstd)?;
    let mut descriptor = Descriptor::new(&media_type, layer.digest.clone(), layer.size);
    if format == Format::Oci {
        descriptor.annotations = BTreeMap::from([
            (PLUGIN_ANNOTATION.to_owned(), plugin.plugin.clone()),
            (INPUTS_ANNOTATION.to_owned(), plugin.inputs.to_string()),
        ]);
    }
    Ok(descriptor)
}

/// Docker's schema has no annotations; there the base is named nowhere but in the history.
fn annotate(fields: &mut serde_json::Map<String, Value>, dressing: &Dressing) {
    if dressing.format == Format::Docker {
        fields.remove("annotations");
        return;
    }
    let Some((name, digest)) = &dressing.base else { return };
    let annotations = fields.entry("annotations").or_insert_with(|| json!({}));
    if !annotations.is_object() {
        *annotations = json!({});
    }
    annotations[BASE_NAME] = json!(name);
    annotations[BASE_DIGEST] = json!(digest);
}
