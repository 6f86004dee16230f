#![allow(clippy::unwrap_used)]

use super::*;

fn text(document: &str) -> Result<String, XmlError> {
    parse(document)?.child_text("a").map(|text| text.unwrap_or_default().to_owned())
}

#[test]
fn what_stands_in_an_element() {
    for (document, expected) in [
        ("<p><a> x </a></p>", "x"),
        ("<p><a>x<!-- not this -->y</a></p>", "xy"),
        ("<p><a><![CDATA[<x>]]></a></p>", "<x>"),
        ("<p><a>&lt;&amp;&#65;&#x42;&eacute;&nbsp;c</a></p>", "<&AB\u{e9}\u{a0}c"),
        ("<p><a/></p>", ""),
        ("<?xml version='1.0'?><!DOCTYPE p [<!ENTITY e 'x'>]><p xmlns='urn:x'><a b='c'>x</a></p>", "x"),
        ("\u{feff}<p><a>x</a></p>", "x"),
    ] {
        assert_eq!(text(document).unwrap(), expected, "{document}");
    }
}

#[test]
fn what_is_refused() {
    let rows = [
        "<p><a>x</p>",
        "<p><a>&e;</a></p>",
        "<p><a>1</a><a>2</a></p>",
        "<p><a><b/></a></p>",
        "<p></p><p></p>",
        "text",
        "",
        "<p><a>&#xFFFFFFFF;</a></p>",
    ];
    let words = rows.map(|row| format!("{row}: {}", text(row).unwrap_err()));
    insta::assert_snapshot!(words.join("\n"));
}

#[test]
fn encodings_are_those_that_documents_declare() {
    let latin = b"<?xml version=\"1.0\" encoding='ISO-8859-1'?><p><a>\xe9</a></p>";
    assert_eq!(text(&decode(latin).unwrap()).unwrap(), "\u{e9}");
    let utf16: Vec<u8> = "\u{feff}<p><a>\u{e9}</a></p>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(text(&decode(&utf16).unwrap()).unwrap(), "\u{e9}");
    assert_eq!(text(&decode("<p><a>\u{e9}</a></p>".as_bytes()).unwrap()).unwrap(), "\u{e9}");
    assert!(matches!(decode(&vec![b' '; MAX_BYTES + 1]), Err(XmlError::TooLarge { .. })));
}
