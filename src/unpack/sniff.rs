//! What a file is by its first bytes, for messages.

/// Bytes that [`describe`] wants to see.
pub(super) const SNIFF_BYTES: usize = 512;

/// Local header, end record of an empty archive, or spanning marker (APPNOTE 4.3).
pub(super) fn is_zip(start: &[u8]) -> bool {
    [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"].iter().any(|magic| start.starts_with(*magic))
}

/// `this looks like …`.
pub(super) fn describe(start: &[u8]) -> String {
    let text = start.trim_ascii_start();
    let lower: Vec<u8> = text.iter().take(64).map(u8::to_ascii_lowercase).collect();
    let what = if start.is_empty() {
        return "it is empty".into();
    } else if is_zip(start) {
        "a zip or jar"
    } else if start.starts_with(&[0x1f, 0x8b]) {
        "a gzip file"
    } else if start.starts_with(b"BZh") {
        "a bzip2 file"
    } else if start.starts_with(&[0xfd, b'7', b'z', b'X', b'Z', 0]) {
        "an xz file"
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        "a zstd file"
    } else if start.starts_with(b"7z\xbc\xaf\x27\x1c") {
        "a 7z archive"
    } else if start.get(257..262) == Some(b"ustar") {
        "an uncompressed tar"
    } else if start.starts_with(&[0xca, 0xfe, 0xba, 0xbe]) {
        "a Java class"
    } else if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        "a web page (HTML)"
    } else if lower.starts_with(b"<?xml") {
        "an XML document"
    } else if lower.starts_with(b"{") {
        "a JSON document"
    } else if start.iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) {
        "a text file"
    } else {
        return "its first bytes are unknown".into();
    };
    format!("this looks like {what}")
}
