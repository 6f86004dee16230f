#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

/// What a reader of tars finds: path, type, mode, ids, time, content.
type Found = Vec<(String, u8, u32, u64, u64, u64, Vec<u8>)>;

enum Call<'a> {
    Directory(&'a str),
    File(&'a str, bool, &'a [u8]),
}

fn write(choices: LayerChoices, parents: Vec<ParentDirectory>, calls: &[Call<'_>]) -> (BuiltLayer, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("layer");
    let (mut writer, growing) =
        LayerWriter::new(File::create(&path).unwrap(), &path, choices, parents).unwrap();
    for call in calls {
        match call {
            Call::Directory(name) => writer.directory(&entry(name)).unwrap(),
            Call::File(name, executable, content) => {
                writer
                    .file(&entry(name), *executable, content.len() as u64, &mut Cursor::new(content))
                    .unwrap();
            }
        }
    }
    let layer = writer.finish().unwrap();
    assert!(growing.is_complete());
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!((layer.size, &layer.digest), (bytes.len() as u64, &Digest::of(&bytes)));
    (layer, bytes)
}

fn entry(name: &str) -> EntryPath {
    EntryPath::parse(name.as_bytes(), 100).unwrap()
}

fn decompress(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match compression {
        Compression::Gzip => flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap(),
        Compression::Zstd => zstd::Decoder::new(bytes).unwrap().read_to_end(&mut plain).unwrap(),
        Compression::None => {
            plain.extend_from_slice(bytes);
            0
        }
    };
    plain
}

fn find(tar: &[u8]) -> Found {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let header = entry.header().clone();
        assert_eq!((header.username(), header.groupname()), (Ok(Some("")), Ok(Some(""))));
        (
            String::from_utf8(entry.path_bytes().into_owned()).unwrap(),
            header.entry_type().as_byte(),
            header.mode().unwrap(),
            header.uid().unwrap(),
            header.gid().unwrap(),
            header.mtime().unwrap(),
            content,
        )
    });
    entries.collect()
}

fn calls() -> [Call<'static>; 4] {
    [
        Call::File("opt/kafka/plugins/p/h/a.jar", false, b"jar"),
        Call::Directory("opt/kafka/plugins/p/h/empty"),
        Call::File("opt/kafka/plugins/p/h/bin/run", true, b"#!"),
        Call::Directory("opt/kafka/plugins/p/h"),
    ]
}

fn row(path: &str, kind: u8, mode: u32, content: &[u8]) -> (String, u8, u32, u64, u64, u64, Vec<u8>) {
    (path.to_owned(), kind, mode, 0, 0, 7, content.to_vec())
}

#[test]
fn parents_come_first_and_once_and_everything_is_roots() {
    let choices = LayerChoices { mtime: 7, ..LayerChoices::default() };
    let (layer, bytes) = write(choices, Vec::new(), &calls());
    let tar = decompress(Compression::Gzip, &bytes);
    assert_eq!((layer.unpacked, &layer.diff_id), (tar.len() as u64, &Digest::of(&tar)));
    assert_eq!(layer.files, 2);
    let expected = vec![
        row("opt/", b'5', 0o755, b""),
        row("opt/kafka/", b'5', 0o755, b""),
        row("opt/kafka/plugins/", b'5', 0o755, b""),
        row("opt/kafka/plugins/p/", b'5', 0o755, b""),
        row("opt/kafka/plugins/p/h/", b'5', 0o755, b""),
        row("opt/kafka/plugins/p/h/a.jar", b'0', 0o644, b"jar"),
        row("opt/kafka/plugins/p/h/empty/", b'5', 0o755, b""),
        row("opt/kafka/plugins/p/h/bin/", b'5', 0o755, b""),
        row("opt/kafka/plugins/p/h/bin/run", b'0', 0o755, b"#!"),
    ];
    assert_eq!(find(&tar), expected);
}

#[test]
fn the_bases_directories_keep_owner_and_mode() {
    let parent = ParentDirectory { path: "opt/kafka".into(), mode: 0o2775, uid: 1001, gid: 12 };
    let (_, bytes) = write(LayerChoices::default(), vec![parent], &calls());
    let found = find(&decompress(Compression::Gzip, &bytes));
    assert_eq!((found[1].0.as_str(), found[1].2, found[1].3, found[1].4), ("opt/kafka/", 0o2775, 1001, 12));
    assert_eq!((found[0].2, found[2].2, found[2].3), (0o755, 0o755, 0));
}

#[test]
fn every_compression_holds_the_same_tar() {
    let layer = |compression| {
        write(LayerChoices { compression, mtime: 7, ..LayerChoices::default() }, Vec::new(), &calls())
    };
    let (gzip, _) = layer(Compression::Gzip);
    for compression in [Compression::Zstd, Compression::None] {
        let (other, bytes) = layer(compression);
        assert_eq!(other.diff_id, gzip.diff_id);
        assert_ne!(other.digest, gzip.digest);
        assert_eq!(Digest::of(&decompress(compression, &bytes)), gzip.diff_id);
    }
}

#[test]
fn long_and_foreign_names_get_a_pax_header() {
    let names = [
        "a".repeat(100),
        "b".repeat(101),
        format!("{}/{}", "d".repeat(155), "f".repeat(100)),
        format!("{}/{}", "d".repeat(156), "f".repeat(100)),
        format!("{}/{}", "d".repeat(50), "f".repeat(101)),
        "straße/ñ".to_owned(),
        ["x".repeat(200).as_str(); 15].join("/"),
    ];
    let calls: Vec<Call<'_>> = names.iter().map(|name| Call::File(name, false, b"c")).collect();
    let (_, bytes) = write(LayerChoices::default(), Vec::new(), &calls);
    let files: Vec<String> = find(&decompress(Compression::Gzip, &bytes))
        .into_iter()
        .filter(|f| f.1 == b'0')
        .map(|f| f.0)
        .collect();
    assert_eq!(files, names);
}

/// The digests of a fixed layer: they may change only with a word in the changelog, for every image built changes.
#[test]
fn golden() {
    let noise: Vec<u8> =
        (0..300_000_u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 29) as u8).collect();
    let text = b"kafka connect ".repeat(20_000);
    let calls = [
        Call::File("opt/kafka/plugins/p/h/noise.jar", false, &noise),
        Call::File("opt/kafka/plugins/p/h/LICENSE", false, &text),
        Call::File("opt/kafka/plugins/p/h/run", true, b""),
    ];
    let (gzip, _) = write(LayerChoices::default(), Vec::new(), &calls);
    insta::assert_snapshot!(format!("diff_id {}\ngzip    {}", gzip.diff_id, gzip.digest));
}

#[test]
fn content_of_the_wrong_length_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("layer");
    let file = File::create(&path).unwrap();
    let (mut writer, growing) = LayerWriter::new(file, &path, LayerChoices::default(), Vec::new()).unwrap();
    let short = writer.file(&entry("a"), false, 10, &mut Cursor::new(b"short"));
    assert_eq!(short.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    drop(writer);
    assert!(!growing.is_complete());
}

#[test]
fn a_full_disk_is_reported_as_such() {
    let Ok(full) = File::options().write(true).open("/dev/full") else { return };
    let path = Path::new("/dev/full");
    let (mut writer, _growing) = LayerWriter::new(full, path, LayerChoices::default(), Vec::new()).unwrap();
    let content = vec![1_u8; 8 << 20];
    let written = writer.file(&entry("a"), false, content.len() as u64, &mut Cursor::new(&content));
    let error = written.and_then(|()| writer.finish().map(drop)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

#[tokio::test]
async fn a_growing_layer_can_be_followed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("layer");
    let file = File::create(&path).unwrap();
    let (mut writer, growing) = LayerWriter::new(file, &path, LayerChoices::default(), Vec::new()).unwrap();
    let follow = tokio::spawn(async move {
        let (mut follower, mut all) = (growing.follow().await.unwrap(), Vec::new());
        loop {
            let bytes = follower.next(10_000).await.unwrap();
            if bytes.is_empty() {
                return all;
            }
            all.extend(bytes);
        }
    });
    let layer = tokio::task::spawn_blocking(move || {
        for n in 0..40_u8 {
            let content = vec![n; 100_000];
            writer.file(&entry(&format!("f{n}")), false, 100_000, &mut Cursor::new(content)).unwrap();
        }
        writer.finish().unwrap()
    });
    let layer = layer.await.unwrap();
    assert_eq!(Digest::of(&follow.await.unwrap()), layer.digest);
}

#[tokio::test]
async fn a_layer_that_fails_ends_its_followers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("layer");
    let file = File::create(&path).unwrap();
    let (writer, growing) = LayerWriter::new(file, &path, LayerChoices::default(), Vec::new()).unwrap();
    let mut follower = growing.follow().await.unwrap();
    drop(writer);
    // A writer that was dropped before its end leaves a stream that ends early, never one that looks complete.
    while let Ok(bytes) = follower.next(1_000).await {
        assert!(!bytes.is_empty(), "an unfinished layer looks finished");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_tree_round_trips(files in proptest::collection::btree_map("[a-zA-Zé ]{1,40}(/f[a-z]{0,120}){0,3}", proptest::collection::vec(any::<u8>(), 0..3000), 0..12)) {
        let files: Vec<(String, Vec<u8>)> = files
            .into_iter()
            .filter(|(name, _)| EntryPath::parse(name.as_bytes(), 100).is_ok_and(|path| path.as_str() == name))
            .collect();
        let calls: Vec<Call<'_>> = files.iter().map(|(name, content)| Call::File(name, false, content)).collect();
        let (_, bytes) = write(LayerChoices::default(), Vec::new(), &calls);
        let found: Vec<(String, Vec<u8>)> =
            find(&decompress(Compression::Gzip, &bytes)).into_iter().filter(|f| f.1 == b'0').map(|f| (f.0, f.6)).collect();
        prop_assert_eq!(found, files);
    }
}
