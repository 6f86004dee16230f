//! URLs that people write.
//!
//! The library that reads URLs follows browsers: it drops blanks, takes `\` for `/`, adds slashes that are missing, and resolves
//! `%2e%2e`. curl and Maven, for which these URLs were written, do none of that. So what they would understand in another way is
//! refused, and what is accepted is asked for as it stands.

use url::Url;

/// A text that is no URL, or not the same one for everybody. What stands in it is not shown: it may be a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// Another scheme, no host, or no URL at all.
    #[error("is not an http or https URL")]
    Form,
    /// A character that some take for another one, or for a pattern.
    #[error("has the character `{}`, which not everybody reads alike in a URL: write it as `{}`", crate::path::plain(&.0.to_string()), encoded(*.0))]
    Character(char),
    /// A host that would be another one when it is asked.
    #[error("names its host in a way that not everybody understands: write `{0}`")]
    Host(String),
    /// `..` in disguise.
    #[error(
        "has an encoded `.` or `..` in its path, which not everybody understands: write it out, or leave it away"
    )]
    Dots,
}

fn encoded(c: char) -> String {
    percent_encoding::utf8_percent_encode(&c.to_string(), percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Reads an http or https URL in the form that RFC 3986 gives it.
///
/// # Errors
///
/// Where curl would ask for something else than we.
pub fn read_address(text: &str) -> Result<Url, InvalidAddress> {
    let (_, rest) =
        text.split_once("://").filter(|(scheme, _)| is_ours(scheme)).ok_or(InvalidAddress::Form)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    // Of other characters everybody sends the code, encoded or not.
    let is_lawful = |c: char| !c.is_control() && !c.is_whitespace() && !r"\{}[]".contains(c);
    // Brackets are around an IPv6 address and nowhere else.
    let (address, after) =
        host.strip_prefix('[').and_then(|inside| inside.split_once(']')).unwrap_or(("", host));
    let odd = [user, address, after, path].iter().flat_map(|part| part.chars()).find(|c| !is_lawful(*c));
    if let Some(c) = odd.or_else(|| user.chars().find(|c| *c == '@')) {
        return Err(InvalidAddress::Character(c));
    }
    let url: Url = text.parse().map_err(|_| InvalidAddress::Form)?;
    let name = host.split(':').next().unwrap_or_default();
    match url.host_str() {
        None | Some("") => return Err(InvalidAddress::Form),
        Some(read) if address.is_empty() && read != name.to_ascii_lowercase() => {
            return Err(InvalidAddress::Host(read.to_owned()));
        }
        Some(_) => {}
    }
    let path = path.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let is_dots =
        |segment: &str| segment.contains("%2e") && segment.replace("%2e", ".").chars().all(|c| c == '.');
    if path.split('/').any(is_dots) { Err(InvalidAddress::Dots) } else { Ok(url) }
}

fn is_ours(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_everybody_reads_alike() {
        for text in [
            "https://repo.example.com/maven2/",
            "https://repo.example.com",
            "HTTP://Repo.Example.com:8081/a%20b/c?d=e|f#g",
            "http://me:p%40ss!$&'()*+,;=w@[::1]:80/x",
            "http://[::1]",
            "http://me%40and@h:/a;b/../c",
            "http://10.0.0.1/a//b/",
            "http://h?x",
            "http://h/\"<é>",
            "http://h/x?%2e%2e/",
            "http://a?b@h/",
        ] {
            let url = read_address(text).unwrap();
            assert_eq!(url, text.parse().unwrap(), "{text}");
        }
    }

    #[test]
    fn what_not_everybody_reads_alike() {
        let said = |text: &str| {
            read_address(text).map_or_else(|error| error.to_string(), |url| format!("READ AS {url}"))
        };
        let rows: Vec<String> = [
            "",
            "h",
            "ftp://h/",
            "http:a/",
            "http:/a/",
            "https:////a/",
            "https:///a/",
            "http://",
            "http://:80/",
            "http://me@/",
            " http://h/",
            "http://h/ ",
            "ht\ntp://h/",
            "http://h/a\tb",
            "http://a\\@b/",
            "http://h\\x",
            "http://me@and@h/",
            "http://me:p@w@h/",
            "http:///host/",
            "http://h/{a,b}",
            "http://h/[1-3]",
            "http://[::1/",
            "http://::1/",
            "http://h[/",
            "http://h]/",
            "http://ä.example/",
            "http://ex%61mple/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://127.1/",
            "http://h:99999/",
            "http://h:8a/",
            "http://h/%2e%2e/x",
            "http://h/a/.%2E",
            "http://h/%2e",
            "http://h/%2e%2e%2e/x",
            "http://u:p#w@h/",
            "http://%68/",
        ]
        .iter()
        .map(|text| format!("{text:?} {}", said(text)))
        .collect();
        insta::assert_snapshot!(rows.join("\n"));
    }
}
