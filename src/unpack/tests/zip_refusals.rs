//! Refusals of zip, one row each. Archives are written by the `zip` crate and then bent.

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, ZipWriter};

use super::*;

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
}

pub(super) fn zip_of(names: &[&str]) -> Vec<u8> {
    let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
    for name in names {
        if name.ends_with('/') {
            writer.add_directory(*name, options()).unwrap();
        } else {
            writer.start_file(*name, options()).unwrap();
            writer.write_all(b"content").unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

/// Replaces every occurrence of `from`, which must be there `times` times.
fn bend(mut bytes: Vec<u8>, from: &[u8], to: &[u8], times: usize) -> Vec<u8> {
    let found: Vec<usize> =
        (0..=bytes.len() - from.len()).filter(|&at| bytes[at..].starts_with(from)).collect();
    assert_eq!(found.len(), times, "{from:?}");
    for at in found {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

/// The position of the `nth` occurrence of a signature.
fn at(bytes: &[u8], signature: [u8; 4], nth: usize) -> usize {
    (0..bytes.len()).filter(|&at| bytes[at..].starts_with(&signature)).nth(nth).unwrap()
}

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";

/// Sets bytes of the first central header.
fn central(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip_of(&["aa", "bb"]);
    let start = at(&zip, CENTRAL, 0) + offset;
    zip[start..start + bytes.len()].copy_from_slice(bytes);
    zip
}

/// Sets bytes of the first local header.
fn local(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip_of(&["aa", "bb"]);
    zip[offset..offset + bytes.len()].copy_from_slice(bytes);
    zip
}

/// Both headers of the first entry, which keeps them in agreement.
fn both(in_local: usize, in_central: usize, bytes: &[u8]) -> Vec<u8> {
    let mut zip = local(in_local, bytes);
    let start = at(&zip, CENTRAL, 0) + in_central;
    zip[start..start + bytes.len()].copy_from_slice(bytes);
    zip
}

fn unix_mode(mode: u32) -> Vec<u8> {
    central(38, &(mode << 16).to_le_bytes())
}

#[test]
fn names_and_kinds() {
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "absolute",
            bend(zip_of(&["xetc"]), b"xetc", b"/etc", 2),
            "entry 1 (`/etc`) has an unlawful name: it is an absolute path",
        ),
        (
            "parent",
            bend(zip_of(&["xx/y"]), b"xx/y", b"../y", 2),
            "entry 1 (`../y`) has an unlawful name: it has a `..` component and could leave its directory",
        ),
        (
            "drive",
            bend(zip_of(&["Cxy"]), b"Cxy", b"C:y", 2),
            "entry 1 (`C:y`) has an unlawful name: it starts with a Windows drive or server",
        ),
        (
            "backslash",
            bend(zip_of(&["axb"]), b"axb", br"a\b", 2),
            r"entry 1 (`a\b`) has an unlawful name: it has a backslash, which some readers take for a separator",
        ),
        (
            "control",
            bend(zip_of(&["axb"]), b"axb", b"a\x07b", 2),
            r"entry 1 (`a\u{7}b`) has an unlawful name: it has the character U+0007, which is not allowed in a name",
        ),
        (
            "not UTF-8",
            bend(zip_of(&["axb"]), b"axb", b"a\xffb", 2),
            "entry 1 (`a\u{fffd}b`) has an unlawful name: it is not UTF-8 (from byte 1 on)",
        ),
        (
            "whiteout",
            zip_of(&[".wh.x"]),
            "entry 1 (`.wh.x`) has an unlawful name: it is a whiteout (`.wh.`), which would delete files of the base image",
        ),
        ("symbolic link", unix_mode(0o120_777), "entry 1 (`aa`) is a symbolic link to `content`"),
        (
            "device",
            unix_mode(0o020_644),
            "entry 1 (`aa`) is a special file, which has no place in an image layer",
        ),
        (
            "FIFO",
            unix_mode(0o010_644),
            "entry 1 (`aa`) is a special file, which has no place in an image layer",
        ),
        (
            "socket",
            unix_mode(0o140_644),
            "entry 1 (`aa`) is a special file, which has no place in an image layer",
        ),
        (
            "directory without slash",
            unix_mode(0o040_755),
            "entry 1 (`aa`) contradicts itself: a directory's name must end with a slash",
        ),
        (
            "directory with content",
            bend(zip_of(&["axb"]), b"axb", b"ab/", 2),
            "entry 1 (`ab/`) is a directory with content",
        ),
        ("duplicate by spelling", zip_of(&["a", "./a"]), "entry 2 (`./a`) has the name of an earlier entry"),
        (
            "file over directory",
            bend(zip_of(&["a/", "bb"]), b"bb", b"./", 2),
            "entry 2 (`./`) is a directory with content",
        ),
        (
            "below a file",
            zip_of(&["a", "a/b"]),
            "entry 2 (`a/b`) is below or in the place of an earlier entry that is a file",
        ),
        (
            "file where a directory is",
            zip_of(&["a/b", "a"]),
            "entry 2 (`a`) is a file where an earlier entry is a directory",
        ),
    ];
    for (row, bytes, words) in rows {
        assert_refused(Format::Zip, &bytes, words, row);
    }
}

#[test]
fn disagreement_between_headers() {
    let overlapping = {
        // The second central header points at the first entry.
        let mut zip = zip_of(&["aa", "bb"]);
        let start = at(&zip, CENTRAL, 1) + 42;
        zip[start..start + 4].copy_from_slice(&[0; 4]);
        zip
    };
    let unlisted = {
        // The first central header is cut out, and the end record corrected.
        let mut zip = zip_of(&["aa", "bb"]);
        let (first, second) = (at(&zip, CENTRAL, 0), at(&zip, CENTRAL, 1));
        let length = u32::try_from(second - first).unwrap();
        zip.drain(first..second);
        let end = at(&zip, END, 0);
        zip[end + 8..end + 12].copy_from_slice(&[1, 0, 1, 0]);
        let size = u32::from_le_bytes(zip[end + 12..end + 16].try_into().unwrap()) - length;
        zip[end + 12..end + 16].copy_from_slice(&size.to_le_bytes());
        zip
    };
    let doubled = bend(zip_of(&["aa", "bb"]), b"bb", b"aa", 2);
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("name", local(30, b"zz")),
        ("method", local(8, &[8, 0])),
        ("flags", local(6, &[2, 0])),
        ("CRC", local(14, &[1, 2, 3, 4])),
        ("compressed size", local(18, &[3, 0, 0, 0])),
        ("size", local(22, &[3, 0, 0, 0])),
        ("overlap", overlapping),
        ("unlisted entry", unlisted),
        ("duplicate name", doubled),
    ];
    let mut words = String::new();
    for (row, bytes) in rows {
        let refused = read(Format::Zip, &bytes).map_or_else(|refused| refused, |_| "ACCEPTED".into());
        words.push_str(&format!(
            "{row}: {}\n",
            refused.trim_start_matches("cannot use artifact 1 (zip) of plugin `p`: ")
        ));
    }
    insta::assert_snapshot!(words);
}

/// A zip as a pipe gets it: one deflated entry with a data descriptor. Gives also where descriptor and directory begin.
fn streamed() -> (Vec<u8>, usize, usize) {
    let mut writer = ZipWriter::new_stream(Vec::new());
    writer.start_file("aa", SimpleFileOptions::default()).unwrap();
    writer.write_all(b"streamed content").unwrap();
    let zip = writer.finish().unwrap().into_inner();
    let (descriptor, directory) = (at(&zip, *b"PK\x07\x08", 0), at(&zip, CENTRAL, 0));
    (zip, descriptor, directory)
}

/// `zip` with `bytes` put in at `position`, and the end record's offset of the directory corrected.
fn put_in(zip: &[u8], position: usize, bytes: &[u8]) -> Vec<u8> {
    let mut zip = [&zip[..position], bytes, &zip[position..]].concat();
    let directory = u32::try_from(at(&zip, CENTRAL, 0)).unwrap();
    let end = at(&zip, END, 0);
    zip[end + 16..end + 20].copy_from_slice(&directory.to_le_bytes());
    zip
}

#[test]
fn what_a_reader_from_entry_to_entry_would_see_is_what_there_is() {
    let (good, descriptor, directory) = streamed();
    read(Format::Zip, &good).unwrap();
    let lie = {
        let mut zip = good.clone();
        zip[descriptor + 8] ^= 1;
        zip
    };
    let missing = {
        let mut zip = good.clone();
        zip.drain(descriptor..directory);
        put_in(&zip, 0, b"")
    };
    // The compressed size covers the descriptor and a whole entry more, which only readers of streams would find.
    let hiding = {
        let hidden = zip_of(&["evil"]);
        let hidden = &hidden[..at(&hidden, CENTRAL, 0)];
        let data = at(&good, LOCAL, 0) + 30 + 2;
        let packed = u32::try_from(directory - data + hidden.len()).unwrap();
        let mut told = good[descriptor..directory].to_vec();
        told[8..12].copy_from_slice(&packed.to_le_bytes());
        let mut zip = put_in(&good, directory, &[hidden, told.as_slice()].concat());
        let central = at(&zip, CENTRAL, 0);
        zip[central + 20..central + 24].copy_from_slice(&packed.to_le_bytes());
        zip
    };
    let plain = zip_of(&["aa", "bb"]);
    let between = {
        let second = at(&plain, LOCAL, 1);
        let mut zip = put_in(&plain, second, b"junk");
        let central = at(&zip, CENTRAL, 1);
        zip[central + 42..central + 46].copy_from_slice(&u32::try_from(second + 4).unwrap().to_le_bytes());
        zip
    };
    let before_directory = put_in(&plain, at(&plain, CENTRAL, 0), b"junk");
    let disk = central(34, &[1, 0]);
    let masked = both(6, 8, &[0, 0x20]);
    let utf8_in_one = local(6, &[0, 8]);
    let rows = [
        ("descriptor lies", lie, "contradicts itself: a data descriptor differs from the central directory"),
        ("descriptor is missing", missing, "has bytes that belong to no entry"),
        (
            "entry hidden in compressed data",
            hiding,
            "entry 1 (`aa`) is damaged: an entry's compressed data goes on after its end",
        ),
        ("junk between entries", between, "has bytes that belong to no entry"),
        ("junk before the directory", before_directory, "has bytes that belong to no entry"),
        ("another disk", disk, "entry 1 (`aa`) is a part of a zip that is split over several files"),
        (
            "masked headers",
            masked,
            "entry 1 (`aa`) contradicts itself: it has the flags 0x2000, not all of which are known",
        ),
        (
            "UTF-8 in one header",
            utf8_in_one,
            "entry 1 (`aa`) contradicts itself: the flags of its two headers differ",
        ),
    ];
    for (row, bytes, words) in rows {
        assert_refused(Format::Zip, &bytes, words, row);
    }
}

#[test]
fn a_directory_is_one_by_its_slash() {
    for mode in [0_u32, 0o100_644, 0o040_755] {
        let mut zip = zip_of(&["d/"]);
        let start = at(&zip, CENTRAL, 0) + 38;
        zip[start..start + 4].copy_from_slice(&(mode << 16).to_le_bytes());
        assert_eq!(read(Format::Zip, &zip).unwrap().keys().collect::<Vec<_>>(), ["d/"], "{mode:o}");
    }
}

#[test]
fn structure() {
    let good = zip_of(&["aa", "bb"]);
    let entries: Vec<String> = (0..21).map(|n| format!("f{n}")).collect();
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    let with_comment = |comment: &[u8]| {
        let mut zip = zip_of(&["aa"]);
        let end = at(&zip, END, 0);
        zip[end + 20..end + 22].copy_from_slice(&u16::try_from(comment.len()).unwrap().to_le_bytes());
        [zip, comment.to_vec()].concat()
    };
    let gap = {
        let zip = zip_of(&["aa"]);
        let end = at(&zip, END, 0);
        [&zip[..end], b"gap", &zip[end..]].concat()
    };
    let split = {
        let mut zip = zip_of(&["aa"]);
        let end = at(&zip, END, 0);
        zip[end + 4] = 1;
        zip
    };
    let shorter = both(22, 24, &[5, 0, 0, 0]);
    let longer = both(22, 24, &[9, 0, 0, 0]);
    let wrong_crc = both(14, 16, &[1, 2, 3, 4]);
    let encrypted = both(6, 8, &[1, 0]);
    let method = both(8, 10, &[12, 0]);
    let zip64 = {
        // A zip64 end record of 60 instead of 56 bytes: 4 bytes of extensible data.
        let zip = zip_of(&["aa"]);
        let end = at(&zip, END, 0);
        let directory = at(&zip, CENTRAL, 0);
        let mut record = b"PK\x06\x06".to_vec();
        record.extend(48_u64.to_le_bytes());
        record.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        record.extend(1_u64.to_le_bytes());
        record.extend(1_u64.to_le_bytes());
        record.extend(((end - directory) as u64).to_le_bytes());
        record.extend((directory as u64).to_le_bytes());
        record.extend(b"more");
        record.extend(b"PK\x06\x07\0\0\0\0");
        record.extend((end as u64).to_le_bytes());
        record.extend(1_u32.to_le_bytes());
        [&zip[..end], &record, &zip[end..]].concat()
    };
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("entries", zip_of(&entries), "takes the artifact over the limit of 20 entries and directories"),
        (
            "something before",
            [b"#!/bin/sh\n".to_vec(), good.clone()].concat(),
            "does not start with its first entry: something is put before the zip",
        ),
        (
            "an entry before",
            [zip_of(&["aa"]), good.clone()].concat(),
            "does not start with its first entry: something is put before the zip",
        ),
        (
            "something after",
            [good.clone(), b"x".to_vec()].concat(),
            "does not end with its end record: something is appended to the zip, or it is cut off",
        ),
        (
            "cut off",
            good[..good.len() - 1].to_vec(),
            "does not end with its end record: something is appended to the zip, or it is cut off",
        ),
        ("comment with a zip", with_comment(&zip_of(&["bb"])), "has another zip inside its comment"),
        (
            "comment with an end record",
            with_comment(b"PK\x05\x06aaaaaaaaaaaaaaaaaaaa"),
            "has another zip inside its comment",
        ),
        ("zip64 extensible data", zip64, "has zip64 extensible data"),
        ("gap", gap, "has bytes that belong to no entry"),
        ("split", split, "is a part of a zip that is split over several files"),
        ("encrypted", encrypted, "entry 1 (`aa`) is encrypted"),
        (
            "method",
            method,
            "entry 1 (`aa`) is compressed with Bzip2; only stored and deflated entries are read",
        ),
        ("a gzip", tgz(&[file("a")]), "is not a zip: this looks like a gzip file"),
        (
            "a web page",
            b"<html><body>Please log in</body></html>".to_vec(),
            "is not a zip: this looks like a web page (HTML)",
        ),
        ("nothing", Vec::new(), "is not a zip: it is empty"),
    ];
    for (row, bytes, words) in rows {
        assert_refused(Format::Zip, &bytes, words, row);
    }
    // The same of a deflated entry, whose length only its content tells.
    let deflated = |size: u32, damage: bool| {
        let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
        writer.start_file("aa", SimpleFileOptions::default()).unwrap();
        writer.write_all(&[b'x'; 100]).unwrap();
        let mut zip = writer.finish().unwrap().into_inner();
        let directory = at(&zip, CENTRAL, 0);
        zip[22..26].copy_from_slice(&size.to_le_bytes());
        zip[directory + 24..directory + 28].copy_from_slice(&size.to_le_bytes());
        if damage {
            zip[32] = 0xff;
        }
        zip
    };
    let rows = [
        ("stored, shorter", shorter, "contradicts itself: a stored entry has two sizes"),
        ("stored, longer", longer, "contradicts itself: a stored entry has two sizes"),
        ("CRC", wrong_crc, "is damaged: an entry's CRC is wrong"),
        ("deflated, shorter", deflated(101, false), "is damaged: an entry is shorter than it says"),
        ("deflated, longer", deflated(99, false), "is damaged: an entry is longer than it says"),
        ("deflated, damaged", deflated(100, true), "is damaged: corrupt deflate stream"),
    ];
    for (row, bytes, words) in rows {
        assert_refused(Format::Zip, &bytes, &format!("entry 1 (`aa`) {words}"), row);
    }
    // Not every byte order of the local header is there before the first entry.
    assert_eq!(at(&good, LOCAL, 0), 0);
}

#[test]
fn sizes() {
    let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
    writer.start_file("big", SimpleFileOptions::default()).unwrap();
    writer.write_all(&vec![0; 100_001]).unwrap();
    let big = writer.finish().unwrap().into_inner();
    let words = "entry 1 (`big`) takes the artifact over the limit of 100000 unpacked bytes";
    assert_refused(Format::Zip, &big, words, "unpacked");
}
