//! The key of a plugin layer's inputs.
//!
//! Two builds whose key is the same, and whose unpinned URLs still give the same content, make the same layer. The
//! key goes into the manifest as an annotation of the layer, where the next build finds it. Keeping a layer for its
//! key belongs here when it comes.

use serde_json::json;

use super::LayerChoices;
use crate::digest::Digest;
use crate::spec::{Artifact, ArtifactKind, IncludeScope, Remote};

/// Counts changes of how inputs become bytes; it is part of every key.
pub const LAYER_FORMAT: u32 = 1;

/// The key: a digest of the canonical JSON of everything that decides the layer.
pub(super) fn inputs(plugin: &str, artifacts: &[Artifact], choices: LayerChoices) -> Digest {
    let artifacts: Vec<_> = artifacts.iter().map(describe).collect();
    let key = json!({
        "format": LAYER_FORMAT,
        "plugin": plugin,
        "compression": choices.compression.name(),
        "mtime": choices.mtime,
        "skipLinks": choices.links == super::Links::Skip,
        "artifacts": artifacts,
    });
    Digest::of(key.to_string().as_bytes())
}

fn describe(artifact: &Artifact) -> serde_json::Value {
    let remote = |name: &str, remote: &Remote| json!({ "type": name, "url": remote.url, "sha512": remote.sha512.as_ref().map(ToString::to_string) });
    let description = match &artifact.kind {
        ArtifactKind::Jar(file) => remote("jar", file),
        ArtifactKind::Tgz(file) => remote("tgz", file),
        ArtifactKind::Zip(file) => remote("zip", file),
        ArtifactKind::Other(file, name) => json!([remote("other", file), name]),
        ArtifactKind::Maven(maven) => json!({
            "type": "maven",
            "coordinate": [maven.group, maven.artifact, maven.version],
            "scope": match maven.include_scope {
                IncludeScope::Unset => None,
                IncludeScope::Everything => Some("all".to_owned()),
                IncludeScope::Only(scope) => Some(format!("{scope:?}")),
            },
            "repository": maven.repository,
            "mirrors": maven.mirrors,
        }),
    };
    if artifact.drop_links { json!([description, "links are left out"]) } else { description }
}
