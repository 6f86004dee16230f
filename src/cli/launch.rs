//! Who launched this process: the operator as if it were Kaniko or Buildah, or somebody with our own words.
//!
//! Strimzi gives its builder arguments and nothing else, and an image cannot change them (`KafkaConnectBuild.java`). So the
//! command lines of both builders are read here, as data, and each becomes a command line of `build`, with what `build` has no
//! flags for beside it. From there on there is one program. Variables `CONNECT_BUILD_…` hold as always; what the launch
//! says comes before them.

mod buildah;
mod error;
mod kaniko;
mod script;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use connect_build::registry::{Credentials, HostSettings};

pub(super) use self::error::LaunchError;

/// A foreign command line in our words.
#[derive(Debug, Default)]
pub(super) struct Launch {
    /// Arguments of the command `build`.
    pub(super) arguments: Vec<String>,
    /// What holds for reading the base.
    pub(super) pull: Side,
    /// What holds for pushing.
    pub(super) push: Side,
    /// Proxies, from build arguments: scheme (`http_proxy`, …) and URL.
    pub(super) proxies: BTreeMap<String, String>,
    /// How the launcher names the image in what it reports; as we do if it says nothing.
    pub(super) name: Option<Name>,
    /// Files that the launcher writes after a success.
    pub(super) files: Vec<(PathBuf, Report)>,
    /// What is accepted and does nothing, with the reason.
    pub(super) remarks: Vec<String>,
}

impl Launch {
    /// Whether somebody launches us in another builder's place.
    pub(super) fn is_one(&self) -> bool {
        !self.arguments.is_empty()
    }
}

/// What a launcher can say of one direction.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// For every registry.
    pub(super) everywhere: HostSettings,
    /// For single ones.
    pub(super) hosts: BTreeMap<String, HostSettings>,
    /// A docker config of its own.
    pub(super) auth_file: Option<PathBuf>,
    /// Credentials for every registry.
    pub(super) credentials: Option<Credentials>,
    /// A directory with certificates.
    pub(super) cert_dir: Option<PathBuf>,
    /// Further tries.
    pub(super) retries: Option<usize>,
    /// The wait before the first of them.
    pub(super) retry_delay: Option<Duration>,
    /// Mirrors stand for Docker Hub alone.
    pub(super) mirrors_only: bool,
    /// Registries in private networks may speak plain http.
    pub(super) private_http: bool,
}

/// What a launcher calls the image.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Without tag or digest.
    pub(super) name: String,
    /// `latest` where none is given.
    pub(super) tag: String,
}

/// What goes into a launcher's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    /// `sha256:…`.
    Digest,
    /// `NAME@sha256:…`.
    NameWithDigest,
    /// `NAME:TAG@sha256:…`.
    NameTagWithDigest,
}

/// The launch that these arguments (the program's own name left out) are; nothing if they are our own words.
pub(super) fn recognise(arguments: &[OsString]) -> Result<Option<Launch>, LaunchError> {
    let Some(first) = arguments.first().and_then(|first| first.to_str()) else { return Ok(None) };
    let ours = ["--help", "-h", "--version", "-V"];
    let shell = first.rsplit('/').next().is_some_and(|name| matches!(name, "bash" | "sh"));
    let text = || {
        let words = arguments.iter().map(|argument| argument.to_str().map(ToOwned::to_owned));
        words.collect::<Option<Vec<String>>>().ok_or(LaunchError::NotText)
    };
    let variable = |name: &str| std::env::var(name).ok();
    if shell {
        buildah::read(&text()?, &variable).map(Some)
    } else if first.starts_with('-') && !ours.contains(&first) {
        kaniko::read(&text()?, &variable).map(Some)
    } else {
        Ok(None)
    }
}

/// Words in backquotes, with commas between them.
fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// A truth value as Go writes it (`strconv.ParseBool`); a flag alone is true.
fn truth(value: Option<&str>) -> Option<bool> {
    match value {
        None | Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Some(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Some(false),
        Some(_) => None,
    }
}

/// A length of time as Go writes it: `2s`, `1m30s`, `500ms` (`time.ParseDuration`).
fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let units: [(&str, f64); 5] =
            [("ms", 0.001), ("us", 0.000_001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
        let (unit, seconds) = units.into_iter().find(|(unit, _)| after.starts_with(unit))?;
        total += Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        rest = &after[unit.len()..];
    }
    Some(total)
}

/// `user:password`, or a user alone.
fn credentials(text: &str) -> Credentials {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    Credentials::Basic { user: user.to_owned(), password: connect_build::redact::Secret::new(password) }
}

#[cfg(test)]
mod tests;
