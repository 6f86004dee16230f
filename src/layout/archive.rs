//! A layout as one tar file: an OCI archive, or what `docker load` reads.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::{INDEX, Layout, LayoutError, MARKER};
use crate::image::{Descriptor, Image};

impl Layout {
    /// Packs the layout into an OCI archive.
    pub fn pack_oci(&self, file: &Path) -> Result<(), LayoutError> {
        let mut names = vec![PathBuf::from(MARKER), PathBuf::from(INDEX)];
        let mut blobs: Vec<PathBuf> = (std::fs::read_dir(self.blobs()))
            .and_then(|entries| entries.map(|entry| entry.map(|e| PathBuf::from(e.file_name()))).collect())
            .map_err(|source| LayoutError::Read { file: self.blobs(), source })?;
        blobs.sort();
        names.extend(blobs.into_iter().map(|name| Path::new("blobs/sha256").join(name)));
        write_archive(file, |archive| {
            for name in &names {
                append_file(archive, name, &self.directory.join(name))?;
            }
            Ok(())
        })
    }

    /// Packs one image as `docker save` does (moby's `image/spec/v1.2.md`; compressed layers are read by `docker load`).
    pub fn pack_docker(&self, file: &Path, image: &Image, name: Option<&str>) -> Result<(), LayoutError> {
        let config = format!("{}.json", image.config.descriptor.digest.hex());
        let layers: Vec<&Descriptor> = image.base_layers.iter().chain(&image.plugin_layers).collect();
        let layer_name = |layer: &Descriptor| format!("{}.tar", layer.digest.hex());
        let tags: Vec<&str> = name.into_iter().collect();
        let manifest = json!([{
            "Config": config,
            "RepoTags": tags,
            "Layers": layers.iter().map(|layer| layer_name(layer)).collect::<Vec<_>>(),
        }]);
        write_archive(file, |archive| {
            append_bytes(archive, &config, &image.config.bytes)?;
            let mut written = std::collections::HashSet::new();
            for layer in layers.iter().filter(|layer| written.insert(layer.digest.clone())) {
                append_file(archive, Path::new(&layer_name(layer)), &self.blob_path(&layer.digest))?;
            }
            append_bytes(archive, "manifest.json", manifest.to_string().as_bytes())
        })
    }
}

fn write_archive(
    file: &Path,
    fill: impl FnOnce(&mut Builder<&mut File>) -> io::Result<()>,
) -> Result<(), LayoutError> {
    let write = |source| LayoutError::Write { file: file.to_owned(), source };
    let mut temporary = tempfile::NamedTempFile::new_in(parent(file)).map_err(write)?;
    let mut archive = Builder::new(temporary.as_file_mut());
    fill(&mut archive).and_then(|()| archive.into_inner()?.flush()).map_err(write)?;
    super::persist(temporary, file)
}

/// The directory that will hold `file`.
pub(crate) fn parent(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn append_file(archive: &mut Builder<&mut File>, name: &Path, path: &Path) -> io::Result<()> {
    let content = File::open(path)?;
    let mut header = header(content.metadata()?.len());
    archive.append_data(&mut header, name, content)
}

fn append_bytes(archive: &mut Builder<&mut File>, name: &str, content: &[u8]) -> io::Result<()> {
    archive.append_data(&mut header(content.len() as u64), name, content)
}

fn header(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header
}
