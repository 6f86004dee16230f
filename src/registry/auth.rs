//! Authentication: challenges, Basic, and bearer tokens (distribution's "Token Authentication Specification").

use std::collections::HashMap;
use std::fmt;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::answer::{read_failure, read_limited};
use super::credentials::Credentials;
use super::error::Cause;
use crate::http::HttpError;
use crate::redact::{Mask, Secret, basic};

/// A token's life where its server does not say (the specification's default).
const DEFAULT_LIFE: Duration = Duration::from_mins(1);
/// A token that is about to end is replaced this long before.
const MARGIN: Duration = Duration::from_secs(5);

/// No token is kept longer, in seconds.
const LONGEST_LIFE: f64 = 3_600.0;
/// The largest answer of a token server, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// What is wanted of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Access {
    Pull,
    PullPush,
}

/// The scopes of a token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Scope(Vec<String>);

impl Scope {
    pub(super) fn of(repository: &str, access: Access) -> Self {
        let actions = match access {
            Access::Pull => "pull",
            Access::PullPush => "pull,push",
        };
        Self(vec![format!("repository:{repository}:{actions}")])
    }

    /// Adds the right to read another repository. The first scope stays first: some registries look at no other.
    pub(super) fn and_read(mut self, repository: &str) -> Self {
        self.0.push(format!("repository:{repository}:pull"));
        self
    }
}

/// What a registry asks of those who come without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Nothing.
    None,
    /// User and password with each request.
    Basic,
    /// A token of this server.
    Bearer { realm: Url, service: Option<String> },
}

/// Gets and keeps tokens for one registry.
pub(super) struct Authenticator {
    client: Client,
    credentials: Option<Credentials>,
    tokens: Mutex<HashMap<Scope, Token>>,
    /// Hides what was said, tokens that are forgotten included.
    said: std::sync::Mutex<Mask>,
}

struct Token {
    value: Secret,
    good_until: Instant,
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

impl Authenticator {
    /// `said` hides what is said beside the credentials.
    pub(super) fn new(client: Client, credentials: Option<Credentials>, said: Mask) -> Self {
        let said = said.with(match &credentials {
            Some(Credentials::Basic { user, password }) => {
                password.mask().and(basic(user, password.expose()))
            }
            Some(Credentials::Identity(token) | Credentials::Bearer(token)) => token.mask(),
            None => Mask::default(),
        });
        Self { client, credentials, tokens: Mutex::default(), said: std::sync::Mutex::new(said) }
    }

    /// Whether the docker config had anything for this registry.
    pub(super) fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    /// What hides everything that the registry, its token server or a proxy may have been sent, from the beginning on.
    pub(super) fn mask(&self) -> Mask {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds what `challenge` wants to a request.
    pub(super) async fn authorize(
        &self,
        request: RequestBuilder,
        challenge: &Challenge,
        scope: &Scope,
    ) -> Result<RequestBuilder, Cause> {
        Ok(match (challenge, &self.credentials) {
            (_, Some(Credentials::Bearer(token))) => request.bearer_auth(token.expose()),
            (Challenge::Basic, Some(Credentials::Basic { user, password })) => {
                request.basic_auth(user, Some(password.expose()))
            }
            (Challenge::Bearer { realm, service }, _) => {
                let token = self.token(realm, service.as_deref(), scope).await?;
                request.bearer_auth(token.expose())
            }
            (Challenge::None | Challenge::Basic, _) => request,
        })
    }

    /// Forgets the token of `scope`, which was refused.
    pub(super) async fn forget(&self, scope: &Scope) {
        self.tokens.lock().await.remove(scope);
    }

    async fn token(&self, realm: &Url, service: Option<&str>, scope: &Scope) -> Result<Secret, Cause> {
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(scope).filter(|token| token.good_until > Instant::now()) {
            return Ok(token.value.clone());
        }
        let token = self.request_token(realm, service, scope).await?;
        let value = token.value.clone();
        tokens.insert(scope.clone(), token);
        Ok(value)
    }

    async fn request_token(&self, realm: &Url, service: Option<&str>, scope: &Scope) -> Result<Token, Cause> {
        let request = match &self.credentials {
            Some(Credentials::Identity(token)) => {
                let scopes = scope.0.join(" ");
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.append_pair("grant_type", "refresh_token")
                    .append_pair("service", service.unwrap_or_default())
                    .append_pair("client_id", "connect-build")
                    .append_pair("scope", &scopes)
                    .append_pair("refresh_token", token.expose());
                (self.client.post(realm.clone()))
                    .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form.finish())
            }
            credentials => {
                let mut url = realm.clone();
                url.query_pairs_mut()
                    .extend_pairs(service.map(|service| ("service", service)))
                    .extend_pairs(scope.0.iter().map(|scope| ("scope", scope)));
                let request = self.client.get(url);
                match credentials {
                    Some(Credentials::Basic { user, password }) => {
                        request.basic_auth(user, Some(password.expose()))
                    }
                    _ => request,
                }
            }
        };
        let http = |error: reqwest::Error| Cause::Http(HttpError::new(realm, &error));
        let response = request.timeout(crate::http::STALL_TIMEOUT).send().await.map_err(http)?;
        if !response.status().is_success() {
            let server = realm.host_str().unwrap_or_default().to_owned();
            let answer = Box::new(read_failure(response, self.mask()).await);
            return Err(Cause::Token { server, answer });
        }
        let bytes = read_limited(response, MAX_ANSWER, "the token server's answer").await?;
        let answer: TokenAnswer = serde_json::from_slice(&bytes)
            .map_err(|_| Cause::Protocol("the token server's answer holds no token".into()))?;
        let value = (answer.token.or(answer.access_token))
            .ok_or_else(|| Cause::Protocol("the token server's answer holds no token".into()))?;
        // Whatever stands there: a number too large for a clock, or no number at all.
        let life =
            answer.expires_in.as_ref().and_then(serde_json::Value::as_f64).filter(|seconds| *seconds >= 0.0);
        let life = life.map_or(DEFAULT_LIFE, |seconds| Duration::from_secs_f64(seconds.min(LONGEST_LIFE)));
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        *said = std::mem::take(&mut *said).and(&value);
        Ok(Token { value: Secret::new(value), good_until: Instant::now() + life.saturating_sub(MARGIN) })
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<serde_json::Value>,
}

impl Challenge {
    /// The challenge of a 401 that was answered to `base`. Bearer is preferred where both are offered.
    /// Who lets a registry speak plain http (`lenient`) lets its token server, too.
    pub(super) fn parse(headers: &HeaderMap, base: &Url, lenient: bool) -> Result<Self, Cause> {
        let offers = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let mut found = Self::None;
        for offer in offers {
            let (scheme, parameters) = offer.split_once(' ').unwrap_or((offer, ""));
            if scheme.eq_ignore_ascii_case("bearer") {
                let realm = parameter(parameters, "realm").unwrap_or_default();
                let mut realm = base.join(&realm).map_err(|_| {
                    Cause::Protocol(format!(
                        "its token server `{}` is not a URL",
                        crate::redact::shown_url(&realm)
                    ))
                })?;
                // Credentials that came over TLS stay under TLS. Behind something that ends it a registry may not know that it is
                // spoken in front (Harbor's `external_url`), and the token server is there, too.
                if base.scheme() == "https" && realm.scheme() == "http" && realm.host() == base.host() {
                    // Neither can fail for these schemes.
                    let _ = realm.set_scheme("https");
                    let _ = realm.set_port(base.port());
                }
                if base.scheme() == "https" && realm.scheme() != "https" && !lenient {
                    return Err(Cause::Protocol(format!(
                        "it names a token server that does not speak https, `{}` (who trusts it all the same gives \
                         `--insecure-registry`)",
                        crate::http::host_of(&realm)
                    )));
                }
                return Ok(Self::Bearer { realm, service: parameter(parameters, "service") });
            }
            if scheme.eq_ignore_ascii_case("basic") {
                found = Self::Basic;
            }
        }
        Ok(found)
    }
}

/// The value of `name` in `name="value",other=value` (RFC 9110, section 11.2).
fn parameter(parameters: &str, name: &str) -> Option<String> {
    let mut rest = parameters;
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.trim_start_matches([',', ' ']).trim();
        let (value, remaining) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value.to_owned());
        }
        rest = remaining;
    }
    None
}

#[cfg(test)]
mod tests;
