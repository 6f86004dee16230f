//! What tests are made of: a place to work in, the program, servers.

pub(crate) mod artifact_server;
pub(crate) mod cluster;
pub(crate) mod dockerfile;
pub(crate) mod fake_registry;
pub(crate) mod maven_repository;
pub(crate) mod real;
pub(crate) mod token_server;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// A directory and the program in it, with an environment that holds nothing else.
pub(crate) struct Workplace {
    directory: tempfile::TempDir,
}

/// How a run ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Workplace {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// A resource with these plugins, and an output if one is given.
    pub(crate) fn resource(&self, output: Option<&str>, plugins: &Value) -> PathBuf {
        let mut build = json!({ "plugins": plugins });
        if let Some(image) = output {
            build["output"] = json!({ "type": "docker", "image": image });
        }
        self.write("resource.json", json!({ "build": build }).to_string())
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_connect-build"));
        command.current_dir(self.directory.path()).env_clear().env("HOME", self.directory.path());
        command.env("TMPDIR", self.directory.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::new(self.command().args(arguments).output().unwrap(), self.directory.path())
    }

    /// `build resource.json` with these arguments.
    pub(crate) fn build(&self, arguments: &[&str]) -> Run {
        self.run(&[&["build", "resource.json"], arguments].concat())
    }

    /// What is left of workspaces.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().path());
        entries
            .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("connect-build-"))
            .collect()
    }
}

impl Run {
    pub(crate) fn new(output: Output, directory: &Path) -> Self {
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).unwrap().replace(&directory.display().to_string(), "DIR")
        };
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// The run if it was a success; panics with what it said otherwise.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// Exit code and error, from its line `error: ` on, with port numbers replaced.
    pub(crate) fn error(&self) -> String {
        let start = self.stderr.find("error: ").unwrap_or(0);
        let text = format!("exit {}\n{}", self.code, self.stderr[start..].trim_end());
        without_ports(&text)
    }

    /// The digest that was printed.
    pub(crate) fn digest(&self) -> String {
        self.stdout.trim().rsplit_once('@').map(|(_, digest)| digest.to_owned()).unwrap_or_default()
    }
}

/// `127.0.0.1:41234` and `localhost:41234` become `HOST:PORT`.
pub(crate) fn without_ports(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((at, host)) =
        ["127.0.0.1:", "localhost:"].iter().filter_map(|h| rest.find(h).map(|at| (at, h))).min()
    {
        let (before, after) = (&rest[..at], &rest[at + host.len()..]);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        result.push_str(before);
        result.push_str(if digits > 0 { "HOST:PORT" } else { host });
        rest = &after[digits..];
    }
    result + rest
}

/// A jar-like zip with these files.
pub(crate) fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write as _;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A tgz with these files.
pub(crate) fn tgz_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(gzip);
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *content).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// `length` bytes that do not compress, the same for the same seed.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

pub(crate) fn sha512(bytes: &[u8]) -> String {
    let mut stream = connect_build::digest::Sha512Stream::default();
    stream.update(bytes);
    stream.finish().to_string()
}
