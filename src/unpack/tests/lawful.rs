//! What looks odd and is lawful, and what is remarked upon.

use ::zip::ZipWriter;
use ::zip::write::SimpleFileOptions;
use proptest::prelude::*;

use super::zip_refusals::zip_of;
use super::*;

fn listing(rows: &[(&str, &str)]) -> Listing {
    rows.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect()
}

fn tgz_gives(parts: &[Vec<u8>], rows: &[(&str, &str)], what: &str) {
    assert_eq!(read(Format::Tgz, &tgz(parts)), Ok(listing(rows)), "{what}");
}

#[test]
fn odd_tars() {
    tgz_gives(&[entry("./", b'5', b""), file("./a")], &[("a", "x")], "prefix ./");
    tgz_gives(&[file("a//b")], &[("a/b", "x")], "doubled slash");
    tgz_gives(&[file("a/b"), entry("a/", b'5', b"")], &[("a/b", "x")], "directory after its file");
    tgz_gives(&[entry("a", b'5', b""), entry("a/", b'5', b"")], &[("a/", "")], "directory twice");
    tgz_gives(&[entry("a/", b'0', b"")], &[("a/", "")], "directory as files were before POSIX");
    tgz_gives(&[entry("e", b'0', b"")], &[("e", "")], "empty file");
    tgz_gives(&[entry("e", 0, b"old")], &[("e", "old")], "v7 type flag");
    tgz_gives(&[], &[], "no entry at all");
    tgz_gives(&[Block::new("x", b'0', 0).with(100, b"0000755\0").bytes()], &[("x*", "")], "executable");
    tgz_gives(
        &[Block::new("x", b'0', 0).with(100, b"0006644\0").bytes()],
        &[("x", "")],
        "set-uid is dropped",
    );
    tgz_gives(
        &[Block::new("f", b'0', 0).with(345, b"long/prefix").bytes()],
        &[("long/prefix/f", "")],
        "ustar prefix",
    );
    tgz_gives(
        &[Block::new("f", b'0', 0).with(257, b"ustar  \0").with(345, b"not-a-prefix").bytes()],
        &[("f", "")],
        "GNU keeps other things where ustar has the prefix",
    );
    tgz_gives(
        &[pax(&[("path", "ü/long"), ("mtime", "1.5"), ("SCHILY.xattr.a", "b")]), file("x")],
        &[("ü/long", "x")],
        "PAX name",
    );
    tgz_gives(&[entry("x", b'L', b"gnu/long\0"), file("cut")], &[("gnu/long", "x")], "GNU long name");
    tgz_gives(
        &[entry("pax_global_header", b'g', &pax_records(&[("comment", "0123abcd")])), file("a")],
        &[("a", "x")],
        "the commit of git archive",
    );
    let base_256 = Block::new("b", b'0', 0).with(124, &[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]).bytes();
    tgz_gives(&[base_256, padded(b"hi")], &[("b", "hi")], "base-256 size");
    assert_eq!(read(Format::Tgz, &gzip(&file("a"))), Ok(listing(&[("a", "x")])), "no end-of-archive blocks");

    let tar = [file("a"), file("b"), end()].concat();
    let members = [gzip(&tar[..700]), gzip(b""), gzip(&tar[700..])].concat();
    assert_eq!(read(Format::Tgz, &members), Ok(listing(&[("a", "x"), ("b", "x")])), "several gzip members");
}

#[test]
fn odd_zips() {
    assert_eq!(
        read(Format::Zip, &zip_of(&["./a", "b//c", "d/"])),
        Ok(listing(&[("a", "content"), ("b/c", "content"), ("d/", "")]))
    );
    assert_eq!(read(Format::Zip, &zip_of(&[])), Ok(Listing::new()), "no entry");
    let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
    writer.start_file("big64", SimpleFileOptions::default().large_file(true)).unwrap();
    writer.write_all(b"zip64 sizes").unwrap();
    writer.start_file("run.sh", SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    writer.set_comment("an ordinary comment").unwrap();
    let zip = writer.finish().unwrap().into_inner();
    assert_eq!(read(Format::Zip, &zip), Ok(listing(&[("big64", "zip64 sizes"), ("run.sh*", "")])));

    // Written to a pipe: sizes come after the content, in data descriptors.
    let mut writer = ZipWriter::new_stream(Vec::new());
    writer.start_file("streamed", SimpleFileOptions::default()).unwrap();
    writer.write_all(b"data descriptor").unwrap();
    let zip = writer.finish().unwrap().into_inner();
    assert_eq!(read(Format::Zip, &zip), Ok(listing(&[("streamed", "data descriptor")])));
}

#[test]
fn single_files_are_copied_and_false_jars_remarked_upon() {
    let jar = || Format::File { name: EntryPath::component("a.jar").unwrap(), jar: true };
    let (listing_, summary) = read_with(jar(), b"<html>log in</html>", &rules()).unwrap();
    assert_eq!(listing_, listing(&[("a.jar", "<html>log in</html>")]));
    insta::assert_snapshot!(summary.remarks.join("\n"), @"the jar is not a jar: this looks like a web page (HTML), and the server called it `application/x-test`");
    let (_, summary) = read_with(jar(), &zip_of(&["a"]), &rules()).unwrap();
    assert!(summary.remarks.is_empty());
    let other = Format::File { name: EntryPath::component("f").unwrap(), jar: false };
    let (_, summary) = read_with(other, b"<html>", &rules()).unwrap();
    assert!(summary.remarks.is_empty());
}

#[test]
fn links_can_be_left_out_and_case_is_remarked_upon() {
    let rules = Rules::new(small_limits());
    let link = Block::new("l", b'2', 0).with(157, b"../../up").bytes();
    let (listing_, summary) =
        read_skipping(&tgz(&[link, file("Read.me"), file("README"), file("read.ME")]), &rules).unwrap();
    assert_eq!(listing_, listing(&[("Read.me", "x"), ("README", "x"), ("read.ME", "x")]));
    insta::assert_snapshot!(summary.remarks.join("\n"), @r"
    the symbolic link `d/l` to `../../up` is left out
    `d/read.ME` differs from another name only by case or Unicode form
    ");
    // A link that is left out may not hide content.
    let hiding = entry("l", b'2', &[b'x'; 512]);
    assert!(read_with(Format::Tgz, &tgz(&[hiding, file("a")]), &rules).is_err());
}

#[test]
fn a_cancelled_build_stops_reading() {
    let rules = rules();
    rules.cancelled.store(true, Ordering::Relaxed);
    let refused = read_with(Format::Tgz, &tgz(&[file("a")]), &rules).unwrap_err();
    assert!(matches!(refused.refusal, Refusal::Cancelled), "{refused}");
}

proptest! {
    #[test]
    fn lawful_archives_round_trip(files in proptest::collection::btree_map("[a-z]{1,8}(/[a-zß]{1,90}){0,3}\\.x", "[ -~]{0,600}", 0..8)) {
        let mut tar = Vec::new();
        for (name, content) in &files {
            tar.extend(pax(&[("path", name)]));
            tar.extend(entry("cut", b'0', content.as_bytes()));
        }
        let expected: Listing = files.into_iter().collect();
        // Seven files, each below three directories of its own.
        let roomy = Rules::new(Limits { entries: 7 * 4, ..small_limits() });
        let found = read_with(Format::Tgz, &tgz(&[tar]), &roomy).map(|(listing, _)| listing);
        prop_assert_eq!(found.map_err(|error| error.to_string()), Ok(expected));
    }

    #[test]
    fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2000), flip in any::<(usize, u8)>()) {
        let _ = read(Format::Tgz, &gzip(&bytes));
        let _ = read(Format::Tgz, &bytes);
        let _ = read(Format::Zip, &[b"PK\x03\x04", bytes.as_slice()].concat());
        let mut zip = zip_of(&["a", "b/", "b/c"]);
        let at = flip.0 % zip.len();
        zip[at] ^= flip.1;
        let _ = read(Format::Zip, &zip);
        let mut tar = [pax(&[("path", "long")]), file("a"), entry("d/", b'5', b""), end()].concat();
        let at = flip.0 % tar.len();
        tar[at] ^= flip.1;
        let _ = read(Format::Tgz, &gzip(&tar));
    }
}
