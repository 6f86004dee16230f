#![allow(clippy::unwrap_used)]

use std::io::Write as _;

use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use super::*;

const SOURCE: &str = "META-INF/services/org.apache.kafka.connect.source.SourceConnector";
const SINK: &str = "META-INF/services/org.apache.kafka.connect.sink.SinkConnector";

fn jar(files: &[(&str, &str)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The same with sizes behind the data, as Java's own `JarOutputStream` writes.
fn streamed(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new_stream(Vec::new());
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn connectors(bytes: &[u8], step: usize) -> Vec<String> {
    let mut services = Services::default();
    bytes.chunks(step).for_each(|chunk| services.see(chunk));
    services.finish()
}

#[test]
fn both_kinds_are_found_however_the_bytes_come() {
    let files = [
        ("a/B.class", "class"),
        (SOURCE, "# words\norg.example.Source # the one\n\norg.example.Other$Inner\n"),
        (
            "META-INF/services/org.apache.kafka.connect.transforms.Transformation",
            "org.example.Transformation",
        ),
        (SINK, "org.example.Sink\r\norg.example.Source\n"),
        ("z", "META-INF/services/org.apache.kafka.connect.sink.SinkConnector is only mentioned"),
    ];
    let expected = ["org.example.Source", "org.example.Other$Inner", "org.example.Sink"];
    let jars =
        [jar(&files, CompressionMethod::Stored), jar(&files, CompressionMethod::Deflated), streamed(&files)];
    for (kind, jar) in jars.iter().enumerate() {
        for step in [1, 2, 7, 31, 64, 1_000, 100_000] {
            assert_eq!(connectors(jar, step), expected, "jar {kind}, {step} bytes at once");
        }
    }
}

#[test]
fn what_is_not_understood_is_passed_over() {
    let long = "x".repeat(MAX_NAME + 1);
    let odd = jar(&[(SINK, &format!("a b\n../x\n{long}\n\u{1b}[31m\nÜ\n"))], CompressionMethod::Stored);
    let huge = jar(&[(SINK, &"org.example.A\n".repeat(10_000))], CompressionMethod::Stored);
    let many: Vec<String> = (0..1_000).map(|n| format!("C{n}")).collect();
    let many = many.join("\n");
    let many = jar(&[(SINK, &many)], CompressionMethod::Deflated);
    assert_eq!(connectors(&odd, 64), Vec::<String>::new());
    assert_eq!(connectors(&huge, 64), Vec::<String>::new());
    assert_eq!(connectors(&many, 64).len(), MAX_CONNECTORS);
    // A jar of nothing else ends the search.
    let header = &jar(&[(SINK, "A")], CompressionMethod::Stored)[..=HEADER + SINK.len()];
    let start = std::time::Instant::now();
    assert_eq!(connectors(&header.repeat(100_000), 64 << 10), ["A"]);
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    // Cut at any place, and with nonsense in any place.
    let whole = jar(&[(SINK, "org.example.Sink")], CompressionMethod::Deflated);
    for end in 0..whole.len() {
        connectors(&whole[..end], 16);
        let mut broken = whole.clone();
        broken[end] ^= 0xff;
        assert!(connectors(&broken, 16).len() <= 1);
    }
}
