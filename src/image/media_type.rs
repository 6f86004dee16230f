//! Media types of the two formats, and how one's become the other's.

use crate::plan::Compression;

/// The format of the finished image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// OCI image-spec 1.1.
    #[default]
    Oci,
    /// Docker image manifest version 2, schema 2.
    Docker,
}

/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image config.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Docker manifest list.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker config.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// What may be asked for as a base or read back, in order of preference.
pub const MANIFESTS: [&str; 4] = [OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST];

const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const OCI_FOREIGN_LAYER: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
const DOCKER_FOREIGN_LAYER: &str = "application/vnd.docker.image.rootfs.foreign.diff.tar";

impl Format {
    /// The manifest's media type.
    #[must_use]
    pub const fn manifest(self) -> &'static str {
        match self {
            Self::Oci => OCI_MANIFEST,
            Self::Docker => DOCKER_MANIFEST,
        }
    }

    /// The index's media type.
    #[must_use]
    pub const fn index(self) -> &'static str {
        match self {
            Self::Oci => OCI_INDEX,
            Self::Docker => DOCKER_INDEX,
        }
    }

    /// The config's media type.
    #[must_use]
    pub const fn config(self) -> &'static str {
        match self {
            Self::Oci => OCI_CONFIG,
            Self::Docker => DOCKER_CONFIG,
        }
    }

    /// The media type of a layer; Docker's schema has none for zstd.
    #[must_use]
    pub fn layer(self, compression: Compression) -> Option<String> {
        match (self, compression) {
            (Self::Oci, Compression::None) => Some(OCI_LAYER.into()),
            (Self::Oci, Compression::Gzip) => Some(format!("{OCI_LAYER}+gzip")),
            (Self::Oci, Compression::Zstd) => Some(format!("{OCI_LAYER}+zstd")),
            (Self::Docker, Compression::None) => Some(DOCKER_LAYER.into()),
            (Self::Docker, Compression::Gzip) => Some(format!("{DOCKER_LAYER}.gzip")),
            (Self::Docker, Compression::Zstd) => None,
        }
    }

    /// The media type under which a base's layer of `media_type` stands in a manifest of this format; its bytes stay the
    /// same. `None` where this format has no word for it.
    #[must_use]
    pub fn adopt(self, media_type: &str) -> Option<String> {
        let (foreign, compression) = understand(media_type)?;
        let adopted = self.layer(compression)?;
        Some(match (self, foreign) {
            (_, false) => adopted,
            (Self::Oci, true) => adopted.replacen(OCI_LAYER, OCI_FOREIGN_LAYER, 1),
            (Self::Docker, true) => adopted.replacen(DOCKER_LAYER, DOCKER_FOREIGN_LAYER, 1),
        })
    }
}

/// Whether a layer's content lies outside registries, and its compression.
pub(crate) fn understand(media_type: &str) -> Option<(bool, Compression)> {
    let known =
        [(OCI_FOREIGN_LAYER, true), (OCI_LAYER, false), (DOCKER_FOREIGN_LAYER, true), (DOCKER_LAYER, false)];
    known.into_iter().find_map(|(prefix, foreign)| {
        let compression = match media_type.strip_prefix(prefix)? {
            "" => Compression::None,
            "+gzip" | ".gzip" => Compression::Gzip,
            "+zstd" => Compression::Zstd,
            _ => return None,
        };
        Some((foreign, compression))
    })
}
