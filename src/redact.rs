//! Values that may be used but never shown: passwords and tokens, and URLs that may carry them.
//!
//! A [`Secret`] shows `***` in `Debug` and has no `Display`. A [`SafeUrl`] shows its URL without user
//! information and without its query: signed URLs carry their credentials there, under a hundred names.

mod mask;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::Url;

pub use self::mask::Mask;

/// A value whose text never reaches a log, an error or a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What hides it.
    #[must_use]
    pub fn mask(&self) -> Mask {
        Mask::default().and(&self.0)
    }

    /// What hides it as the value of a header: the whole, and what of it may be a secret by itself, as the token of
    /// `Bearer <token>`, the password of `Basic <base64>`, the cookies of `a=<session>; b=<token>`.
    #[must_use]
    pub fn mask_of_header(&self) -> Mask {
        let is_scheme = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let (scheme, credentials) =
            self.0.split_once(' ').filter(|(word, _)| is_scheme(word)).unwrap_or(("", &self.0));
        let mut mask = self.mask().and_word(credentials);
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(pair) = STANDARD.decode(credentials)
        {
            let pair = String::from_utf8_lossy(&pair);
            let (user, password) = pair.split_once(':').unwrap_or_default();
            mask = mask.and(&*pair).and(password).and_word(user);
        }
        credentials.split([' ', ';', ',', '=']).fold(mask, Mask::and_word)
    }

    /// The text itself, for the request that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// User and password as Basic authentication sends them (RFC 7617).
#[must_use]
pub fn basic(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

/// A URL that is safe to print.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SafeUrl(Url);

impl SafeUrl {
    /// Wraps `url`.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self(url)
    }

    /// The URL as it goes on the wire, credentials included.
    #[must_use]
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        if !shown.username().is_empty() || shown.password().is_some() {
            // Both fail only for URLs without a host, which have no user information either.
            let _ = shown.set_username("***");
            let _ = shown.set_password(None);
        }
        if shown.query().is_some() {
            shown.set_query(Some("***"));
        }
        shown.set_fragment(None);
        fmt::Display::fmt(&shown, f)
    }
}

impl fmt::Debug for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A URL as somebody wrote it, perhaps not a valid one, without what may be secret in it.
#[must_use]
pub fn shown_url(text: &str) -> String {
    let (text, _) = text.split_once('#').unwrap_or((text, ""));
    let (address, query) = text.split_once('?').map_or((text, ""), |(address, _)| (address, "?***"));
    // Everything up to the last @ of what could be the authority; an unlawful URL may have odd ones.
    let start = address.find("://").map_or(0, |at| at + 3);
    match address[start..].rfind('@') {
        Some(at) => format!("{}***{}{query}", &address[..start], &address[start + at..]),
        None => format!("{address}{query}"),
    }
}

/// A text without what may be secret in the URLs that stand in it.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '<' | '>' | '`');
    let shown = |word: &str| {
        let end = word.find(is_end).unwrap_or(word.len());
        let (url, rest) = word.split_at(end);
        if url.contains("://") { shown_url(url) + rest } else { word.to_owned() }
    };
    // A password may hold what ends a word: of each line all is masked from a scheme to the last `@` before the next one.
    let line = |line: &str| {
        let mut parts = line.split("://");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| match part.rfind('@') {
            Some(at) => text + "://***" + &part[at..],
            None => text + "://" + part,
        })
    };
    let text: String = text.split_inclusive('\n').map(line).collect();
    text.split_inclusive(is_end).map(shown).collect()
}

impl SafeUrl {
    /// What hides this URL's secrets: as they are sent, in a header of Basic authentication, and as they are meant.
    #[must_use]
    pub fn mask(&self) -> Mask {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = (decoded(self.0.username()), decoded(self.0.password().unwrap_or_default()));
        let mut mask = Mask::default().and(&password);
        if !user.is_empty() || !password.is_empty() {
            mask = mask.and(basic(&user, &password));
        }
        // A token may stand in the user's place.
        let mask = mask.and_word(user).and_word(self.0.query().unwrap_or_default());
        let written = self.0.query().into_iter().flat_map(|query| query.split('&'));
        let mask = written
            .filter_map(|pair| pair.split_once('='))
            .fold(mask, |mask, (_, value)| mask.and_word(value));
        self.0.query_pairs().fold(mask, |mask, (_, value)| mask.and_word(value))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
        for (url, shown) in [
            ("https://host/a.jar", "https://host/a.jar"),
            ("https://joe:hunter2@host/a.jar", "https://***@host/a.jar"),
            ("https://token@host/a.jar", "https://***@host/a.jar"),
            ("https://h/a?v=1&X-Amz-Signature=abc#frag", "https://h/a?***"),
            ("https://h/a?SECRET", "https://h/a?***"),
        ] {
            assert_eq!(SafeUrl::new(url.parse().unwrap()).to_string(), shown);
            assert_eq!(shown_url(url), shown);
        }
        assert_eq!(shown_url("https://joe:hun/ter$2@h/x y?t=1"), "https://***@h/x y?***");
        assert_eq!(
            without_secrets("ARG x=http://joe:hunter2@h 'https://h/a?t=1' <url>https://me@h/</url> plain?x"),
            "ARG x=http://***@h 'https://h/a?***' <url>https://***@h/</url> plain?x"
        );
        let url = SafeUrl::new("https://joey:hunter2@h/a?t=SECRET&v=1".parse().unwrap());
        let said = "denied for /a?t=SECRET&v=1 (joey, hunter2), t=SECRET, v1";
        assert_eq!(url.mask().apply(said), "denied for /a?*** (***, ***), t=***, v1");
        // A server may repeat the header, too.
        assert_eq!(url.mask().apply("you sent Basic am9leTpodW50ZXIy"), "you sent Basic ***");
        let encoded = SafeUrl::new("https://me:hu%2Fnter@h/a".parse().unwrap());
        assert_eq!(
            encoded.mask().apply("some Basic bWU6aHUvbnRlcg== of hu/nter, hu%2fnter"),
            "some Basic *** of ***, ***"
        );
        for (header, said, shown) in [
            ("Bearer tok.en", "Bearer tok.en or tok.en, Bearer", "*** or ***, Bearer"),
            ("Basic bWU6c2VjcmV0", "bWU6c2VjcmV0 is me:secret, secret", "*** is ***, ***"),
            ("a=session1; b=token2", "session1, token2, a", "***, ***, a"),
            ("single", "single", "***"),
        ] {
            assert_eq!(Secret::new(header).mask_of_header().apply(said), shown);
        }
        // A password with what ends a word, in a text that is no URL any more.
        for text in [
            "'https://u:P'\"'\"'REPOPW@r.example/x'",
            "https://u:REPO PW@r.example/x",
            "x http://u:p'w@p:1 y",
        ] {
            let shown = without_secrets(text);
            assert!(!shown.contains("PW") && !shown.contains("p'w"), "{shown}");
        }
    }
}
