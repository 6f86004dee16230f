//! Platforms: operating system, architecture and variant, as registries and users write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `linux/arm64/v8` (OCI image-spec, image index, `platform`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// `amd64`, `arm64`, … (Go's names).
    pub architecture: String,
    /// `v7`, `v8`, … where the architecture has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The version of the operating system, where it matters.
    #[serde(default, rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// What the operating system has to have.
    #[serde(default, rename = "os.features", skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
}

/// Which images of an index are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Platforms {
    /// The one that this program runs on; the result is a single image.
    #[default]
    Here,
    /// Every one; the result is an index.
    All,
    /// These; with more than one the result is an index.
    Listed(Vec<Platform>),
}

/// Text that names no platform.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a platform: write `all`, or a list like `linux/amd64,linux/arm64`")]
pub struct InvalidPlatform(String);

impl Platform {
    fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
            os_version: None,
            os_features: Vec::new(),
        }
    }

    /// The platform of the running binary. Images of Kafka are Linux's, also when this runs on a Mac.
    #[must_use]
    pub fn here() -> Self {
        let (architecture, variant) = match std::env::consts::ARCH {
            "x86_64" => ("amd64", None),
            "aarch64" => ("arm64", None),
            "x86" => ("386", None),
            "arm" => ("arm", Some("v7")),
            "powerpc64" if cfg!(target_endian = "little") => ("ppc64le", None),
            "powerpc64" => ("ppc64", None),
            other => (other, None),
        };
        Self::new("linux", architecture, variant)
    }

    /// Whether an image for `self` is what someone asking for `wanted` means. A variant that was not asked for does not
    /// matter, and arm64's only one may be left out.
    #[must_use]
    pub fn satisfies(&self, wanted: &Platform) -> bool {
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (wanted.variant.is_none() || self.normal_variant() == wanted.normal_variant())
    }

    fn normal_variant(&self) -> Option<&str> {
        match (self.architecture.as_str(), self.variant.as_deref()) {
            ("arm64", None) => Some("v8"),
            ("arm", None) => Some("v7"),
            (_, variant) => variant,
        }
    }

    /// What attestation manifests carry instead of a platform (`BuildKit`, "image attestation storage").
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = InvalidPlatform;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match parts.as_slice() {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(*variant)),
            _ => return Err(InvalidPlatform(text.to_owned())),
        };
        if parts.iter().any(|part| part.is_empty()) {
            return Err(InvalidPlatform(text.to_owned()));
        }
        Ok(Self::new(os, architecture, variant))
    }
}

impl FromStr for Platforms {
    type Err = InvalidPlatform;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" {
            return Ok(Self::All);
        }
        let mut list: Vec<Platform> = Vec::new();
        for one in text.split(',') {
            let platform = one.trim().parse()?;
            if !list.contains(&platform) {
                list.push(platform);
            }
        }
        Ok(Self::Listed(list))
    }
}
