//! Refusals of gzip and tar, one row each.

use super::*;

fn link(flag: u8) -> Vec<u8> {
    Block::new("l", flag, 0).with(157, b"/etc/passwd").bytes()
}

#[test]
fn names_and_kinds() {
    let deep = format!("{}x", "d/".repeat(8));
    let rows: Vec<(&str, Vec<Vec<u8>>, &str)> = vec![
        ("absolute", vec![file("/etc/x")], "entry 1 (`/etc/x`) has an unlawful name: it is an absolute path"),
        (
            "parent",
            vec![file("a/../../x")],
            "entry 1 (`a/../../x`) has an unlawful name: it has a `..` component and could leave its directory",
        ),
        (
            "drive",
            vec![file("C:x")],
            "entry 1 (`C:x`) has an unlawful name: it starts with a Windows drive or server",
        ),
        (
            "server",
            vec![file(r"\\host\x")],
            r"entry 1 (`\\host\x`) has an unlawful name: it starts with a Windows drive or server",
        ),
        (
            "backslash",
            vec![file(r"a\b")],
            r"entry 1 (`a\b`) has an unlawful name: it has a backslash, which some readers take for a separator",
        ),
        (
            "control",
            vec![file("a\x1bb")],
            r"entry 1 (`a\u{1b}b`) has an unlawful name: it has the character U+001B, which is not allowed in a name",
        ),
        (
            "direction",
            vec![file("a\u{202e}b")],
            r"entry 1 (`a\u{202e}b`) has an unlawful name: it has the character U+202E, which is not allowed in a name",
        ),
        (
            "NUL in PAX",
            vec![pax(&[("path", "a\0b")]), file("x")],
            r"entry 1 (`a\u{0}b`) has an unlawful name: it has the character U+0000, which is not allowed in a name",
        ),
        (
            "not UTF-8",
            vec![Block::new("", b'0', 0).with(0, b"ab\xff").bytes()],
            "entry 1 (`ab\u{fffd}`) has an unlawful name: it is not UTF-8 (from byte 2 on)",
        ),
        ("empty", vec![file("")], "entry 1 (``) has an unlawful name: it is empty"),
        (
            "empty by PAX",
            vec![pax(&[("path", "")]), file("x")],
            "entry 1 (``) has an unlawful name: it is empty",
        ),
        (
            "whiteout",
            vec![file("a/.wh.b")],
            "entry 1 (`a/.wh.b`) has an unlawful name: it is a whiteout (`.wh.`), which would delete files of the base image",
        ),
        (
            "opaque",
            vec![file(".wh..wh..opq")],
            "entry 1 (`.wh..wh..opq`) has an unlawful name: it is a whiteout (`.wh.`), which would delete files of the base image",
        ),
        (
            "deep",
            vec![file(&deep)],
            "entry 1 (`d/d/d/d/d/d/d/d/x`) has an unlawful name: it is nested 9 directories deep, more than the limit of 8",
        ),
        ("symbolic link", vec![link(b'2')], "entry 1 (`l`) is a symbolic link to `/etc/passwd`"),
        ("hard link", vec![link(b'1')], "entry 1 (`l`) is a hard link to `/etc/passwd`"),
        (
            "link by PAX",
            vec![pax(&[("linkpath", "up")]), link(b'2')],
            "entry 1 (`l`) is a symbolic link to `up`",
        ),
        (
            "character device",
            vec![Block::new("n", b'3', 0).bytes()],
            "entry 1 (`n`) is a character device, which has no place in an image layer",
        ),
        (
            "block device",
            vec![Block::new("n", b'4', 0).bytes()],
            "entry 1 (`n`) is a block device, which has no place in an image layer",
        ),
        (
            "FIFO",
            vec![Block::new("n", b'6', 0).bytes()],
            "entry 1 (`n`) is a FIFO, which has no place in an image layer",
        ),
        (
            "contiguous",
            vec![Block::new("n", b'7', 0).bytes()],
            "entry 1 (`n`) is a contiguous file, which has no place in an image layer",
        ),
        (
            "multi-volume",
            vec![Block::new("n", b'M', 0).bytes()],
            "entry 1 (`n`) is a continuation of a file from another volume, which has no place in an image layer",
        ),
        (
            "volume label",
            vec![Block::new("n", b'V', 0).bytes()],
            "entry 1 (`n`) is a volume label, which has no place in an image layer",
        ),
        (
            "dump",
            vec![Block::new("n", b'D', 0).bytes()],
            "entry 1 (`n`) is a GNU directory dump, which has no place in an image layer",
        ),
        ("sparse", vec![Block::new("n", b'S', 0).bytes()], "entry 1 (`n`) is a sparse file"),
        (
            "sparse by PAX",
            vec![pax(&[("GNU.sparse.major", "1")]), file("n")],
            "entry 1 (`n`) is a sparse file",
        ),
        (
            "socket or unknown",
            vec![Block::new("n", b'Z', 0).bytes()],
            "entry 1 (`n`) has the unknown type flag `Z`",
        ),
        ("duplicate", vec![file("a"), file("./a")], "entry 2 (`./a`) has the name of an earlier entry"),
        (
            "file over directory",
            vec![entry("a/", b'5', b""), file("a")],
            "entry 2 (`a`) is a file where an earlier entry is a directory",
        ),
        (
            "file over implied directory",
            vec![file("a/b"), file("a")],
            "entry 2 (`a`) is a file where an earlier entry is a directory",
        ),
        (
            "directory over file",
            vec![file("a"), entry("a", b'5', b"")],
            "entry 2 (`a`) is below or in the place of an earlier entry that is a file",
        ),
        (
            "below a file",
            vec![file("a"), file("a/b")],
            "entry 2 (`a/b`) is below or in the place of an earlier entry that is a file",
        ),
        ("directory with content", vec![entry("a", b'5', b"x")], "entry 1 (`a`) is a directory with content"),
        (
            "old directory with content",
            vec![entry("a/", b'0', b"x")],
            "entry 1 (`a/`) is a directory with content",
        ),
    ];
    for (row, parts, words) in rows {
        assert_refused(Format::Tgz, &tgz(&parts), words, row);
    }
}

#[test]
fn sizes() {
    let many: Vec<Vec<u8>> = (0..21).map(|n| file(&format!("f{n}"))).collect();
    let big = entry("big", b'0', &vec![b'x'; 100_001]);
    // The size alone is enough: not a byte of the content has to come.
    let announced = Block::new("huge", b'0', 1 << 40).bytes();
    let overflow = Block::new("n", b'0', 0).with(124, &[0x81; 12]).bytes();
    let negative = Block::new("n", b'0', 0).with(124, &[0xff; 12]).bytes();
    let letters = Block::new("n", b'0', 0).with(124, b"0000000zz00\0").bytes();
    let pax_size = [pax(&[("size", "99999999999999999999999")]), file("n")].concat();
    let long = entry("x", b'L', &[b'a'; 1_001]);
    let rows: Vec<(&str, Vec<Vec<u8>>, &str)> = vec![
        ("entries", many, "takes the artifact over the limit of 20 entries and directories"),
        ("unpacked", vec![big], "entry 1 (`big`) takes the artifact over the limit of 100000 unpacked bytes"),
        (
            "announced",
            vec![announced],
            "entry 1 (`huge`) takes the artifact over the limit of 100000 unpacked bytes",
        ),
        (
            "base-256 overflow",
            vec![overflow],
            "entry 1 (`n`) has a size field that is not a number or overflows",
        ),
        ("negative", vec![negative], "entry 1 (`n`) has a size field that is not a number or overflows"),
        ("not octal", vec![letters], "entry 1 (`n`) has a size field that is not a number or overflows"),
        ("PAX size overflow", vec![pax_size], "has a size field that is not a number or overflows"),
        ("long name", vec![long], "has a GNU long name header of 1001 bytes, more than the limit of 1000"),
        (
            "PAX header",
            vec![entry("x", b'x', &[b'a'; 1_001])],
            "has a PAX header of 1001 bytes, more than the limit of 1000",
        ),
        ("size behind a link", vec![entry("l", b'2', b"x")], "entry 1 (`l`) is a symbolic link to ``"),
    ];
    for (row, parts, words) in rows {
        assert_refused(Format::Tgz, &tgz(&parts), words, row);
    }
}

#[test]
fn the_ratio_and_the_build_have_limits_too() {
    let limits = Limits { ratio: 10, ..Limits::default() };
    let zeros = tgz(&[entry("zeros", b'0', &vec![0; 65 << 20])]);
    let refused = read_with(Format::Tgz, &zeros, &Rules::new(limits)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "cannot use artifact 1 (tgz) of plugin `p`: entry 1 (`zeros`) takes the artifact to more than 10 times its packed size"
    );

    let rules = rules();
    let half = tgz(&[entry("half", b'0', &[b'x'; 80_000])]);
    read_with(Format::Tgz, &half, &rules).unwrap();
    let refused = read_with(Format::Tgz, &half, &rules).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "cannot use artifact 1 (tgz) of plugin `p`: entry 1 (`half`) takes the build over the limit of 150000 unpacked bytes for all artifacts"
    );
}

/// What no entry announces costs time and memory too.
#[test]
fn names_directories_and_padding_count() {
    // Each entry brings eight directories that nobody names.
    let deep: Vec<Vec<u8>> = (0..3).map(|n| file(&format!("{n}/b/c/d/e/f/g/x"))).collect();
    assert_refused(
        Format::Tgz,
        &tgz(&deep),
        "entry 3 (`2/b/c/d/e/f/g/x`) takes the artifact over the limit of 20 entries and directories",
        "directories",
    );

    let long = format!("{}x", "n".repeat(250) + "/");
    let limits = Limits { unpacked: 4_000, ..Limits::default() };
    let names: Vec<Vec<u8>> =
        (0..3).flat_map(|n| [pax(&[("path", &format!("{long}{n}"))]), file("x")]).collect();
    let refused = read_with(Format::Tgz, &tgz(&names), &Rules::new(limits)).unwrap_err();
    assert!(matches!(refused.refusal, Refusal::Unpacked(4_000)), "{refused}");

    let padding = gzip(&[file("a"), end(), vec![0; 70 << 20]].concat());
    let limits = Limits { ratio: 10, ..Limits::default() };
    let refused = read_with(Format::Tgz, &padding, &Rules::new(limits)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "cannot use artifact 1 (tgz) of plugin `p`: takes the artifact to more than 10 times its packed size"
    );
}

#[test]
fn remarks_are_bounded() {
    let links: Vec<Vec<u8>> =
        (0..30).map(|n| Block::new(&format!("l{n}"), b'2', 0).with(157, b"x").bytes()).collect();
    let rules = Rules::new(Limits::default());
    let (_, summary) = read_skipping(&tgz(&links), &rules).unwrap();
    assert_eq!((summary.remarks.len(), summary.more_remarks), (MAX_REMARKS, 10));
}

#[test]
fn structure() {
    let wrong_sum = Block::new("n", b'0', 0).with(0, b"m").bytes();
    let wrong_sum = {
        let mut bytes = wrong_sum;
        bytes[0] = b'o';
        bytes
    };
    let unterminated = entry("x", b'L', b"name-without-nul");
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "checksum",
            tgz(&[file("a"), wrong_sum]),
            "has a header whose checksum is wrong, at byte 1024 of the tar",
        ),
        ("truncated content", gzip(&file("a")[..600]), "entry 1 (`a`) ends in the middle of the archive"),
        (
            "truncated header",
            gzip(&[file("a"), vec![b'x'; 100]].concat()),
            "ends in the middle of the archive",
        ),
        (
            "trailing data",
            gzip(&[file("a"), end(), vec![0; 1024], b"x".to_vec()].concat()),
            "has data after the end of the archive, at byte 3072 of the tar",
        ),
        (
            "second archive",
            gzip(&[file("a"), end(), file("b"), end()].concat()),
            "has data after the end of the archive, at byte 2048 of the tar",
        ),
        (
            "lone zero block",
            gzip(&[file("a"), vec![0; 512], file("b"), end()].concat()),
            "has data after the end of the archive, at byte 1536 of the tar",
        ),
        (
            "two PAX headers",
            tgz(&[pax(&[("path", "a")]), pax(&[("path", "b")]), file("x")]),
            "has two PAX headers for one entry",
        ),
        (
            "two names",
            tgz(&[entry("x", b'L', b"a\0"), entry("x", b'L', b"b\0"), file("x")]),
            "has two name headers for one entry",
        ),
        (
            "PAX and GNU name",
            tgz(&[pax(&[("path", "a")]), entry("x", b'L', b"b\0"), file("x")]),
            "has two name headers for one entry",
        ),
        (
            "doubled key",
            tgz(&[pax(&[("path", "a"), ("path", "b")]), file("x")]),
            "has two name headers for one entry",
        ),
        (
            "doubled size",
            tgz(&[pax(&[("size", "1"), ("size", "2")]), file("x")]),
            "has two size headers for one entry",
        ),
        (
            "two links",
            tgz(&[entry("x", b'K', b"a\0"), entry("x", b'K', b"b\0"), file("x")]),
            "has two link headers for one entry",
        ),
        (
            "PAX without entry",
            tgz(&[file("a"), pax(&[("path", "b")])]),
            "has a PAX header that no entry follows",
        ),
        (
            "long name without entry",
            tgz(&[entry("x", b'L', b"a\0")]),
            "has a GNU long name header that no entry follows",
        ),
        (
            "long link without entry",
            tgz(&[entry("x", b'K', b"a\0")]),
            "has a GNU long link header that no entry follows",
        ),
        ("unterminated name", tgz(&[unterminated, file("x")]), "has a GNU long name that is not terminated"),
        (
            "broken PAX",
            tgz(&[entry("x", b'x', b"99 path=a\n"), file("x")]),
            "has a damaged PAX header: a record is not of the form `length key=value` with a final newline",
        ),
        (
            "PAX without newline",
            tgz(&[entry("x", b'x', b"9 path=ab"), file("x")]),
            "has a damaged PAX header: a record is not of the form `length key=value` with a final newline",
        ),
        (
            "PAX length 0",
            tgz(&[entry("x", b'x', b"0 path=a\n"), file("x")]),
            "has a damaged PAX header: a record is not of the form `length key=value` with a final newline",
        ),
        (
            "global path",
            tgz(&[entry("g", b'g', &pax_records(&[("path", "a")])), file("x")]),
            "has a global PAX header that sets `path` for all entries",
        ),
        (
            "global size",
            tgz(&[entry("g", b'g', &pax_records(&[("size", "5")])), file("x")]),
            "has a global PAX header that sets `size` for all entries",
        ),
        // A PAX size that differs from the header's is where readers lose their way: the next header must be found by it.
        (
            "PAX size",
            tgz(&[pax(&[("size", "1024")]), file("a"), Block::new("b", b'0', 0).bytes()]),
            "`b` is content",
        ),
    ];
    for (row, bytes, words) in rows {
        if row == "PAX size" {
            // The second block of the content is what looks like the header of `b`.
            let listing = read(Format::Tgz, &bytes).unwrap();
            assert_eq!(listing.keys().collect::<Vec<_>>(), ["a"], "{words}");
        } else {
            assert_refused(Format::Tgz, &bytes, words, row);
        }
    }
}

#[test]
fn gzip_streams() {
    let good = tgz(&[file("a")]);
    let mut wrong_crc = good.clone();
    let at = wrong_crc.len() - 8;
    wrong_crc[at] ^= 1;
    let mut wrong_length = good.clone();
    let at = wrong_length.len() - 1;
    wrong_length[at] ^= 1;
    let mut zip = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("a", ::zip::write::SimpleFileOptions::default()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "trailing garbage",
            [good.clone(), b"garbage".to_vec()].concat(),
            "has data after the end of the gzip stream",
        ),
        (
            "trailing zeros",
            [good.clone(), vec![0; 100]].concat(),
            "has data after the end of the gzip stream",
        ),
        (
            "wrong CRC",
            wrong_crc,
            "is a damaged gzip stream: corrupt gzip stream does not have a matching checksum",
        ),
        (
            "wrong length",
            wrong_length,
            "is a damaged gzip stream: corrupt gzip stream does not have a matching checksum",
        ),
        ("cut off", good[..good.len() - 4].to_vec(), "ends in the middle of the archive"),
        ("a zip", zip, "is not a gzip-compressed tar: this looks like a zip or jar"),
        (
            "a web page",
            b"\n<!DOCTYPE html><html>".to_vec(),
            "is not a gzip-compressed tar: this looks like a web page (HTML)",
        ),
        (
            "plain tar",
            [file("a"), end()].concat(),
            "is not a gzip-compressed tar: this looks like an uncompressed tar",
        ),
        ("bzip2", b"BZh91AY".to_vec(), "is not a gzip-compressed tar: this looks like a bzip2 file"),
        ("xz", b"\xfd7zXZ\0rest".to_vec(), "is not a gzip-compressed tar: this looks like an xz file"),
        (
            "zstd",
            b"\x28\xb5\x2f\xfdrest".to_vec(),
            "is not a gzip-compressed tar: this looks like a zstd file",
        ),
        (
            "7z",
            b"7z\xbc\xaf\x27\x1crest".to_vec(),
            "is not a gzip-compressed tar: this looks like a 7z archive",
        ),
        ("JSON", b"{\"error\": 1}".to_vec(), "is not a gzip-compressed tar: this looks like a JSON document"),
        (
            "XML",
            b"<?xml version='1.0'?>".to_vec(),
            "is not a gzip-compressed tar: this looks like an XML document",
        ),
        ("text", b"Not found\n".to_vec(), "is not a gzip-compressed tar: this looks like a text file"),
        ("nothing", Vec::new(), "is not a gzip-compressed tar: it is empty"),
        ("unknown", b"\x01\x02\x03".to_vec(), "is not a gzip-compressed tar: its first bytes are unknown"),
        ("a compressed text", gzip(b"just some text\n"), "holds no tar archive: this looks like a text file"),
        (
            "a compressed long text",
            gzip(&b"text ".repeat(200)),
            "holds no tar archive: this looks like a text file",
        ),
        ("a compressed nothing", gzip(b""), "holds no tar archive: it is empty"),
    ];
    for (row, bytes, words) in rows {
        assert_refused(Format::Tgz, &bytes, words, row);
    }
}
