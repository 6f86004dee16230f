//! Secrets taken out of what a server says.
//!
//! A server may repeat what it was sent in whatever way its error page is written in: as it is, percent-encoded, inside JSON or
//! inside HTML. So a secret is looked for character by character, in the spellings of each of these, and of all of them mixed.

use std::collections::BTreeSet;

/// Bytes of the longest spelling that is looked at: `&#x0010FFFF;`, with some room for leading zeros.
const LONGEST_SPELLING: usize = 16;

/// What must not be shown.
#[derive(Clone, Default)]
pub struct Mask {
    secrets: BTreeSet<String>,
}

impl Mask {
    /// Hides `secret` too. Nothing is hidden by an empty one.
    #[must_use]
    pub fn and(mut self, secret: impl Into<String>) -> Self {
        let secret = secret.into();
        // What a mask looks like gives nothing away.
        if !secret.chars().all(|c| c == '*') {
            self.secrets.insert(secret);
        }
        self
    }

    /// Hides what `other` does too.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        other.secrets.into_iter().fold(self, Self::and)
    }

    /// `text` with `***` where a secret stands, or several that overlap.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        let mut shown = String::new();
        let mut hidden_until = 0;
        for (at, c) in text.char_indices() {
            let end = self.secrets.iter().filter_map(|secret| end_of(secret, text, at)).max();
            if let Some(end) = end.filter(|end| *end > hidden_until) {
                if at > hidden_until || hidden_until == 0 {
                    shown.push_str("***");
                }
                hidden_until = end;
            }
            if at >= hidden_until {
                shown.push(c);
            }
        }
        shown
    }
}

/// How long a character is at the beginning of a text, if it stands there in a certain spelling.
type Spelling = fn(char, &str) -> Option<usize>;

/// The ways in which a text may be written.
const WRITINGS: [&[Spelling]; 5] = [&[], &[percent], &[backslash], &[entity], &[percent, backslash, entity]];

/// The end of `secret` in `text` if it stands there at `start`; the last one if it can be read in several ways.
fn end_of(secret: &str, text: &str, start: usize) -> Option<usize> {
    let end = |writing: &&[Spelling]| {
        secret.chars().try_fold(start, |at, c| {
            let rest = &text[at..];
            let length = writing.iter().find_map(|spelling| spelling(c, rest));
            Some(at + length.or_else(|| rest.starts_with(c).then(|| c.len_utf8()))?)
        })
    };
    WRITINGS.iter().filter_map(end).max()
}

/// As in URLs and forms: `%2F`, and `+` for a blank.
fn percent(c: char, rest: &str) -> Option<usize> {
    if c == ' ' && rest.starts_with('+') {
        return Some(1);
    }
    let mut length = 0;
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        let digits = rest.get(length..)?.strip_prefix('%')?.get(..2)?;
        (u8::from_str_radix(digits, 16).ok()? == byte).then_some(())?;
        length += 3;
    }
    Some(length)
}

/// As in JSON and in many languages: `\"`, `\n`, `\u0022`, of two parts beyond 16 bits.
fn backslash(c: char, rest: &str) -> Option<usize> {
    let escaped = rest.strip_prefix('\\')?;
    let short = match c {
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        '\u{8}' => Some('b'),
        '\u{c}' => Some('f'),
        c if c.is_ascii_punctuation() => Some(c),
        _ => None,
    };
    if short.is_some_and(|short| escaped.starts_with(short)) {
        return Some(2);
    }
    let mut length = 0;
    for unit in c.encode_utf16(&mut [0; 2]) {
        let digits = rest.get(length..)?.strip_prefix("\\u")?.get(..4)?;
        (u16::from_str_radix(digits, 16).ok()? == *unit).then_some(())?;
        length += 6;
    }
    Some(length)
}

/// As in HTML and XML: `&quot;`, `&#34;`, `&#x22;`.
fn entity(c: char, rest: &str) -> Option<usize> {
    let name = rest.strip_prefix('&')?;
    let end = name.bytes().take(LONGEST_SPELLING).position(|byte| byte == b';')?;
    let name = &name[..end];
    let code = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => number.parse().ok(),
        },
        None => match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => None,
        }
        .map(u32::from),
    };
    (code? == u32::from(c)).then_some(end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let mask = Mask::default().and("p\"a/ß 𝄞&\\").and("hunter2");
        for text in [
            "p\"a/ß 𝄞&\\",
            "p%22a%2f%C3%9F+%F0%9D%84%9E%26%5C",
            r#"p\"a\/\u00df \ud834\udd1e&\\"#,
            r"p\u0022a/\u00DF\u0020𝄞\u0026\u005c",
            "p&quot;a/&#223;&#x20;&#119070;&amp;\\",
            "%70%22a/ß%20𝄞&#x00026;\\",
        ] {
            assert_eq!(mask.apply(&format!("<{text}> hunter2,")), "<***> ***,", "{text}");
        }
        for text in ["p\"a/ß 𝄞&", "", "p%2", "p\\", "p&quot", "hunter", "é&#xfffffffff; %é \\u00é"] {
            assert_eq!(mask.apply(text), text);
        }
    }

    #[test]
    fn secrets_that_overlap_are_hidden_whole() {
        let mask = Mask::default().and("ab").and("bcd").and("me").and("me:pass").and("").and("*");
        assert_eq!(mask.apply("xabcdx abab me:pass me * b"), "x***x *** *** *** * b");
        // The longest spelling counts: what follows a backslash belongs to it.
        let mask = Mask::default().and("\\");
        assert_eq!(mask.apply(r"a\\b\c"), "a***b***c");
        let mask = Mask::default().and("aa");
        assert_eq!(mask.apply("aaaa"), "***");
    }
}
