//! Images in files: OCI layout directories, to read and to write, and archives made of them.
//!
//! A layout is content-addressed like a registry: blobs first, then `index.json`, replaced in one step (OCI image-spec,
//! "OCI Image Layout"). Archives are written beside their final name and renamed, so a file of that name is whole or the
//! old one.

mod archive;
mod error;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

pub(crate) use self::archive::parent;
pub use self::error::LayoutError;
use crate::blob::BlobReader;
use crate::digest::Digest;
use crate::image::{Descriptor, Document};

const MARKER: &str = "oci-layout";
const MARKER_CONTENT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
const INDEX: &str = "index.json";

/// The name of an image in a layout (OCI image-spec, annotations).
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The name of an image that was given none, as in registries; umoci wants one.
const DEFAULT_TAG: &str = "latest";

/// An OCI layout directory.
#[derive(Debug, Clone)]
pub struct Layout {
    directory: PathBuf,
}

impl Layout {
    /// An existing layout.
    pub fn open(directory: &Path) -> Result<Self, LayoutError> {
        if directory.join(MARKER).is_file() {
            return Ok(Self { directory: directory.to_owned() });
        }
        Err(LayoutError::NotALayout { directory: directory.to_owned(), exists: directory.exists() })
    }

    /// A layout to write to, made if it is not there. A directory that holds something else is left alone.
    pub fn create(directory: &Path) -> Result<Self, LayoutError> {
        let layout = Self { directory: directory.to_owned() };
        let create = |source| LayoutError::Create { directory: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(create)?;
        if !directory.join(MARKER).is_file() {
            let others = fs::read_dir(directory)
                .map_err(create)?
                .flatten()
                .any(|entry| !is_temporary(&entry.file_name()));
            // Another build may be making this layout at the same moment. It puts the marker there before anything else, so
            // what it has put there since is accompanied by it.
            if others && !directory.join(MARKER).is_file() {
                return Err(LayoutError::NotALayout { directory: directory.to_owned(), exists: true });
            }
            layout.write_atomically(MARKER, MARKER_CONTENT.as_bytes())?;
        }
        fs::create_dir_all(directory.join("blobs/sha256")).map_err(create)?;
        // Notices now, and not after the build, that nothing can be written.
        tempfile::tempfile_in(directory.join("blobs/sha256")).map_err(create)?;
        Ok(layout)
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where a blob is or would be.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.directory.join("blobs/sha256").join(digest.hex())
    }

    /// The manifest or index that `tag` names; without a tag the layout must hold one image.
    pub fn resolve(&self, tag: Option<&str>) -> Result<Descriptor, LayoutError> {
        let entries = self.entries()?;
        let name =
            |entry: &Value| entry.pointer(&annotation_pointer()).and_then(Value::as_str).map(str::to_owned);
        let found: Vec<&Value> = match tag {
            Some(tag) => entries.iter().filter(|entry| name(entry).as_deref() == Some(tag)).collect(),
            None => entries.iter().collect(),
        };
        match found.as_slice() {
            [one] => serde_json::from_value((*one).clone())
                .map_err(|_| LayoutError::Damaged { file: self.directory.join(INDEX) }),
            other => Err(LayoutError::NoImage {
                directory: self.directory.clone(),
                tag: tag.map(str::to_owned),
                found: other.len(),
                available: entries.iter().filter_map(name).collect(),
            }),
        }
    }

    /// A small blob, whole and verified.
    pub async fn read(&self, descriptor: &Descriptor) -> Result<Vec<u8>, LayoutError> {
        let reader = BlobReader::open(&self.blob_path(&descriptor.digest), descriptor).await;
        let blob = |source| LayoutError::Blob { directory: self.directory.clone(), source };
        reader.map_err(blob)?.read_all().await.map_err(blob)
    }

    /// Whether the blob is there, with its length.
    pub fn has_blob(&self, descriptor: &Descriptor) -> bool {
        fs::metadata(self.blob_path(&descriptor.digest)).is_ok_and(|file| file.len() == descriptor.size)
    }

    /// Stores a document.
    pub fn put_document(&self, document: &Document) -> Result<(), LayoutError> {
        let name = format!("blobs/sha256/{}", document.descriptor.digest.hex());
        self.write_atomically(&name, &document.bytes)
    }

    /// Stores a finished file, which moves in if it can.
    pub fn put_file(&self, file: &Path, digest: &Digest) -> Result<(), LayoutError> {
        let path = self.blob_path(digest);
        if fs::rename(file, &path).is_ok() {
            return Ok(());
        }
        // Another file system.
        let write = |source| LayoutError::Write { file: path.clone(), source };
        let mut temporary = temporary_in(&self.blobs()).map_err(write)?;
        let mut content = File::open(file).map_err(write)?;
        std::io::copy(&mut content, &mut temporary).map_err(write)?;
        persist(temporary, &path)
    }

    /// Stores what `reader` gives; `passed` hears of each buffer.
    pub async fn put_reader(
        &self,
        mut reader: BlobReader,
        digest: &Digest,
        mut passed: impl FnMut(u64),
    ) -> Result<(), LayoutError> {
        let path = self.blob_path(digest);
        let write = |source| LayoutError::Write { file: path.clone(), source };
        let mut temporary = temporary_in(&self.blobs()).map_err(write)?;
        let blob = |source| LayoutError::Blob { directory: self.directory.clone(), source };
        while let Some(bytes) = reader.next().await.map_err(blob)? {
            temporary.write_all(&bytes).map_err(write)?;
            passed(bytes.len() as u64);
        }
        persist(temporary, &path)
    }

    /// Names `root` in the index, under `tag` or as `latest`, in place of what had that name.
    pub fn publish(&self, root: &Descriptor, tag: Option<&str>) -> Result<(), LayoutError> {
        let tag = tag.unwrap_or(DEFAULT_TAG);
        // Several builds may publish to one layout, and each reads what the others wrote. The lock ends with the file.
        let marker = self.directory.join(MARKER);
        let lock = File::open(&marker).and_then(|file| file.lock().map(|()| file));
        let _lock = lock.map_err(|source| LayoutError::Write { file: marker, source })?;
        let mut entries = if self.directory.join(INDEX).exists() { self.entries()? } else { Vec::new() };
        let pointer = annotation_pointer();
        entries.retain(|entry| entry.pointer(&pointer).and_then(Value::as_str) != Some(tag));
        let mut entry = json!(root);
        entry["annotations"] = json!({ REF_NAME: tag });
        entries.push(entry);
        let index = json!({ "schemaVersion": 2, "mediaType": crate::image::media_type::OCI_INDEX, "manifests": entries });
        self.write_atomically(INDEX, index.to_string().as_bytes())
    }

    fn entries(&self) -> Result<Vec<Value>, LayoutError> {
        let file = self.directory.join(INDEX);
        let text = fs::read(&file).map_err(|source| LayoutError::Read { file: file.clone(), source })?;
        let index: Value =
            serde_json::from_slice(&text).map_err(|_| LayoutError::Damaged { file: file.clone() })?;
        index.get("manifests").and_then(Value::as_array).cloned().ok_or(LayoutError::Damaged { file })
    }

    fn blobs(&self) -> PathBuf {
        self.directory.join("blobs/sha256")
    }

    fn write_atomically(&self, name: &str, content: &[u8]) -> Result<(), LayoutError> {
        let path = self.directory.join(name);
        let write = |source| LayoutError::Write { file: path.clone(), source };
        let parent = path.parent().unwrap_or(&self.directory);
        let mut temporary = temporary_in(parent).map_err(write)?;
        temporary.write_all(content).map_err(write)?;
        persist(temporary, &path)
    }
}

/// How the names of files begin that are not whole yet.
const TEMPORARY: &str = ".connect-build-";

fn temporary_in(directory: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(directory)
}

fn is_temporary(name: &std::ffi::OsStr) -> bool {
    name.to_string_lossy().starts_with(TEMPORARY)
}

/// Gives a temporary file its name, and the mode of ordinary files instead of a private one.
fn persist(temporary: tempfile::NamedTempFile, path: &Path) -> Result<(), LayoutError> {
    let write = |source| LayoutError::Write { file: path.to_owned(), source };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        temporary.as_file().set_permissions(fs::Permissions::from_mode(0o644)).map_err(write)?;
    }
    temporary.persist(path).map(drop).map_err(|error| write(error.error))
}

fn annotation_pointer() -> String {
    format!("/annotations/{REF_NAME}")
}

#[cfg(test)]
mod tests;
