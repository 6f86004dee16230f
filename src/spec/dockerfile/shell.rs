//! The words of a `RUN`, as Strimzi's class `Cmd` writes them: every word in single quotes, a quote inside as `'"'"'`.

/// Commands are joined by this.
pub(super) const AND: &str = " \\\n      && ";

/// A command's words; `>` and `|` between them are words of their own, which no quoted word is taken for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    words: Vec<Word>,
}

#[derive(Debug, PartialEq, Eq)]
enum Word {
    Quoted(String),
    Operator,
}

impl Command {
    /// The quoted word at a place, counted without operators; from the end if negative.
    pub(super) fn word(&self, place: isize) -> Option<&str> {
        let quoted: Vec<&str> = self
            .words
            .iter()
            .filter_map(|word| if let Word::Quoted(text) = word { Some(text.as_str()) } else { None })
            .collect();
        let place =
            if place < 0 { quoted.len().checked_add_signed(place)? } else { usize::try_from(place).ok()? };
        quoted.get(place).copied()
    }

    /// Whether this word is among them.
    pub(super) fn has(&self, wanted: &str) -> bool {
        self.words.iter().any(|word| *word == Word::Quoted(wanted.to_owned()))
    }
}

/// The commands of a `RUN`, or the place of the first one that is of another form. Each stands on a line of its own.
pub(super) fn commands(text: &str) -> Result<Vec<Command>, usize> {
    let lines = text.strip_prefix("RUN ").ok_or(0_usize)?.split(AND).enumerate();
    lines.map(|(place, text)| command(text).ok_or(place)).collect()
}

fn command(text: &str) -> Option<Command> {
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        if let Some(after) = rest.strip_prefix("> ").or_else(|| rest.strip_prefix("| ")) {
            words.push(Word::Operator);
            rest = after;
            continue;
        }

        let (word, after) = quoted(rest)?;
        words.push(Word::Quoted(word));
        match after.strip_prefix(' ') {
            Some(after) => rest = after,
            None if after.is_empty() => return Some(Command { words }),
            None => return None,
        }
    }
}

/// A quoted word at the start of a text, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let end = rest.find(['\'', '\n']).filter(|&end| rest.as_bytes().get(end) == Some(&b'\''))?;
        word.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix("\"'\"'") {
            Some(after) => {
                word.push('\'');
                rest = after;
            }
            None => return Some((word, rest)),
        }
    }
}

/// A word in quotes.
pub(super) fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

/// Words in quotes.
pub(super) fn line(words: &[&str]) -> String {
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}
