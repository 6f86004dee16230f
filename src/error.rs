//! What every stage's error can say beyond its message: a reason from one table, a hint, whether a
//! second try can help.
//!
//! A stage has one `thiserror` enum. Its `Display` says what was being done to which named thing, its
//! `source()` says why. [`Diagnose`] adds the rest, and [`render`] turns the whole into the text that a
//! person reads in a terminal, in `kubectl logs` and, cut to 4,096 bytes, in `kubectl describe pod`.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::time::Duration;

/// Why a build ended, in one word for machines and one exit code for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Something that should not happen: a defect of this program.
    Internal,
    /// The command line, the environment or a settings file is wrong.
    InvalidArguments,
    /// The resource (or build section) is wrong.
    InvalidResource,
    /// An artifact could not be downloaded.
    DownloadFailed,
    /// An artifact is not the one whose checksum was given.
    ChecksumMismatch,
    /// An archive holds what may not enter an image.
    ArchiveRefused,
    /// A `maven` artifact could not be resolved.
    MavenFailed,
    /// The base image could not be read, or does not fit.
    BaseImageFailed,
    /// The registry wants other credentials, or denies what was asked.
    RegistryDenied,
    /// The image could not be written to its registry or file.
    PushFailed,
    /// The workspace cannot be written, or is full.
    WorkspaceFailed,
    /// The image would not run: too many layers, or it contradicts itself.
    InvalidImage,
    /// A signal ended the build.
    Interrupted,
    /// The API of Kubernetes cannot be reached, or refuses what was asked.
    KubernetesFailed,
    /// The resource was changed or deleted while it was built.
    Superseded,
    /// The image is there, but its report is not.
    ReportFailed,
}

impl Reason {
    /// Every reason, in order of exit code.
    pub const ALL: [Reason; 16] = [
        Reason::Internal,
        Reason::InvalidArguments,
        Reason::InvalidResource,
        Reason::DownloadFailed,
        Reason::ChecksumMismatch,
        Reason::ArchiveRefused,
        Reason::MavenFailed,
        Reason::BaseImageFailed,
        Reason::RegistryDenied,
        Reason::PushFailed,
        Reason::WorkspaceFailed,
        Reason::InvalidImage,
        Reason::Interrupted,
        Reason::KubernetesFailed,
        Reason::Superseded,
        Reason::ReportFailed,
    ];

    /// The row of the table: exit code, `CamelCase` name, meaning.
    const fn row(self) -> (u8, &'static str, &'static str) {
        match self {
            Reason::Internal => (1, "Internal", "a defect of connect-build: please report it"),
            Reason::InvalidArguments => {
                (2, "InvalidArguments", "the command line, the environment or a settings file is wrong")
            }
            Reason::InvalidResource => (3, "InvalidResource", "the resource or build section is wrong"),
            Reason::DownloadFailed => (4, "DownloadFailed", "an artifact could not be downloaded"),
            Reason::ChecksumMismatch => {
                (5, "ChecksumMismatch", "an artifact is not the one whose sha512sum was given")
            }
            Reason::ArchiveRefused => {
                (6, "ArchiveRefused", "an archive is damaged or holds what may not enter an image")
            }
            Reason::MavenFailed => (7, "MavenFailed", "a maven artifact could not be resolved"),
            Reason::BaseImageFailed => {
                (8, "BaseImageFailed", "the base image could not be read or has no such platform")
            }
            Reason::RegistryDenied => {
                (9, "RegistryDenied", "a registry wants other credentials or denies the request")
            }
            Reason::PushFailed => {
                (10, "PushFailed", "the image could not be written to its registry or file")
            }
            Reason::WorkspaceFailed => (11, "WorkspaceFailed", "the workspace cannot be written or is full"),
            Reason::InvalidImage => {
                (12, "InvalidImage", "the image would not run, for example for too many layers")
            }
            Reason::Interrupted => (13, "Interrupted", "a signal ended the build"),
            Reason::KubernetesFailed => {
                (14, "KubernetesFailed", "the Kubernetes API cannot be reached or refuses what was asked")
            }
            Reason::Superseded => {
                (15, "Superseded", "the resource was changed or deleted while it was built")
            }
            Reason::ReportFailed => (
                16,
                "ReportFailed",
                "the image is pushed and named on standard output, but its report could not be written",
            ),
        }
    }

    /// The exit code of the process.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        self.row().0
    }

    /// The `CamelCase` word of the result file and of Kubernetes conditions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().1
    }

    /// One sentence for the table in README.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.row().2
    }
}

/// What an error knows beside its message and its source.
pub trait Diagnose: StdError {
    /// The row of the table that this error belongs to.
    fn reason(&self) -> Reason;

    /// What the reader can do about it, as one sentence without a final period.
    fn hint(&self) -> Option<String> {
        None
    }

    /// Whether the same request may succeed a moment later.
    fn is_transient(&self) -> bool {
        false
    }

    /// How long the server asked to wait before the next try.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// How the lines inside of a message begin: an item of a list, or one of the places that were asked. No line that means
/// something else begins so.
const ITEMS: [&str; 2] = ["  - `", "    `"];

/// Words of ours around values of others, which neither draw on a terminal nor begin a line of their own.
fn plain(words: &dyn std::fmt::Display) -> String {
    let words = words.to_string();
    let mut lines = words.split('\n');
    let mut text = crate::path::plain(lines.next().unwrap_or_default()).into_owned();
    for line in lines {
        let is_item = ITEMS.iter().any(|item| line.starts_with(item));
        text.push_str(if is_item { "\n" } else { "\\u{a}" });
        text.push_str(&crate::path::plain(line));
    }
    text
}

/// The message and its causes in one line: `what: why: why of that`.
#[must_use]
pub fn one_line(error: &dyn Diagnose) -> String {
    let mut line = plain(&error);
    let mut source = error.source();
    while let Some(cause) = source {
        let words = plain(&cause);
        if !line.contains(&words) {
            let _ = write!(line, ": {words}");
        }
        source = cause.source();
    }
    line
}

/// The text for people: `error: …`, a line `caused by: …` for each source, `hint: …`; no final newline.
///
/// A source whose words already stand in the line above is left out.
#[must_use]
pub fn render(error: &dyn Diagnose) -> String {
    let mut above = plain(&error);
    let mut text = format!("error: {above}");
    let mut source = error.source();
    while let Some(cause) = source {
        let words = plain(&cause);
        if !words.is_empty() && !above.contains(&words) {
            let _ = write!(text, "\n  caused by: {words}");
            above = words;
        }
        source = cause.source();
    }
    if let Some(hint) = error.hint() {
        let _ = write!(text, "\nhint: {}", plain(&hint));
    }
    text
}
