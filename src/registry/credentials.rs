//! Docker's `config.json`: whom to be at which registry.
//!
//! Keys of `auths` come in every form that tools have written over the years: a host, `https://host`, `host/v1/`,
//! `host/v2/`, `host/organisation`. The longest path that leads to the repository wins (containers-auth.json(5)).
//! `index.docker.io`, `registry-1.docker.io` and `docker.io` are one registry. Credential helpers are programs, and
//! nothing is run here; where a helper would have been asked, the error of the registry says so.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::redact::Secret;

/// A way to authenticate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// User and password, for Basic authentication and for token servers.
    Basic {
        /// The user.
        user: String,
        /// The password or access token.
        password: Secret,
    },
    /// An `OAuth2` refresh token (`identitytoken`).
    Identity(Secret),
    /// A bearer token to send as it is (`registrytoken`).
    Bearer(Secret),
}

/// A docker config, parsed.
#[derive(Debug, Clone, Default)]
pub struct DockerConfig {
    /// For every registry, whatever else is said.
    everywhere: Option<Credentials>,
    /// Host, then path (possibly empty), to credentials.
    entries: Vec<Entry>,
    /// Hosts with a helper of their own, or all with the general one.
    helpers: BTreeMap<String, String>,
    store: Option<String>,
    /// Hosts whose entry cannot be read.
    unreadable: Vec<String>,
}

#[derive(Debug, Clone)]
struct Entry {
    host: String,
    path: String,
    credentials: Credentials,
}

/// A docker config that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidConfig {
    /// Not JSON, or not the JSON of a docker config.
    #[error("it is not a docker config: {0}")]
    Syntax(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    auths: Option<BTreeMap<String, Option<Auth>>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct Auth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl DockerConfig {
    /// Reads the text of a config file.
    pub fn parse(text: &str) -> Result<Self, InvalidConfig> {
        // serde_json's message would quote the offending value, which may be a password.
        let text = if text.trim().is_empty() { "{}" } else { text };
        let file: File = serde_json::from_str(text)
            .map_err(|e| InvalidConfig::Syntax(format!("line {}, column {}", e.line(), e.column())))?;
        let (mut entries, mut unreadable) = (Vec::new(), Vec::new());
        for (key, auth) in file.auths.unwrap_or_default() {
            let (host, path) = split_key(&key);
            match auth.map_or(Ok(None), Auth::credentials) {
                Ok(Some(credentials)) => entries.push(Entry { host, path, credentials }),
                Ok(None) => {}
                // It may be somebody else's; whoever needs it hears of it.
                Err(NotReadable) => unreadable.push(host),
            }
        }
        let helpers = file.cred_helpers.unwrap_or_default();
        let helpers = helpers.into_iter().map(|(key, helper)| (split_key(&key).0, helper)).collect();
        Ok(Self {
            everywhere: None,
            entries,
            helpers,
            store: file.creds_store.filter(|store| !store.is_empty()),
            unreadable,
        })
    }

    /// The same credentials for every registry.
    #[must_use]
    pub fn everywhere(credentials: Credentials) -> Self {
        Self { everywhere: Some(credentials), ..Self::default() }
    }

    /// Credentials for one registry.
    #[must_use]
    pub fn at(host: &str, credentials: Credentials) -> Self {
        let entry = Entry { host: canonical_host(host), path: String::new(), credentials };
        Self { entries: vec![entry], ..Self::default() }
    }

    /// This, and what `fallback` has for other registries and paths.
    #[must_use]
    pub fn or(mut self, fallback: Self) -> Self {
        // Of two for one path the last is taken.
        self.entries.splice(0..0, fallback.entries);
        self.everywhere = self.everywhere.or(fallback.everywhere);
        self.store = self.store.or(fallback.store);
        self.unreadable.extend(fallback.unreadable);
        for (host, helper) in fallback.helpers {
            self.helpers.entry(host).or_insert(helper);
        }
        self
    }

    /// Whether nobody has said anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.everywhere.is_none()
            && self.entries.is_empty()
            && self.helpers.is_empty()
            && self.store.is_none()
    }

    /// Credentials for one repository, and a hint for the case that they do not do.
    pub fn lookup(&self, host: &str, repository: &str) -> (Option<Credentials>, Option<String>) {
        if let Some(credentials) = &self.everywhere {
            return (Some(credentials.clone()), None);
        }
        let host = canonical_host(host);
        let found = (self.entries.iter())
            .filter(|entry| entry.host == host && covers(&entry.path, repository))
            .max_by_key(|entry| entry.path.len());
        if found.is_none() && self.unreadable.contains(&host) {
            let hint =
                format!("the `auth` of `{host}` in the docker config is not `user:password` in Base64");
            return (None, Some(hint));
        }
        let helper = self.helpers.get(&host).or(self.store.as_ref()).filter(|_| found.is_none());
        let hint = helper.map(|helper| {
            format!(
                "the docker config leaves `{host}` to the credential helper `{helper}`, which connect-build does not \
                 run: put a user and password, or a token, into the `auths` of the config"
            )
        });
        (found.map(|entry| entry.credentials.clone()), hint)
    }
}

/// An `auth` that is not Base64 of `user:password`.
struct NotReadable;

impl Auth {
    fn credentials(self) -> Result<Option<Credentials>, NotReadable> {
        if let Some(token) = self.identitytoken.filter(|token| !token.is_empty()) {
            return Ok(Some(Credentials::Identity(Secret::new(token))));
        }
        if let Some(token) = self.registrytoken.filter(|token| !token.is_empty()) {
            return Ok(Some(Credentials::Bearer(Secret::new(token))));
        }
        if let Some(auth) = self.auth.filter(|auth| !auth.is_empty()) {
            let bytes = STANDARD.decode(auth.trim()).map_err(|_| NotReadable)?;
            let text = String::from_utf8(bytes).map_err(|_| NotReadable)?;
            let (user, password) = text.split_once(':').ok_or(NotReadable)?;
            // Docker pads the password with NULs.
            let password = Secret::new(password.trim_end_matches('\0'));
            return Ok(Some(Credentials::Basic { user: user.to_owned(), password }));
        }
        match (self.username, self.password) {
            (Some(user), Some(password)) => {
                Ok(Some(Credentials::Basic { user, password: Secret::new(password) }))
            }
            // An empty entry means that a helper has them, or nobody.
            _ => Ok(None),
        }
    }
}

/// Host and path of a key of `auths`.
fn split_key(key: &str) -> (String, String) {
    let key = key.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let (host, path) = key.split_once('/').unwrap_or((key, ""));
    let path = if matches!(path, "v1" | "v2") { "" } else { path };
    (canonical_host(host), path.to_owned())
}

fn canonical_host(host: &str) -> String {
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".into(),
        other => other.to_ascii_lowercase(),
    }
}

/// Whether `path` is `repository` or leads to it.
fn covers(path: &str, repository: &str) -> bool {
    let rest = repository.strip_prefix(path);
    path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
