//! A Maven repository on loopback: files that a test gives it, or a local repository that mvn filled.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::zip_of;

/// What is at a path, which has no slash in front.
type Source = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

/// A running repository; it ends with the process.
pub(crate) struct MavenRepository {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl MavenRepository {
    /// Serves `files` by their paths. Whatever looks like the file of a project is there; with `$` in its name it is not.
    pub(crate) fn start(files: HashMap<String, String>) -> Self {
        Self::serving(move |path| {
            let is_made = [".jar", ".war", ".zip", ".bundle"].iter().any(|end| path.ends_with(end));
            match files.get(path) {
                Some(text) => Some(text.clone().into_bytes()),
                None if is_made && !path.contains('$') => Some(zip_of(&[])),
                None => None,
            }
        })
    }

    /// Serves a local repository as the remote one it came from, without what mvn notes there for itself.
    pub(crate) fn of_local(directory: &Path) -> Self {
        let directory = directory.to_owned();
        Self::serving(move |path| remote_file(&directory, path))
    }

    fn serving(source: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let source: Arc<Source> = Arc::new(source);
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (source, log) = (Arc::clone(&source), Arc::clone(&log));
                std::thread::spawn(move || {
                    let _ = serve(&stream, &*source, &log);
                });
            }
        });
        Self { port, requests }
    }

    /// The paths that were asked for so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}

/// The file of a remote repository, as a local one keeps it: metadata under the repository's name, and no checksum of what
/// came with its checksum in a header.
fn remote_file(directory: &Path, path: &str) -> Option<Vec<u8>> {
    let lawful = path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    let name = path.rsplit('/').next()?;
    let is_note =
        name == "resolver-status.properties" || name.starts_with('_') || name.ends_with(".lastUpdated");
    if !lawful || is_note {
        return None;
    }
    let file = directory.join(path);
    if name == "maven-metadata.xml" {
        let entries = std::fs::read_dir(file.parent()?).ok()?.flatten();
        let mut kept: Vec<PathBuf> =
            entries.map(|entry| entry.path()).filter(|path| is_metadata(path)).collect();
        kept.sort();
        return std::fs::read(kept.first()?).ok();
    }
    match (std::fs::read(&file), path.strip_suffix(".sha1")) {
        (Ok(content), _) => Some(content),
        (Err(_), Some(summed)) => {
            let content = remote_file(directory, summed)?;
            Some(connect_build::maven::Algorithm::Sha1.of(&content).into_bytes())
        }
        (Err(_), None) => None,
    }
}

fn is_metadata(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("maven-metadata-") && name.ends_with(".xml")
}

fn serve(mut stream: &TcpStream, source: &Source, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while reader.read_line(&mut head)? > 2 {}
        let mut words = head.split(' ');
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(()) };
        let path = path.trim_start_matches('/');
        log.lock().unwrap().push(path.to_owned());
        let content = source(path);
        let status = if content.is_some() { "200 OK" } else { "404 Not Found" };
        let content = content.unwrap_or_default();
        stream.write_all(
            format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", content.len()).as_bytes(),
        )?;
        if method != "HEAD" {
            stream.write_all(&content)?;
        }
    }
}
