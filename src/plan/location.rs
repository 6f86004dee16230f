//! Names of images: in a registry, in a layout directory, in an archive.
//!
//! The forms are skopeo's: `docker://HOST/REPOSITORY:TAG` (the prefix may be left out), `oci:DIR[:TAG]`,
//! `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME:TAG]`, and for a base also `scratch`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use oci_spec::distribution::Reference;

/// An image in a registry: registry, repository, and a tag or digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageLocation {
    reference: Reference,
}

/// The base image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// No base: the image holds the plugins alone.
    Scratch,
    /// An image in a registry.
    Image(ImageLocation),
    /// An image in an OCI layout directory.
    Layout {
        /// The directory.
        directory: PathBuf,
        /// The image's name in the layout, where it holds several.
        tag: Option<String>,
    },
}

/// Where the finished image goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A registry.
    Registry(ImageLocation),
    /// An OCI layout directory.
    Layout {
        /// The directory.
        directory: PathBuf,
        /// The image's name in it.
        tag: Option<String>,
    },
    /// A tar file of an OCI layout.
    OciArchive {
        /// The file.
        file: PathBuf,
        /// The image's name in it.
        tag: Option<String>,
    },
    /// A tar file as `docker save` writes it.
    DockerArchive {
        /// The file.
        file: PathBuf,
        /// The name under which it is loaded.
        name: Option<ImageLocation>,
    },
}

/// Text that names no image.
#[derive(Debug, thiserror::Error)]
pub enum InvalidLocation {
    /// Not an image reference.
    #[error("`{text}` is not an image reference: {detail}")]
    Reference {
        /// What was given.
        text: String,
        /// What is wrong.
        detail: String,
    },
    /// A prefix that no image has.
    #[error("`{0}` is not a kind of place for an image")]
    Scheme(String),
    /// A prefix without a path.
    #[error("`{0}` names no file or directory")]
    NoPath(String),
    /// A digest where the image is yet to be made.
    #[error("`{0}` names a digest, but the digest of an image is known only when it is built")]
    DigestAsTarget(String),
}

impl InvalidLocation {
    pub(super) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Reference { .. } => {
                "image references look like `registry.example.com:5000/team/connect:1.0`".into()
            }
            Self::Scheme(_) => {
                "known are `docker://HOST/REPOSITORY:TAG`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, \
                 `docker-archive:FILE[:NAME:TAG]`, and `scratch` as a base"
                    .into()
            }
            Self::NoPath(_) => return None,
            Self::DigestAsTarget(_) => "give a tag: `HOST/REPOSITORY:TAG`".into(),
        })
    }
}

impl ImageLocation {
    /// Reads `HOST/REPOSITORY[:TAG][@DIGEST]`; without a host it is Docker Hub, without a tag `latest`.
    pub fn parse(text: &str) -> Result<Self, InvalidLocation> {
        let reference = Reference::try_from(text).map_err(|error| InvalidLocation::Reference {
            // Somebody may have put a user and a password in front of the host.
            text: match text.rsplit_once('@') {
                Some((_, rest)) if !rest.starts_with("sha") => format!("***@{rest}"),
                _ => text.to_owned(),
            },
            detail: error.to_string(),
        })?;
        Ok(Self { reference })
    }

    /// The registry as users name it: `docker.io`, `localhost:5000`.
    pub fn registry(&self) -> &str {
        self.reference.registry()
    }

    /// The repository inside the registry.
    pub fn repository(&self) -> &str {
        self.reference.repository()
    }

    /// The tag, if there is no digest.
    pub fn tag(&self) -> Option<&str> {
        if self.reference.digest().is_some() { None } else { Some(self.reference.tag().unwrap_or("latest")) }
    }

    /// What to ask the registry for: the digest, or the tag.
    pub fn tag_or_digest(&self) -> &str {
        self.reference.digest().or(self.reference.tag()).unwrap_or("latest")
    }

    /// The same image at a mirror: a host, perhaps with a path in front of the repository.
    pub fn at(&self, mirror: &str) -> Result<Self, InvalidLocation> {
        let separator = if self.reference.digest().is_some() { '@' } else { ':' };
        Self::parse(&format!(
            "{}/{}{separator}{}",
            mirror.trim_end_matches('/'),
            self.repository(),
            self.tag_or_digest()
        ))
    }

    /// `HOST/REPOSITORY`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry(), self.repository())
    }
}

impl fmt::Display for ImageLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.reference.digest(), self.tag()) {
            (Some(digest), _) => write!(f, "{}@{digest}", self.name()),
            (None, tag) => write!(f, "{}:{}", self.name(), tag.unwrap_or("latest")),
        }
    }
}

impl Output {
    /// A target in a registry.
    pub fn registry(text: &str) -> Result<Self, InvalidLocation> {
        let location = ImageLocation::parse(text)?;
        if location.tag().is_none() {
            return Err(InvalidLocation::DigestAsTarget(text.to_owned()));
        }
        Ok(Self::Registry(location))
    }

    /// A layout directory without a tag.
    pub fn layout(directory: impl Into<PathBuf>) -> Self {
        Self::Layout { directory: directory.into(), tag: None }
    }
}

impl FromStr for Base {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Place::split(text)? {
            Place::Reference("scratch") if !text.contains(':') => Ok(Self::Scratch),
            Place::Reference(reference) => ImageLocation::parse(reference).map(Self::Image),
            Place::Path { scheme: "oci", path, tag } => {
                Ok(Self::Layout { directory: path.into(), tag: tag.map(str::to_owned) })
            }
            Place::Path { scheme, .. } => Err(InvalidLocation::Scheme(format!("{scheme}: (as a base)"))),
        }
    }
}

impl FromStr for Output {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Place::split(text)? {
            Place::Reference(reference) => Self::registry(reference),
            Place::Path { scheme, path, tag } => {
                let owned = tag.map(str::to_owned);
                Ok(match scheme {
                    "oci" => Self::Layout { directory: path.into(), tag: owned },
                    "oci-archive" => Self::OciArchive { file: path.into(), tag: owned },
                    _ => Self::DockerArchive {
                        file: path.into(),
                        name: tag.map(ImageLocation::parse).transpose()?,
                    },
                })
            }
        }
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scratch => f.write_str("scratch"),
            Self::Image(image) => image.fmt(f),
            Self::Layout { directory, tag } => show_path(f, "oci", directory, tag.as_deref()),
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(image) => image.fmt(f),
            Self::Layout { directory, tag } => show_path(f, "oci", directory, tag.as_deref()),
            Self::OciArchive { file, tag } => show_path(f, "oci-archive", file, tag.as_deref()),
            Self::DockerArchive { file, name } => {
                show_path(f, "docker-archive", file, name.as_ref().map(ToString::to_string).as_deref())
            }
        }
    }
}

fn show_path(
    f: &mut fmt::Formatter<'_>,
    scheme: &str,
    path: &std::path::Path,
    tag: Option<&str>,
) -> fmt::Result {
    write!(f, "{scheme}:{}", path.display())?;
    tag.map_or(Ok(()), |tag| write!(f, ":{tag}"))
}

/// A location, split but not yet understood.
enum Place<'a> {
    Reference(&'a str),
    Path { scheme: &'a str, path: &'a str, tag: Option<&'a str> },
}

impl<'a> Place<'a> {
    fn split(text: &'a str) -> Result<Self, InvalidLocation> {
        if let Some(reference) = text.strip_prefix("docker://") {
            return Ok(Self::Reference(reference));
        }
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(InvalidLocation::Scheme(format!("{scheme}://")));
        }
        for scheme in ["oci", "oci-archive", "docker-archive"] {
            let Some(rest) = text.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(':')) else {
                continue;
            };
            // A tag has no slash, so a colon before one belongs to the path. A docker-archive's name may have some.
            let (path, tag) = match rest.split_once(':') {
                Some((path, tag)) if scheme == "docker-archive" || !tag.contains(['/', ':']) => {
                    (path, Some(tag))
                }
                _ => (rest, None),
            };
            if path.is_empty() {
                return Err(InvalidLocation::NoPath(text.to_owned()));
            }
            return Ok(Self::Path { scheme, path, tag: tag.filter(|tag| !tag.is_empty()) });
        }
        Ok(Self::Reference(text))
    }
}
