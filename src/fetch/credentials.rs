//! Who a download says it is: names and passwords by host, as `netrc` files and settings give them, and headers by host.
//!
//! They go to the host that they were given for, and to no other one, wherever a redirect leads.

use std::collections::BTreeMap;
use std::fmt;

use reqwest::header::{HeaderName, HeaderValue};
use url::Url;

use crate::redact::{Mask, Secret, basic};

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

    /// What hides its users (a token may stand in their place), passwords and headers.
    pub(super) fn mask(&self) -> Mask {
        let mask = match &self.basic {
            Some((user, password)) => password.mask().and_word(user),
            None => Mask::default(),
        };
        let authorization = self.authorization();
        let headers = self.headers.iter().map(|(_, value)| value).chain(&authorization);
        headers.map(Secret::mask_of_header).fold(mask, Mask::with)
    }

    /// The value of `Authorization`.
    pub(super) fn authorization(&self) -> Option<Secret> {
        let (user, password) = self.basic.as_ref()?;
        Some(Secret::new(format!("Basic {}", basic(user, password.expose()))))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "nobody" } else { "***" })
    }
}

/// Who to be, host by host.
#[derive(Debug, Clone, Default)]
pub struct Identities {
    /// A host, perhaps with its port, or nothing for every host that is not listed.
    machines: Vec<(Option<String>, Identity)>,
}

/// A file of headers that cannot be read. What stands in it may be secret, and is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeaders {
    /// Not YAML or JSON of this form.
    #[error("it is not a list of hosts with headers below them{}", .line.map(|line| format!(", at line {line}")).unwrap_or_default())]
    Form {
        /// From 1, where it is known.
        line: Option<u64>,
    },
    /// A header that cannot be sent.
    #[error(
        "header {number} of `{host}` cannot be sent: a name has letters, digits and dashes, a value is one line"
    )]
    Header {
        /// Its place below the host, in the order of names, from 1.
        number: usize,
        /// The host.
        host: String,
    },
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

impl Identities {
    /// Reads a netrc file in the form that curl and ftp know. Values may stand in double quotes, `#` begins a comment where a word
    /// could begin, macros are passed over.
    pub fn of_netrc(text: &str) -> Result<Self, InvalidNetrc> {
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

    /// Reads headers by host, in YAML or JSON: `maven.example.com: {Authorization: Bearer …}`.
    pub fn of_headers(text: &str) -> Result<Self, InvalidHeaders> {
        type Hosts = BTreeMap<String, BTreeMap<String, String>>;
        let text = if text.trim().is_empty() { "{}" } else { text };
        let hosts: Hosts = serde_saphyr::from_str(text).map_err(|error| InvalidHeaders::Form {
            line: error.location().map(|location| location.line()),
        })?;
        let mut machines = Vec::new();
        for (host, headers) in hosts {
            let mut identity = Identity::default();
            for (index, (name, value)) in headers.into_iter().enumerate() {
                if HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_str(&value).is_err()
                {
                    return Err(InvalidHeaders::Header { number: index + 1, host });
                }
                identity.headers.push((name, Secret::new(value)));
            }
            machines.push((Some(host.to_lowercase()), identity));
        }
        Ok(Self { machines })
    }

    /// Adds what another file says: headers to a password of the same host, and the other way round.
    pub fn extend(&mut self, other: Self) {
        for (machine, identity) in other.machines {
            match self.machines.iter_mut().find(|(known, _)| *known == machine) {
                Some((_, known)) => {
                    known.basic = known.basic.take().or(identity.basic);
                    known.headers.extend(identity.headers);
                }
                None => self.machines.push((machine, identity)),
            }
        }
    }

    /// What is known of the host of `url`, with its port first. The `default` entry is for every host without one of its own
    /// that the user `named`, and for none that a redirect or a POM names.
    pub fn identity(&self, url: &Url, named: bool) -> Option<&Identity> {
        let host = url.host_str()?;
        let with_port = format!("{host}:{}", url.port_or_known_default()?);
        let of =
            |wanted: Option<&str>| self.machines.iter().find(|(machine, _)| machine.as_deref() == wanted);
        let (_, identity) =
            of(Some(&with_port)).or_else(|| of(Some(host))).or_else(|| of(None).filter(|_| named))?;
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

#[cfg(test)]
mod tests;
