//! Lines become instructions, each with the lines that continue it.

use super::error::DialectError;
use super::shell::{Command, commands};
use crate::redact::without_secrets;

/// Largest Dockerfile, in bytes: a `ConfigMap` holds no more.
const MAX_BYTES: usize = 1 << 20;

/// What a plugin's heading begins with.
const HEADING: &str = "# Connector plugin ";

/// An instruction, or the heading of a plugin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instruction<'a> {
    /// Its first line, from 1 on.
    pub line: usize,
    /// Its text, continued lines and all, without the last line's end.
    pub text: &'a str,
}

impl<'a> Instruction<'a> {
    /// `FROM`, `RUN`, …, or `#`.
    pub(super) fn keyword(&self) -> &'a str {
        self.text.split(' ').next().unwrap_or_default()
    }

    /// The plugin of a heading.
    pub(super) fn plugin_name(&self) -> &'a str {
        self.text.strip_prefix(HEADING).unwrap_or_default()
    }

    pub(super) fn must_be(&self, expected: &str) -> Result<(), DialectError> {
        if self.text == expected { Ok(()) } else { Err(self.unlike(expected)) }
    }

    /// The error for an instruction that is another one than `expected`.
    pub(super) fn unlike(&self, expected: &str) -> DialectError {
        DialectError::new(self.line, expected, self.text.lines().next().unwrap_or_default())
    }

    /// The commands of a `RUN`.
    pub(super) fn commands(&self) -> Result<Vec<Command>, DialectError> {
        commands(self.text).map_err(|place| {
            let expected = "words in single quotes, joined by `&&` at the beginning of lines";
            DialectError::new(self.line + place, expected, self.text.lines().nth(place).unwrap_or_default())
        })
    }

    /// The error at the first line that differs from `expected`.
    pub(super) fn differs_from(&self, expected: &str) -> DialectError {
        let mut expected = expected.lines();
        let mut line = self.line;
        for found in self.text.lines() {
            let wanted = expected.next().unwrap_or_default();
            if wanted != found {
                let (wanted, found) = from_difference(wanted, found);
                return DialectError::new(line, &wanted, &found);
            }
            line += 1;
        }
        DialectError::new(line, expected.next().unwrap_or_default(), "")
    }
}

/// Both lines from the word on in which they begin to differ. Secrets are masked before, for a part of a URL cannot be told from
/// other words.
fn from_difference(wanted: &str, found: &str) -> (String, String) {
    let (wanted, found) = (without_secrets(wanted), without_secrets(found));
    let same = wanted.bytes().zip(found.bytes()).take_while(|(a, b)| a == b).count();
    let start = wanted.floor_char_boundary(same);
    let start = wanted[..start].rfind(' ').map_or(0, |space| space + 1);
    let rest = |text: &str| text.get(start..).unwrap_or_default().to_owned();
    (rest(&wanted), rest(&found))
}

/// The instructions of a file, in order.
pub(super) struct Instructions<'a> {
    all: Vec<Instruction<'a>>,
    next: usize,
    lines: usize,
}

impl<'a> Instructions<'a> {
    /// Takes comments and blank lines out, all but the headings of plugins.
    pub(super) fn split(text: &'a str) -> Result<Self, DialectError> {
        if text.len() > MAX_BYTES {
            return Err(DialectError::new(1, "a file of at most 1 MiB", "a larger one"));
        }
        let mut all: Vec<Instruction<'a>> = Vec::new();
        let mut start = 0;
        let mut open: Option<(usize, usize)> = None;
        let mut number = 0;
        for whole in text.split_inclusive('\n') {
            number += 1;
            let line = whole.strip_suffix('\n').unwrap_or(whole);
            let end = start + line.len();
            if let Some(c) = line.chars().find(|c| c.is_control()) {
                return Err(DialectError::new(number, "printable text", &c.to_string()));
            }
            let (first, from) = open.take().unwrap_or((number, start));
            let is_new = from == start;
            if line.ends_with('\\') && !(is_new && line.starts_with('#')) {
                open = Some((first, from));
            } else if is_new && (line.is_empty() || line.starts_with('#')) {
                if line.starts_with(HEADING) {
                    all.push(Instruction { line: number, text: line });
                } else if all.is_empty() && is_directive(line) {
                    return Err(DialectError::new(number, "a comment", line));
                }
            } else {
                all.push(Instruction { line: first, text: &text[from..end] });
            }
            start += whole.len();
        }
        if let Some((first, _)) = open {
            return Err(DialectError::new(
                first,
                "an instruction with an end",
                "one that is continued for ever",
            ));
        }
        Ok(Self { all, next: 0, lines: number })
    }

    /// The next one, where something like `expected` has to come.
    pub(super) fn next(&mut self, expected: &str) -> Result<Instruction<'a>, DialectError> {
        let missing = || DialectError::new(self.lines + 1, expected, "");
        let instruction = *self.all.get(self.next).ok_or_else(missing)?;
        self.next += 1;
        Ok(instruction)
    }

    /// The next one if it begins like this.
    pub(super) fn next_if(&mut self, start: &str) -> Option<Instruction<'a>> {
        let instruction = *self.all.get(self.next).filter(|next| next.text.starts_with(start))?;
        self.next += 1;
        Some(instruction)
    }
}

/// `# escape=` and its like, which change how Docker reads what follows.
fn is_directive(line: &str) -> bool {
    let words = line.trim_start_matches('#').trim();
    let (name, value) = words.split_once('=').unwrap_or_default();
    let name = name.trim();
    !value.is_empty() && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::from_difference;

    #[test]
    fn a_difference_shows_no_part_of_a_password() {
        let wanted = "RUN 'curl' 'https://u:some SECRET1@h/x' 'y'";
        for found in [
            wanted.replace("SECRET1", "SECRET2"),
            wanted.replace("'y'", "'z'"),
            wanted.replace("some", "other"),
        ] {
            let (wanted, found) = from_difference(wanted, &found);
            assert!(!wanted.contains("SECRET") && !found.contains("SECRET"), "{wanted} {found}");
        }
    }
}
