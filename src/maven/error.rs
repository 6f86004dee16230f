//! What can go wrong in this room.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::checksum::Algorithm;
use super::coordinate::{Coordinate, Text};
use super::interpolate::InterpolationError;
use super::repository::Closed;
use super::version::InvalidConstraint;
use super::xml::XmlError;
use crate::error::{Diagnose, Reason};
use crate::fetch::{DownloadError, FileError};
use crate::http::HttpError;
use crate::workspace::WorkspaceError;

/// What one repository answered.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The repository, for people.
    pub repository: String,
    /// Its answer.
    pub answer: Answer,
}

/// See [`Attempt`].
#[derive(Debug, Clone)]
pub enum Answer {
    /// It has no such file.
    Missing,
    /// It was not asked.
    Closed(Closed),
    /// It keeps no releases, or no snapshots.
    WrongKind(&'static str),
    /// It failed.
    Failed(std::sync::Arc<RequestError>),
}

/// A request to a repository that failed otherwise than with "not found".
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The transfer.
    #[error(transparent)]
    Transfer(#[from] FileError),
    /// The file is not what its checksum says, twice.
    #[error("{} {actual} instead of {expected}, which {} says", .algorithm.name(), .source_of)]
    Checksum {
        /// Which sum.
        algorithm: Algorithm,
        /// What should have come.
        expected: String,
        /// What came.
        actual: String,
        /// Who says so.
        source_of: String,
    },
    /// A file of the cache or of the workspace.
    #[error("cannot use the file `{}`", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Attempt {
    /// The repository says, for itself, that there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self.answer, Answer::Missing | Answer::WrongKind(_) | Answer::Closed(Closed::NoUrl))
    }
}

impl RequestError {
    /// The server says no, for whatever reason: some have 403 for what they do not have.
    pub(super) fn is_denial(&self) -> bool {
        match self.transfer() {
            Some(DownloadError::Http(HttpError::Status { status, .. })) => {
                status.is_client_error() && status.as_u16() != 429
            }
            _ => false,
        }
    }

    /// The transfer's own error, if it is one.
    fn transfer(&self) -> Option<&DownloadError> {
        match self {
            Self::Transfer(error) => Some(&error.source),
            _ => None,
        }
    }
}

/// A Maven artifact that was not resolved.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot resolve {artifact}")]
pub struct MavenError {
    /// What was asked for.
    pub artifact: String,
    /// Why.
    #[source]
    pub source: ResolveError,
}

/// Why one was not.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ResolveError {
    /// A file that is needed is nowhere.
    #[error("{}", missing(.file, .path, .attempts))]
    NotFound {
        /// The file.
        file: String,
        /// Dependencies that led there, outermost first; empty for the root itself.
        path: Vec<String>,
        /// Who was asked.
        attempts: Vec<Attempt>,
        /// Versions that there are, the nearest first.
        versions: Vec<Text>,
    },
    /// A POM that must be understood is not.
    #[error("the POM of {coordinate} is not usable{}: {problem}", led_by(.path))]
    InvalidPom {
        /// Whose.
        coordinate: Coordinate,
        /// Dependencies that led there.
        path: Vec<String>,
        /// What is wrong.
        problem: ModelProblem,
    },
    /// A parent or an imported POM cannot be had.
    #[error("{} of {of}{}: {}", .what, led_by(.path), missing(&.needed.to_string(), &[], .attempts))]
    Unresolvable {
        /// `the parent`, `an import`.
        what: &'static str,
        /// Whose.
        of: Coordinate,
        /// What is missing.
        needed: Coordinate,
        /// Dependencies that led there.
        path: Vec<String>,
        /// Who was asked.
        attempts: Vec<Attempt>,
    },
    /// A range that is none, or that nothing lies in.
    #[error("{file}{}: {problem}", led_by(.path))]
    Range {
        /// The dependency.
        file: String,
        /// Dependencies that led there.
        path: Vec<String>,
        /// What is wrong.
        problem: String,
    },
    /// Ranges that exclude each other.
    #[error("no version of {key} satisfies all who need it: {}", .wanted.join("; "))]
    Conflict {
        /// What.
        key: String,
        /// Who wants what.
        wanted: Vec<String>,
    },
    /// A file of the machine, which is not the one that builds.
    #[error("{file}{} has scope `system` and is expected on the machine at `{system_path}`", led_by(.path))]
    System {
        /// The dependency.
        file: String,
        /// Where.
        system_path: String,
        /// Dependencies that led there.
        path: Vec<String>,
    },
    /// Over a bound.
    #[error("its dependencies are too many: more than {limit} {what}")]
    TooLarge {
        /// The bound.
        limit: usize,
        /// Of what.
        what: &'static str,
    },
    /// A version of the form `LATEST` or a snapshot about which nothing is known.
    #[error("{}", missing(.file, .path, .attempts))]
    NoVersion {
        /// The dependency.
        file: String,
        /// Dependencies that led there.
        path: Vec<String>,
        /// Who was asked.
        attempts: Vec<Attempt>,
    },
    /// The name of a file is not lawful.
    #[error("{file} cannot be a file's name: it {refused}")]
    Name {
        /// The file.
        file: String,
        /// Why.
        refused: crate::path::PathRefused,
    },
    /// The build is ending.
    #[error("the resolution was called off")]
    Cancelled,
}

/// What is wrong with a POM.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelProblem {
    /// Its form.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Its expressions.
    #[error(transparent)]
    Interpolation(#[from] InterpolationError),
    /// Its parents lead back to it.
    #[error("its parents form a circle: {0}")]
    ParentCycle(String),
    /// Its imports lead back to it.
    #[error("its imports form a circle: {0}")]
    ImportCycle(String),
    /// Its relocations lead back to it.
    #[error("its relocations form a circle: {0}")]
    RelocationCycle(String),
    /// The parent is no parent.
    #[error("its parent {parent} has packaging `{packaging}`, which must be `pom`")]
    ParentPackaging {
        /// The parent.
        parent: Coordinate,
        /// What it is.
        packaging: String,
    },
    /// A part is missing or unlawful.
    #[error("`{field}` of {of} {problem}")]
    Field {
        /// The element.
        field: &'static str,
        /// Of which dependency, or of the project.
        of: String,
        /// What is wrong.
        problem: String,
    },
    /// A range in the parent's version.
    #[error("the version of its parent: {0}")]
    ParentRange(String),
    /// Something is over a bound.
    #[error("it has more than {limit} {what}")]
    TooLarge {
        /// The bound.
        limit: usize,
        /// Of what.
        what: &'static str,
    },
}

impl From<InvalidConstraint> for ModelProblem {
    fn from(error: InvalidConstraint) -> Self {
        Self::ParentRange(error.to_string())
    }
}

impl ModelProblem {
    /// Whether it is a bound of ours, which Maven does not have.
    pub(super) fn is_bound(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. }
                | Self::Xml(XmlError::TooLarge { .. })
                | Self::Interpolation(InterpolationError::TooMuch(_))
        )
    }
}

/// ` (needed by a -> b)`.
fn led_by(path: &[String]) -> String {
    if path.is_empty() { String::new() } else { format!(" (needed by {})", path.join(" -> ")) }
}

fn missing(file: &str, path: &[String], attempts: &[Attempt]) -> String {
    let failed = attempts.iter().any(|attempt| matches!(attempt.answer, Answer::Failed(_)));
    let verb = if failed { "cannot be had" } else { "was not found" };
    let mut text = format!("{file} {verb}{}", led_by(path));
    for attempt in attempts {
        let _ = match &attempt.answer {
            Answer::Missing => write!(text, "\n    {}: not found", attempt.repository),
            Answer::Closed(closed) => write!(text, "\n    {}: not asked: {closed}", attempt.repository),
            Answer::WrongKind(kind) => {
                write!(text, "\n    {}: not asked: it keeps no {kind}", attempt.repository)
            }
            Answer::Failed(error) => {
                let mut words = String::new();
                let mut cause: Option<&dyn std::error::Error> = Some(match &**error {
                    RequestError::Transfer(error) => &error.source,
                    other => other,
                });
                while let Some(error) = cause {
                    let more = error.to_string();
                    if !words.contains(&more) {
                        words.push_str(if words.is_empty() { "" } else { ": " });
                        words.push_str(&more);
                    }
                    cause = error.source();
                }
                write!(text, "\n    {}: {words}", attempt.repository)
            }
        };
    }
    if attempts.is_empty() {
        text.push_str(": there is no repository to ask");
    }
    text
}

impl ResolveError {
    fn attempts(&self) -> &[Attempt] {
        match self {
            Self::NotFound { attempts, .. }
            | Self::Unresolvable { attempts, .. }
            | Self::NoVersion { attempts, .. } => attempts,
            _ => &[],
        }
    }

    /// The first failure of a request.
    fn failure(&self) -> Option<&RequestError> {
        self.attempts().iter().find_map(|attempt| match &attempt.answer {
            Answer::Failed(error) => Some(&**error),
            _ => None,
        })
    }
}

impl Diagnose for MavenError {
    fn reason(&self) -> Reason {
        match &self.source {
            ResolveError::Cancelled => Reason::Interrupted,
            other => match other.failure() {
                Some(RequestError::Workspace(error)) => error.reason(),
                Some(RequestError::Transfer(error)) if error.reason() != Reason::DownloadFailed => {
                    error.reason()
                }
                _ => Reason::MavenFailed,
            },
        }
    }

    fn hint(&self) -> Option<String> {
        let error = &self.source;
        if let Some(failure) = error.failure() {
            return failure_hint(failure);
        }
        let closed = error.attempts().iter().filter_map(|attempt| match &attempt.answer {
            Answer::Closed(closed) => Some(closed),
            _ => None,
        });
        // The first; but what somebody closed is more than what nobody opened.
        let closed = closed.min_by_key(|closed| **closed == Closed::NoUrl);
        let text = match (error, closed) {
            (_, Some(Closed::PlainHttp)) => {
                "if the repository is to be trusted over plain http, name it yourself: as `repository` or in `mirrors` of the \
                 artifact, or in `--maven-settings FILE`"
            }
            (ResolveError::NotFound { versions, .. }, _) if !versions.is_empty() => {
                let near: Vec<String> =
                    versions.iter().take(5).map(|version| format!("`{version}`")).collect();
                return Some(format!("this version does not exist; there is {}", near.join(", ")));
            }
            (_, Some(Closed::NoUrl)) => {
                "check group, artifact and version, and where it lives: set `repository` of the artifact to that, or, for what of it is \
                 in Maven Central, say where Central is with `--maven-repository URL` (CONNECT_BUILD_MAVEN_REPOSITORY)"
            }
            (ResolveError::NotFound { .. } | ResolveError::NoVersion { .. }, _) => {
                "check group, artifact and version, and whether the artifact lives in another repository: set `repository` of the \
                 artifact to it"
            }
            (ResolveError::Unresolvable { .. }, _) => {
                "the project was published without it, or it lives in another repository: set `repository` of the artifact to \
                 one that has both"
            }
            (ResolveError::System { .. }, _) => {
                "files of the machine that builds are not taken: ask for a newer version of the artifact, or list its jars as `jar` \
                 artifacts"
            }
            (ResolveError::InvalidPom { problem, .. }, _) if problem.is_bound() => OVER_BOUND,
            (ResolveError::TooLarge { .. }, _) => OVER_BOUND,
            (ResolveError::InvalidPom { .. }, _) => {
                "Maven refuses this POM too: try another version, or list the jars as `jar` artifacts"
            }
            (ResolveError::Conflict { .. } | ResolveError::Range { .. }, _) => {
                "try another version of the artifact, or list the jars as `jar` artifacts; \
                 `connect-build maven tree` shows how far the resolution comes"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }

    fn is_transient(&self) -> bool {
        false
    }

    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// What to do where something is larger than it may be here.
const OVER_BOUND: &str = "no project in use is known to come near to this bound, so look at what the repository has there; or list the jars as \
     `jar` artifacts";

fn failure_hint(failure: &RequestError) -> Option<String> {
    match failure {
        RequestError::Checksum { .. } => Some(
            "the file is damaged in the repository or on the way: try again, or ask another repository or mirror".to_owned(),
        ),
        RequestError::Workspace(error) => error.hint(),
        RequestError::File { .. } => None,
        RequestError::Transfer(error) => match failure.transfer() {
            Some(DownloadError::Http(HttpError::Status { status, .. })) if matches!(status.as_u16(), 401 | 403) => Some(
                "give credentials of the repository in `--maven-settings FILE` (a `<server>` with its id) or in `--netrc FILE` \
                 (by host)"
                    .to_owned(),
            ),
            Some(DownloadError::Http(HttpError::Status { status, .. })) if status.as_u16() == 429 => Some(
                "the repository limits how much is asked of it: try later, or set `mirrors` of the artifact to a repository manager \
                 of your own"
                    .to_owned(),
            ),
            Some(DownloadError::TooLarge { limit }) if *limit <= super::xml::MAX_BYTES as u64 => {
                Some(OVER_BOUND.to_owned())
            }
            _ => error.hint(),
        },
    }
}
