#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn parse(name: &[u8]) -> Result<String, String> {
    EntryPath::parse(name, 64).map(|p| p.to_string()).map_err(|e| e.to_string())
}

#[test]
fn lawful_names_are_normalised() {
    for (name, path) in [
        ("a.jar", "a.jar"),
        ("./lib//a.jar", "lib/a.jar"),
        ("lib/", "lib"),
        ("./a/./b", "a/b"),
        ("a b/ü→.txt", "a b/ü→.txt"),
        ("..a/b..", "..a/b.."),
        (".hidden", ".hidden"),
        ("ab:c", "ab:c"),
    ] {
        assert_eq!(parse(name.as_bytes()).as_deref(), Ok(path), "{name}");
    }
}

#[test]
fn each_refusal_has_its_words() {
    let long = "x".repeat(4_097);
    let long_component = format!("a/{}", "x".repeat(256));
    let deep = "d/".repeat(65);
    let rows: &[(&[u8], &str)] = &[
        (b"", "is empty"),
        (b"./", "is empty"),
        (b"/etc/passwd", "is an absolute path"),
        (b"../x", "has a `..` component and could leave its directory"),
        (b"a/../b", "has a `..` component and could leave its directory"),
        (b"a/..", "has a `..` component and could leave its directory"),
        (b"C:x", "starts with a Windows drive or server"),
        (b"c:/x", "starts with a Windows drive or server"),
        (br"\\server\share", "starts with a Windows drive or server"),
        (br"a\..\b", "has a backslash, which some readers take for a separator"),
        (b"a\0b", "has the character U+0000, which is not allowed in a name"),
        (b"a\nb", "has the character U+000A, which is not allowed in a name"),
        (b"a\x7f", "has the character U+007F, which is not allowed in a name"),
        ("a\u{202e}raj".as_bytes(), "has the character U+202E, which is not allowed in a name"),
        ("a\u{85}".as_bytes(), "has the character U+0085, which is not allowed in a name"),
        (b"ab\xff", "is not UTF-8 (from byte 2 on)"),
        (b"a/.wh.b", "is a whiteout (`.wh.`), which would delete files of the base image"),
        (b".wh..wh..opq", "is a whiteout (`.wh.`), which would delete files of the base image"),
        (b".wh.x/y", "is a whiteout (`.wh.`), which would delete files of the base image"),
        (long.as_bytes(), "is 4097 bytes long, more than 4096"),
        (long_component.as_bytes(), "has a component of 256 bytes, more than 255"),
        (deep.as_bytes(), "is nested 65 directories deep, more than the limit of 64"),
    ];
    for (name, words) in rows {
        assert_eq!(parse(name), Err((*words).to_owned()), "{}", shown(name));
    }
}

#[test]
fn a_component_has_no_slash() {
    let refused = |name: &str| EntryPath::component(name).unwrap_err().to_string();
    assert_eq!(refused("a/"), "has a slash, but must be the name of one file");
    assert_eq!(refused("a/b"), "has a slash, but must be the name of one file");
    assert_eq!(refused("../b"), "has a `..` component and could leave its directory");
    assert_eq!(EntryPath::component("a.b").unwrap().as_str(), "a.b");
}

#[test]
fn shown_names_cannot_write_to_a_terminal() {
    assert_eq!(shown(b"a\x1b[2Jb\xff"), "a\\u{1b}[2Jb\u{fffd}");
    assert!(shown(&[b'x'; 5_000]).len() < 220);
}

proptest! {
    #[test]
    fn what_is_accepted_stays_inside(name in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(path) = EntryPath::parse(&name, 64) {
            let path = path.to_string();
            prop_assert!(!path.starts_with('/') && !path.contains('\\') && !path.is_empty());
            prop_assert!(path.split('/').all(|c| !c.is_empty() && c != "." && c != ".." && !c.starts_with(".wh.")));
            prop_assert_eq!(EntryPath::parse(path.as_bytes(), 64).unwrap().to_string(), path);
        }
    }
}
