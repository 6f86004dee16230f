//! Who a download says it is: names and passwords by host, as `netrc` files and settings give them.
//!
//! They go to the host that they were given for, and to no other one, wherever a redirect leads.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use crate::redact::Secret;

/// What a request to one host carries beside its URL.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// User and password.
    pub basic: Option<(String, Secret)>,
    /// Headers, as some repositories want tokens.
    pub headers: Vec<(String, Secret)>,
}

impl Identity {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.basic.is_none() && self.headers.is_empty()
    }

    /// The value of `Authorization`.
    pub(super) fn authorization(&self) -> Option<Secret> {
        let (user, password) = self.basic.as_ref()?;
        Some(Secret::new(format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())))))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "nobody" } else { "***" })
    }
}

/// A `netrc` file.
#[derive(Debug, Clone, Default)]
pub struct Netrc {
    machines: Vec<(Option<String>, Identity)>,
}

/// A `netrc` file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetrc {
    /// A word that nobody expects there. It may be a part of a password, and is not shown.
    #[error("line {line}: expected `machine`, `default`, `login`, `password`, `account` or `macdef`")]
    Word {
        /// From 1.
        line: usize,
    },
    /// A word that ends the file where a value should follow.
    #[error("line {line}: `{word}` has no value")]
    NoValue {
        /// From 1.
        line: usize,
        /// The word.
        word: String,
    },
    /// `login` and the like before the first machine.
    #[error("line {line}: `{word}` stands before the first `machine`")]
    NoMachine {
        /// From 1.
        line: usize,
        /// The word.
        word: String,
    },
}

impl Netrc {
    /// Reads a file in the form that curl and ftp know. Values may stand in double quotes, `#` begins a comment where a word
    /// could begin, macros are passed over.
    pub fn parse(text: &str) -> Result<Self, InvalidNetrc> {
        let mut machines: Vec<(Option<String>, Identity)> = Vec::new();
        let mut words = words(text).into_iter();
        while let Some((line, word)) = words.next() {
            let mut value = || {
                words.next().map(|(_, value)| value).ok_or(InvalidNetrc::NoValue { line, word: word.clone() })
            };
            match word.as_str() {
                "machine" => machines.push((Some(value()?.to_lowercase()), Identity::default())),
                "default" => machines.push((None, Identity::default())),
                "login" | "password" | "account" => {
                    let value = value()?;
                    let (_, identity) =
                        machines.last_mut().ok_or(InvalidNetrc::NoMachine { line, word: word.clone() })?;
                    let basic = identity.basic.get_or_insert_with(|| (String::new(), Secret::new("")));
                    match word.as_str() {
                        "login" => basic.0 = value,
                        "password" => basic.1 = Secret::new(value),
                        _ => {}
                    }
                }
                _ => return Err(InvalidNetrc::Word { line }),
            }
        }
        Ok(Self { machines })
    }

    /// What is known of the host of `url`; the `default` entry is for every host without one of its own.
    pub fn identity(&self, url: &Url) -> Option<&Identity> {
        let host = url.host_str()?;
        let own = self.machines.iter().find(|(machine, _)| machine.as_deref() == Some(host));
        let identity = &own.or_else(|| self.machines.iter().find(|(machine, _)| machine.is_none()))?.1;
        (!identity.is_empty()).then_some(identity)
    }
}

/// Words with the numbers of their lines; macros and comments are left out.
fn words(text: &str) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    let mut in_macro = false;
    for (index, line) in text.lines().enumerate() {
        if in_macro {
            in_macro = !line.trim().is_empty();
            continue;
        }
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (word, after) = next_word(rest);
            if word == "macdef" {
                in_macro = true;
                break;
            }
            words.push((index + 1, word));
            rest = after.trim_start();
        }
    }
    words
}

fn next_word(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut word = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (word, &quoted[at + 1..]),
            '\\' => word.extend(characters.next().map(|(_, escaped)| escaped)),
            other => word.push(other),
        }
    }
    (word, "")
}
