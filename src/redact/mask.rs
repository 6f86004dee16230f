//! Secrets taken out of what a server says.
//!
//! A server may repeat what it was sent in whatever way its error page is written in: as it is, percent-encoded, inside JSON,
//! inside HTML, and one inside of the other. So a text is read in each of these ways, and in two of them after each other, and a
//! secret that is found in one of the readings is hidden where it was read from.

use std::collections::BTreeSet;

/// Most secrets that are looked for. There are more only where a server made them up, and then nothing is shown.
const MAX_SECRETS: usize = 200;

/// Most bytes that are compared, for the same reason: what repeats itself is found at every place.
const MAX_WORK: usize = 32 << 20;

/// Characters of a word that is worth hiding. A shorter one stands in other words too, and is no secret.
const SHORTEST: usize = 4;

/// What stands for a secret.
const HIDDEN: &str = "***";

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

    /// Hides `word` too, which may be a secret or not, if it is long enough to be one.
    #[must_use]
    pub fn and_word(self, word: impl Into<String>) -> Self {
        let word = word.into();
        if word.chars().count() < SHORTEST { self } else { self.and(word) }
    }

    /// Hides what `other` does too.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        other.secrets.into_iter().fold(self, Self::and)
    }

    /// `text` with `***` where a secret stands, or several that touch each other.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        let mut hidden = vec![false; text.len()];
        if self.secrets.len() > MAX_SECRETS || self.mark(text, &mut hidden).is_err() {
            return HIDDEN.to_owned();
        }
        let mut shown = String::new();
        let mut was_hidden = false;
        for (at, c) in text.char_indices() {
            match (hidden[at], was_hidden) {
                (false, _) => shown.push(c),
                (true, false) => shown.push_str(HIDDEN),
                (true, true) => {}
            }
            was_hidden = hidden[at];
        }
        shown
    }

    /// Marks the bytes of `text` in which a secret can be read.
    fn mark(&self, text: &str, hidden: &mut [bool]) -> Result<(), TooMuch> {
        if self.secrets.is_empty() {
            return Ok(());
        }
        let mut work = MAX_WORK;
        let plain = Reading::of(text);
        self.mark_in(&plain, hidden, &mut work)?;
        for outer in DECODERS {
            let Some(once) = plain.decoded(outer) else { continue };
            self.mark_in(&once, hidden, &mut work)?;
            for inner in DECODERS {
                if let Some(twice) = once.decoded(inner) {
                    self.mark_in(&twice, hidden, &mut work)?;
                }
            }
        }
        Ok(())
    }

    fn mark_in(&self, reading: &Reading, hidden: &mut [bool], work: &mut usize) -> Result<(), TooMuch> {
        for secret in &self.secrets {
            let mut from = 0;
            while let Some(at) = reading.text[from..].find(secret).map(|at| from + at) {
                hidden[reading.sources[at]..reading.sources[at + secret.len()]].fill(true);
                // The next one may overlap with it.
                from = reading.text.ceil_char_boundary(at + 1);
                *work = work.checked_sub(secret.len()).ok_or(TooMuch)?;
            }
            *work = work.checked_sub(reading.text.len()).ok_or(TooMuch)?;
        }
        Ok(())
    }
}

/// [`MAX_WORK`] is done.
struct TooMuch;

/// A text, and for each of its bytes where it was read from.
struct Reading {
    text: String,
    /// One more than the text has bytes: the last is the end.
    sources: Vec<usize>,
}

/// The character that is written at the beginning of a text, and the length of that.
type Decoder = fn(&str) -> Option<(char, usize)>;

const DECODERS: [Decoder; 5] = [percent, form, backslash, entity, any];

impl Reading {
    fn of(text: &str) -> Self {
        Self { text: text.to_owned(), sources: (0..=text.len()).collect() }
    }

    /// What it means to somebody who writes like this; nothing if that is the same.
    fn decoded(&self, decoder: Decoder) -> Option<Self> {
        let mut decoded = Self { text: String::new(), sources: Vec::new() };
        let mut at = 0;
        let mut is_same = true;
        while let Some(c) = self.text[at..].chars().next() {
            let written = decoder(&self.text[at..]);
            is_same &= written.is_none();
            let (c, length) = written.unwrap_or((c, c.len_utf8()));
            decoded.text.push(c);
            decoded.sources.resize(decoded.text.len(), self.sources[at]);
            at += length;
        }
        decoded.sources.push(self.sources[at]);
        (!is_same).then_some(decoded)
    }
}

/// As in URLs: `%2F`, the bytes of UTF-8.
fn percent(text: &str) -> Option<(char, usize)> {
    let mut bytes = [0; 4];
    for count in 1..=4 {
        let digits = text.get(3 * (count - 1)..3 * count)?.strip_prefix('%')?;
        bytes[count - 1] = u8::from_str_radix(digits, 16).ok()?;
        if let Ok(read) = std::str::from_utf8(&bytes[..count]) {
            return Some((read.chars().next()?, 3 * count));
        }
    }
    None
}

/// As in forms and queries, where a blank is a `+`.
fn form(text: &str) -> Option<(char, usize)> {
    if text.starts_with('+') { Some((' ', 1)) } else { percent(text) }
}

/// As in JSON and in programs: `\"`, `\n`, `\u0022`, `\u{22}`, `\x22`.
fn backslash(text: &str) -> Option<(char, usize)> {
    let escaped = text.strip_prefix('\\')?;
    let hex = |start: usize, length: usize| {
        let digits = escaped.get(start..start + length)?;
        u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
    };
    let c = escaped.chars().next()?;
    Some(match c {
        'n' => ('\n', 2),
        'r' => ('\r', 2),
        't' => ('\t', 2),
        'b' => ('\u{8}', 2),
        'f' => ('\u{c}', 2),
        'x' => (char::from_u32(hex(1, 2)?)?, 4),
        'U' => (char::from_u32(hex(1, 8)?)?, 10),
        'u' if escaped[1..].starts_with('{') => {
            let end = escaped.bytes().take(10).position(|byte| byte == b'}')?;
            (char::from_u32(hex(2, end - 2)?)?, end + 2)
        }
        'u' => match (hex(1, 4)?, escaped.get(5..7)) {
            (high @ 0xD800..0xDC00, Some("\\u")) => {
                let low = hex(7, 4)?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
                (char::from_u32(0x10000 + ((high - 0xD800) << 10) + low)?, 12)
            }
            (code, _) => (char::from_u32(code)?, 6),
        },
        c if c.is_ascii_punctuation() => (c, 2),
        _ => return None,
    })
}

/// As in HTML and XML: `&quot;`, `&#34;`, `&#x22;`.
fn entity(text: &str) -> Option<(char, usize)> {
    let name = text.strip_prefix('&')?;
    let end = name.bytes().take(16).position(|byte| byte == b';')?;
    let name = &name[..end];
    let c = match name.strip_prefix('#') {
        Some(number) => char::from_u32(match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        })?,
        None => match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return None,
        },
    };
    Some((c, end + 2))
}

/// As in a page that somebody put together.
fn any(text: &str) -> Option<(char, usize)> {
    percent(text).or_else(|| backslash(text)).or_else(|| entity(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let mask = Mask::default().and("p\"a/ß 𝄞&\\").and("hunter2").and("a%2Fb");
        for text in [
            "p\"a/ß 𝄞&\\",
            "p%22a%2f%C3%9F+%F0%9D%84%9E%26%5C",
            r#"p\"a\/\u00df \ud834\udd1e&\\"#,
            r"p\u0022a/\u00DF\u0020𝄞\u0026\u005c",
            r#"p\"a/\xdf \U0001d11e&\\"#,
            r#"p\"a/\u{df} \u{1D11E}&\\"#,
            "p&quot;a/&#223;&#x20;&#119070;&amp;\\",
            "%70%22a/ß%20𝄞&#x00026;\\",
            // JSON inside of HTML, a URL inside of a URL, HTML inside of JSON.
            r"p\&quot;a/ß 𝄞&amp;\\",
            "p%2522a%252F%25C3%259F%2520%25F0%259D%2584%259E%2526%255C",
            r"p\u0026quot;a/ß 𝄞\u0026amp;\\",
            "a%2Fb",
            "a%252Fb",
        ] {
            assert_eq!(mask.apply(&format!("<{text}> hunter2,")), "<***> ***,", "{text}");
        }
        for text in
            ["p\"a/ß 𝄞&", "", "p%2", "p\\", "p&quot", "hunter", "é&#xfffffffff; %é \\u00é \\ud834\\u %+1"]
        {
            assert_eq!(mask.apply(text), text);
        }
    }

    #[test]
    fn secrets_that_overlap_are_hidden_whole() {
        let mask = Mask::default().and("ab").and("bcd").and("me").and("me:pass").and("").and("*");
        assert_eq!(mask.apply("xabcdx abab me:pass me * b"), "x***x *** *** *** * b");
        let mask = Mask::default().and("aa");
        assert_eq!(mask.apply("aaaa baab"), "*** b***b");
        let mask = Mask::default().and_word("v").and_word("beta");
        assert_eq!(mask.apply("v1 beta"), "v1 ***");
    }

    #[test]
    fn what_a_server_makes_up_takes_no_time() {
        let begun = std::time::Instant::now();
        let mask = (0..150).fold(Mask::default(), |mask, index| mask.and("a".repeat(3_900 + index)));
        assert_eq!(mask.apply(&"a".repeat(64 << 10)), "***");
        let mask = (0..100_000).fold(Mask::default(), |mask, index| mask.and(format!("secret{index}")));
        assert_eq!(mask.apply("anything"), "***");
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}
