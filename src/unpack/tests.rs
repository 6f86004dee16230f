//! The law, row by row: what is refused with which words, and what is accepted although it looks odd.

#![allow(clippy::unwrap_used, clippy::too_many_lines, clippy::large_stack_arrays, clippy::format_push_string)]

mod lawful;
mod tar_refusals;
mod zip_refusals;

use std::collections::BTreeMap;
use std::io::Write as _;

use super::*;
use crate::plan::ArtifactId;

/// What came out: path below the artifact's directory to content; directories end with a slash, executables have `*`.
type Listing = BTreeMap<String, String>;

#[derive(Default)]
struct Collector(Listing);

impl Sink for Collector {
    fn directory(&mut self, path: &EntryPath) -> io::Result<()> {
        self.0.insert(format!("{path}/"), String::new());
        Ok(())
    }

    fn file(
        &mut self,
        path: &EntryPath,
        executable: bool,
        size: u64,
        content: &mut dyn Read,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        content.take(size).read_to_end(&mut bytes)?;
        assert_eq!(bytes.len() as u64, size, "the reader promised so many bytes");
        let mark = if executable { "*" } else { "" };
        self.0.insert(format!("{path}{mark}"), String::from_utf8_lossy(&bytes).into_owned());
        Ok(())
    }
}

fn artifact(format: Format) -> Artifact {
    let kind = match &format {
        Format::Tgz => "tgz",
        Format::Zip => "zip",
        Format::File { jar: true, .. } => "jar",
        Format::File { .. } => "other",
    };
    Artifact {
        id: ArtifactId { plugin: "p".into(), number: 1, kind },
        source: crate::plan::Source::File { directory: ".".into(), path: EntryPath::component("x").unwrap() },
        insecure: false,
        sha512: None,
        format,
        links: Links::Refuse,
        directory: EntryPath::component("d").unwrap(),
    }
}

fn read_with(format: Format, bytes: &[u8], rules: &Rules) -> Result<(Listing, Summary), UnpackError> {
    read_artifact(&artifact(format), bytes, rules)
}

/// Reads a tgz without its links.
fn read_skipping(bytes: &[u8], rules: &Rules) -> Result<(Listing, Summary), UnpackError> {
    read_artifact(&Artifact { links: Links::Skip, ..artifact(Format::Tgz) }, bytes, rules)
}

fn read_artifact(
    artifact: &Artifact,
    bytes: &[u8],
    rules: &Rules,
) -> Result<(Listing, Summary), UnpackError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let fetched = Fetched::for_test(file.path(), Some("application/x-test")).unwrap();
    let mut sink = Collector::default();
    let summary = unpack(artifact, &fetched, rules, &mut Tree::new(), &mut sink)?;
    let below = |(path, content): (String, String)| (path.strip_prefix("d/").unwrap().to_owned(), content);
    Ok((sink.0.into_iter().map(below).collect(), summary))
}

/// Limits that small archives reach.
fn small_limits() -> Limits {
    Limits {
        unpacked: 100_000,
        unpacked_build: 150_000,
        entries: 20,
        depth: 8,
        tar_header: 1_000,
        ..Limits::default()
    }
}

fn rules() -> Rules {
    Rules::new(small_limits())
}

fn read(format: Format, bytes: &[u8]) -> Result<Listing, String> {
    read_with(format, bytes, &rules()).map(|(listing, _)| listing).map_err(|error| error.to_string())
}

/// Asserts the words of a refusal behind `cannot use artifact 1 (…) of plugin `p`: `.
fn assert_refused(format: Format, bytes: &[u8], words: &str, row: &str) {
    let kind = artifact(format.clone()).id.kind;
    let expected = format!("cannot use artifact 1 ({kind}) of plugin `p`: {words}");
    assert_eq!(read(format, bytes).map_err(|e| e.clone()), Err(expected), "{row}");
}

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// A header block of one's own making.
struct Block([u8; 512]);

impl Block {
    fn new(name: &str, flag: u8, size: u64) -> Self {
        let mut block = Self([0; 512]);
        block.set(0, name.as_bytes()).set(100, b"0000644\0").set(124, format!("{size:011o}\0").as_bytes());
        block.set(136, b"00000000000\0").set(257, b"ustar\x0000");
        block.0[156] = flag;
        block.sum()
    }

    fn set(&mut self, at: usize, bytes: &[u8]) -> &mut Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn with(mut self, at: usize, bytes: &[u8]) -> Self {
        self.set(at, bytes);
        self.sum()
    }

    fn sum(mut self) -> Self {
        self.set(148, b"        ");
        let sum: u32 = self.0.iter().map(|&byte| u32::from(byte)).sum();
        self.set(148, format!("{sum:06o}\0 ").as_bytes());
        self
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// A header with its padded content.
fn entry(name: &str, flag: u8, content: &[u8]) -> Vec<u8> {
    [Block::new(name, flag, content.len() as u64).bytes(), padded(content)].concat()
}

fn file(name: &str) -> Vec<u8> {
    entry(name, b'0', b"x")
}

fn padded(content: &[u8]) -> Vec<u8> {
    let mut bytes = content.to_vec();
    bytes.resize(content.len().div_ceil(512) * 512, 0);
    bytes
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    entry("PaxHeader", b'x', &pax_records(records))
}

fn pax_records(records: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let length = (rest..rest + 20).find(|length| length - length.to_string().len() == rest).unwrap();
        bytes.extend(format!("{length} {key}={value}\n").bytes());
    }
    bytes
}

fn end() -> Vec<u8> {
    vec![0; 1024]
}

/// A complete tgz of these parts.
fn tgz(parts: &[Vec<u8>]) -> Vec<u8> {
    gzip(&[parts.concat(), end()].concat())
}
