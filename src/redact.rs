//! Values that may be used but never shown: passwords and tokens, and URLs that may carry them.
//!
//! A [`Secret`] shows `***` in `Debug` and has no `Display`. A [`SafeUrl`] shows its URL without user
//! information and with the values of query parameters that look like credentials (signed URLs) masked.

use std::fmt;

use url::Url;

/// A value whose text never reaches a log, an error or a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
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

/// Words that mark a query parameter as a credential.
const SECRET_WORDS: [&str; 8] = ["auth", "credential", "key", "passw", "secret", "sig", "token", "x-amz-"];

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
        if let Some(query) = self.0.query() {
            shown.set_query(Some(&masked_query(query)));
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

fn masked_query(query: &str) -> String {
    let masked: Vec<String> = (query.split('&'))
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if looks_secret(name) => format!("{name}=***"),
            _ => pair.to_owned(),
        })
        .collect();
    masked.join("&")
}

fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
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
            (
                "https://h/a?v=1&X-Amz-Signature=abc&access_token=t#frag",
                "https://h/a?v=1&X-Amz-Signature=***&access_token=***",
            ),
        ] {
            assert_eq!(SafeUrl::new(url.parse().unwrap()).to_string(), shown);
        }
    }
}
