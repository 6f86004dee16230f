//! Everything for which an artifact is not taken, one variant and one sentence each.

use std::io;

use crate::error::{Diagnose, Reason};
use crate::path::PathRefused;
use crate::plan::ArtifactId;

/// An artifact that was not taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {id}: {}{refusal}", .entry.as_deref().map(|e| format!("{e} ")).unwrap_or_default())]
pub struct UnpackError {
    /// Which artifact.
    pub id: ArtifactId,
    /// Which entry of it: number and name.
    pub entry: Option<String>,
    /// Why.
    pub refusal: Refusal,
}

impl UnpackError {
    pub(super) fn new(id: &ArtifactId, entry: Option<String>, refusal: Refusal) -> Self {
        // Refusals of the whole archive begin with "it"; those of an entry speak of the entry.
        Self { id: id.clone(), entry, refusal }
    }
}

/// Why. The words follow the artifact's or the entry's name.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each variant is its documentation")]
pub enum Refusal {
    // Names and kinds.
    #[error("has an unlawful name: it {0}")]
    Path(PathRefused),
    #[error("is a {kind} to `{target}`")]
    Link { kind: &'static str, target: String },
    #[error("is a {0}, which has no place in an image layer")]
    Kind(&'static str),
    #[error("has the unknown type flag `{}`", .0.escape_ascii())]
    UnknownKind(u8),
    #[error("is a sparse file")]
    Sparse,
    #[error("has the name of an earlier entry")]
    Duplicate,
    #[error("is a file where an earlier entry is a directory")]
    FileOverDirectory,
    #[error("is below or in the place of an earlier entry that is a file")]
    DirectoryOverFile,
    #[error("is a directory with content")]
    DirectoryWithContent,
    // Sizes.
    #[error("takes the artifact over the limit of {0} entries and directories")]
    Entries(u64),
    #[error("takes the artifact over the limit of {0} unpacked bytes")]
    Unpacked(u64),
    #[error("takes the build over the limit of {0} unpacked bytes for all artifacts")]
    UnpackedBuild(u64),
    #[error("takes the artifact to more than {0} times its packed size")]
    Ratio(u64),
    // gzip and tar.
    #[error("is not a gzip-compressed tar: {0}")]
    NotGzip(String),
    #[error("is a damaged gzip stream: {0}")]
    Gzip(String),
    #[error("has data after the end of the gzip stream")]
    GzipTrailing,
    #[error("holds no tar archive: {0}")]
    NotTar(String),
    #[error("ends in the middle of the archive")]
    Truncated,
    #[error("has a header whose checksum is wrong, at byte {0} of the tar")]
    TarChecksum(u64),
    #[error("has a size field that is not a number or overflows")]
    TarSize,
    #[error("has a {kind} header of {size} bytes, more than the limit of {limit}")]
    LongHeader { kind: &'static str, size: u64, limit: u64 },
    #[error("has two {0} headers for one entry")]
    DoubleHeader(&'static str),
    #[error("has a {0} header that no entry follows")]
    DanglingHeader(&'static str),
    #[error("has a GNU long name that is not terminated")]
    UnterminatedName,
    #[error("has a damaged PAX header: {0}")]
    Pax(String),
    #[error("has a global PAX header that sets `{0}` for all entries")]
    GlobalPax(String),
    #[error("has data after the end of the archive, at byte {0} of the tar")]
    TarTrailing(u64),
    // zip.
    #[error("is not a zip: {0}")]
    NotZip(String),
    #[error("does not end with its end record: something is appended to the zip, or it is cut off")]
    ZipEnd,
    #[error("does not start with its first entry: something is put before the zip")]
    ZipStart,
    #[error("has another zip inside its comment")]
    ZipComment,
    #[error("has zip64 extensible data")]
    Zip64Extensible,
    #[error("is a part of a zip that is split over several files")]
    ZipSplit,
    #[error("has bytes that belong to no entry")]
    ZipGap,
    #[error("contradicts itself: {0}")]
    ZipInconsistent(String),
    #[error("is encrypted")]
    ZipEncrypted,
    #[error("is compressed with {0}; only stored and deflated entries are read")]
    ZipMethod(String),
    #[error("is damaged: {0}")]
    ZipDamaged(String),
    // Neither.
    #[error("could not be read or written: {0}")]
    Io(io::Error),
    #[error("was called off")]
    Cancelled,
}

impl Refusal {
    /// Carries a refusal through an interface that knows only `io::Error`.
    pub(super) fn into_io(self) -> io::Error {
        io::Error::other(self)
    }

    /// Takes it out again.
    pub(super) fn from_io(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Io)
    }
}

impl Diagnose for UnpackError {
    fn reason(&self) -> Reason {
        match &self.refusal {
            Refusal::Io(_) => Reason::WorkspaceFailed,
            Refusal::Cancelled => Reason::Interrupted,
            _ => Reason::ArchiveRefused,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match &self.refusal {
            Refusal::Link { .. } => "`--links skip` leaves links out of the image".into(),
            Refusal::Entries(_) => "raise it with `--max-entries N` if the archive is trusted".into(),
            Refusal::Unpacked(_) => "raise it with `--max-unpacked BYTES` if the archive is trusted".into(),
            Refusal::UnpackedBuild(_) => {
                "raise it with `--max-unpacked-build BYTES` if the archives are trusted".into()
            }
            Refusal::Ratio(_) => "raise it with `--max-ratio N` if the archive is trusted".into(),
            Refusal::LongHeader { .. } => {
                "raise it with `--max-tar-header BYTES` if the archive is trusted".into()
            }
            Refusal::NotGzip(found) | Refusal::NotTar(found) | Refusal::NotZip(found)
                if found.contains("web page") =>
            {
                "the URL may want a login, or lead to a download page: open it in a browser".into()
            }
            Refusal::NotGzip(found) | Refusal::NotTar(found) | Refusal::NotZip(found)
                if found.contains("empty") =>
            {
                "the server sent nothing: check the URL, and whether the file was published in full".into()
            }
            Refusal::NotGzip(found) if found.contains("a zip") => "set `type: zip` for this artifact".into(),
            Refusal::NotZip(found) if found.contains("a gzip") => "set `type: tgz` for this artifact".into(),
            Refusal::NotGzip(_) => "`type: tgz` is a tar archive compressed with gzip".into(),
            Refusal::NotZip(_) => "`type: zip` is a zip archive".into(),
            Refusal::Path(PathRefused::Deep(..)) => {
                "raise it with `--max-depth N` if the archive is trusted".into()
            }
            Refusal::ZipEncrypted | Refusal::ZipMethod(_) => {
                "make the zip anew without a password, with the ordinary compression (deflate)".into()
            }
            Refusal::Kind(_) | Refusal::Sparse | Refusal::UnknownKind(_) => {
                "make the archive anew from regular files and directories alone".into()
            }
            Refusal::NotTar(_) => "a single compressed file is no connector archive; check the URL".into(),
            Refusal::ZipEnd => {
                "make the zip anew, or fetch it anew: it has to end where its last record ends".into()
            }
            Refusal::TarTrailing(_) | Refusal::GzipTrailing => {
                "make the archive anew: it has to end where its content ends, and be one archive".into()
            }
            Refusal::Gzip(_) | Refusal::Truncated | Refusal::ZipDamaged(_) => {
                "the file was damaged before it was published or on its way; a `sha512sum` would tell".into()
            }
            Refusal::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
                "mount a larger volume and name it with `--workspace DIR` or `TMPDIR`".into()
            }
            Refusal::Io(_) | Refusal::Cancelled => return None,
            _ => "an archive like this was not made by an ordinary tool; ask its publisher".into(),
        })
    }
}
