//! XML as Maven reads it: POMs, `maven-metadata.xml`, `settings.xml` become a small tree.
//!
//! Like Maven's own readers this one is lenient about what it does not know and strict about form: tags must match. Document
//! types are passed over, so nothing is ever fetched for an entity or expanded from one; the entities that Maven knows (those
//! of HTML) are resolved, any other is an error. Size, depth and number of elements are bounded.

use std::borrow::Cow;

use encoding_rs::Encoding;
use quick_xml::Reader;
use quick_xml::escape::resolve_html5_entity;
use quick_xml::events::Event;

/// Largest document, in bytes. The largest POMs that are published (bills of material) have below 1 MiB.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// Most elements of a document.
const MAX_ELEMENTS: usize = 200_000;

/// Most elements inside each other.
const MAX_DEPTH: usize = 100;

/// An element: its name as written, its children, its text.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// The name, with its prefix if it has one.
    pub name: Box<str>,
    /// Elements inside, in order.
    pub children: Vec<Element>,
    /// All text directly inside, entities resolved.
    pub text: String,
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Over [`MAX_BYTES`], or one of the other bounds.
    #[error("it is too large: more than {limit} {what}")]
    TooLarge {
        /// The bound.
        limit: usize,
        /// Of what.
        what: &'static str,
    },
    /// Tags do not match, or the like.
    #[error("it is not well-formed XML, at byte {at}: {problem}")]
    Malformed {
        /// Position in the document.
        at: u64,
        /// The parser's words.
        problem: String,
    },
    /// `&xyz;` of a document type of its own.
    #[error("it uses the entity `&{name};`, which is not defined")]
    UnknownEntity {
        /// Position in the document.
        at: u64,
        /// The entity's.
        name: String,
    },
    /// The same element twice where there can be one.
    #[error("`<{0}>` stands twice in the same place")]
    Duplicate(String),
    /// Elements where only text may be.
    #[error("`<{0}>` holds elements where only text may be")]
    NotText(String),
    /// Text where only elements may be.
    #[error("text stands beside the elements in `<{0}>`")]
    Mixed(String),
    /// No element at all.
    #[error("it holds no element")]
    Empty,
}

/// The text of a document in the encoding that it declares: by byte order mark, by `<?xml encoding=…?>`, or UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    if bytes.len() > MAX_BYTES {
        return Err(XmlError::TooLarge { limit: MAX_BYTES, what: "bytes" });
    }
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None => declared_encoding(bytes)?.unwrap_or(encoding_rs::UTF_8),
    };
    Ok(encoding.decode(bytes).0)
}

fn declared_encoding(bytes: &[u8]) -> Result<Option<&'static Encoding>, XmlError> {
    let head = &bytes[..bytes.len().min(200)];
    let label = || -> Option<String> {
        let head = head.strip_prefix(b"<?xml")?;
        let head = String::from_utf8_lossy(head.split(|&byte| byte == b'>').next()?);
        let (_, rest) = head.split_once("encoding")?;
        let rest = rest.trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        Some(rest[1..].split(quote).next()?.to_owned())
    };
    match label() {
        None => Ok(None),
        Some(label) => match Encoding::for_label(label.as_bytes()) {
            Some(encoding) => Ok(Some(encoding)),
            None => Err(XmlError::Malformed {
                at: 0,
                problem: format!("its encoding `{}` is not known", crate::path::shown(label.as_bytes())),
            }),
        },
    }
}

/// What XML 1.0 calls a character (section 2.2).
fn is_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Reads a document into its root element.
pub(super) fn parse(text: &str) -> Result<Element, XmlError> {
    let mut reader = Reader::from_str(text);
    // `--` inside of a comment is an error for Maven too.
    reader.config_mut().check_comments = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    let mut elements = 0;
    loop {
        let at = reader.buffer_position();
        let malformed = |problem: String| XmlError::Malformed { at, problem };
        let event = reader.read_event().map_err(|error| malformed(error.to_string()))?;
        let (start, ends) = match event {
            Event::Start(start) => (Some(start), false),
            Event::Empty(start) => (Some(start), true),
            Event::End(_) => (None, true),
            Event::Text(text) if text.as_bytes().windows(3).any(|bytes| bytes == b"]]>") => {
                return Err(malformed("`]]>` stands in a text".to_owned()));
            }
            Event::Text(text) => {
                add_text(&mut open, &text.xml10_content(), at)?;
                continue;
            }
            Event::CData(text) => {
                add_text(&mut open, &text.xml10_content(), at)?;
                continue;
            }
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| malformed(error.to_string()))?;
                if let Some(character) = character {
                    if !is_character(character) {
                        return Err(malformed(format!(
                            "U+{:04X} is no character of XML",
                            u32::from(character)
                        )));
                    }
                    add_text(&mut open, character.encode_utf8(&mut [0; 4]), at)?;
                } else {
                    let name = || crate::path::shown(reference.as_bytes());
                    let unknown = || XmlError::UnknownEntity { at, name: name() };
                    let resolved = resolve_html5_entity(&reference).ok_or_else(unknown)?;
                    add_text(&mut open, resolved, at)?;
                }
                continue;
            }
            Event::Decl(declaration) => {
                let version = declaration.version().map_err(|error| malformed(error.to_string()))?;
                if *version != *"1.0" {
                    return Err(malformed("it is not of XML 1.0".to_owned()));
                }
                continue;
            }
            Event::Comment(_) | Event::PI(_) | Event::DocType(_) => continue,
            Event::Eof => break,
        };
        if let Some(start) = start {
            elements += 1;
            if elements > MAX_ELEMENTS {
                return Err(XmlError::TooLarge { limit: MAX_ELEMENTS, what: "elements" });
            }
            if open.len() >= MAX_DEPTH {
                return Err(XmlError::TooLarge { limit: MAX_DEPTH, what: "elements inside each other" });
            }
            if root.is_some() {
                return Err(malformed("a second element stands behind the first".to_owned()));
            }
            for attribute in start.attributes() {
                attribute.map_err(|error| malformed(error.to_string()))?;
            }
            let name = start.name().as_ref().into();
            open.push(Element { name, ..Element::default() });
        }
        if ends && let Some(done) = open.pop() {
            match open.last_mut() {
                Some(parent) => parent.children.push(done),
                None => root = Some(done),
            }
        }
    }
    match open.pop() {
        Some(element) => Err(XmlError::Malformed {
            at: text.len() as u64,
            problem: format!("`<{}>` is not closed", crate::path::shown(element.name.as_bytes())),
        }),
        None => root.ok_or(XmlError::Empty),
    }
}

fn add_text(open: &mut [Element], text: &str, at: u64) -> Result<(), XmlError> {
    match open.last_mut() {
        Some(element) => {
            element.text.push_str(text);
            Ok(())
        }
        None if text.trim().is_empty() || text == "\u{feff}" => Ok(()),
        None => Err(XmlError::Malformed { at, problem: "text stands outside of all elements".to_owned() }),
    }
}

impl Element {
    /// The child of this name; two of them are an error, as in every reader that Maven's model generator makes.
    pub(super) fn child(&self, name: &str) -> Result<Option<&Element>, XmlError> {
        let mut found = self.children.iter().filter(|child| &*child.name == name);
        let first = found.next();
        match found.next() {
            Some(_) => Err(XmlError::Duplicate(name.to_owned())),
            None => Ok(first),
        }
    }

    /// The elements of a list, beside which those readers let no text stand. Elsewhere they pass it over.
    pub(super) fn list(&self) -> Result<&[Element], XmlError> {
        if self.text.trim().is_empty() {
            Ok(&self.children)
        } else {
            Err(XmlError::Mixed(self.name.to_string()))
        }
    }

    /// The trimmed text of the child of this name. An empty element has an empty text, an absent one none.
    pub(super) fn child_text(&self, name: &str) -> Result<Option<&str>, XmlError> {
        self.child(name)?.map(Element::own_text).transpose()
    }

    /// The trimmed text of this element, which may hold nothing else.
    pub(super) fn own_text(&self) -> Result<&str, XmlError> {
        if self.children.is_empty() {
            Ok(self.text.trim())
        } else {
            Err(XmlError::NotText(self.name.to_string()))
        }
    }

    /// Whether no child of these names stands twice.
    pub(super) fn once(&self, names: &[&str]) -> Result<(), XmlError> {
        names.iter().try_for_each(|name| self.child(name).map(|_| ()))
    }

    /// The children of this name inside the child `list`.
    pub(super) fn items(&self, list: &str, name: &str) -> Result<impl Iterator<Item = &Element>, XmlError> {
        let items = self.child(list)?.map(Element::list).transpose()?.unwrap_or_default();
        let name = name.to_owned();
        Ok(items.iter().filter(move |item| *item.name == *name))
    }
}

#[cfg(test)]
mod tests;
