//! What registries answer when they do not do what was asked, and what to do about it.

use std::io;
use std::time::Duration;

use reqwest::StatusCode;

use super::Registry;
use crate::blob::BlobError;
use crate::digest::Digest;
use crate::error::{Diagnose, Reason};
use crate::http::HttpError;

/// Something was asked of a registry in vain.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} at `{host}`")]
pub struct RegistryError {
    /// What was being done: "push the blob …".
    pub doing: String,
    /// The registry.
    pub host: String,
    /// Why it failed.
    pub source: Cause,
    /// Whether the registry was asked with credentials.
    pub with_credentials: bool,
    /// What the docker config has to say about it.
    pub credentials_hint: Option<String>,
}

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The request did not get through, or its answer not back.
    #[error(transparent)]
    Http(HttpError),
    /// The registry's own words (OCI distribution-spec, "Error Codes").
    #[error("the registry answered {status} {code}{}", .message.as_deref().map(|m| format!(": {m}")).unwrap_or_default())]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// `DENIED`, `UNAUTHORIZED`, …
        code: String,
        /// For people.
        message: Option<String>,
    },
    /// The token server did not give a token.
    #[error("the token server `{server}` gave no token: {answer}")]
    Token {
        /// The token server.
        server: String,
        /// What it answered.
        answer: Box<Cause>,
    },
    /// It did not keep to the protocol.
    #[error("the registry does not keep to the protocol: {0}")]
    Protocol(String),
    /// A manifest has other content than what its name says.
    #[error("the content has the digest {actual} instead of {expected}")]
    Digest {
        /// What was asked for.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// A blob did not come as promised from where it is.
    #[error(transparent)]
    Blob(BlobError),
    /// A file of ours could not be read for the upload, or a layer was not finished.
    #[error("a layer cannot be read back")]
    Read(#[source] io::Error),
}

impl Cause {
    /// The HTTP status, where there is one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Http(error) => error.status_code(),
            Self::Refused { status, .. } => Some(*status),
            Self::Token { answer, .. } => answer.status(),
            _ => None,
        }
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Http(error) => error.is_transient(),
            // Another try may meet a healthier replica, or intact content.
            Self::Digest { .. } | Self::Blob(BlobError::Digest { .. } | BlobError::Size { .. }) => true,
            Self::Blob(BlobError::Http(error)) => error.is_transient(),
            Self::Token { answer, .. } => answer.is_transient(),
            Self::Refused { .. } | Self::Protocol(_) | Self::Read(_) | Self::Blob(_) => false,
        }
    }
}

impl RegistryError {
    pub(super) fn new(registry: &Registry, doing: String, source: Cause) -> Self {
        Self {
            doing,
            host: registry.host.clone(),
            source,
            with_credentials: registry.authenticator.has_credentials(),
            credentials_hint: registry.credentials_hint.clone(),
        }
    }

    /// Whether the registry simply does not have it.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.source.status() == Some(StatusCode::NOT_FOUND)
    }

    fn is_push(&self) -> bool {
        self.doing.contains("push")
    }

    fn status_hint(&self, status: u16) -> Option<String> {
        let host = &self.host;
        Some(match status {
            401 | 403 if self.credentials_hint.is_some() => return self.credentials_hint.clone(),
            401 if !self.with_credentials => format!(
                "no credentials for `{host}` were given: name a docker config that has some with `--auth-file FILE`, \
                 or mount a pull or push secret"
            ),
            401 => format!("`{host}` does not accept the user and password of the docker config"),
            403 if self.is_push() && self.with_credentials => {
                "the credentials may read but not write here: check the user's rights, that the repository exists, \
                 and that its tags may be overwritten"
                    .into()
            }
            403 if !self.with_credentials => {
                format!("access is denied without credentials: name a docker config for `{host}` with `--auth-file FILE`")
            }
            403 => "the user of the docker config may not do this: check its rights, and that the repository exists".into(),
            404 if self.doing.starts_with("read back") => {
                "the registry accepted the manifest and does not have it: it may be a cache in front of another one".into()
            }
            404 if self.is_push() => "check the repository's name: this registry may want it created first".into(),
            404 => "check the image's name and tag".into(),
            405 | 409 if self.doing.contains("push the manifest") => "the registry may forbid overwriting this tag: use another one".into(),
            413 => "a proxy in front of the registry limits the size of requests: raise it (nginx: `client_max_body_size 0`)".into(),
            429 if host == "docker.io" => {
                "Docker Hub limits pulls: give credentials with `--auth-file FILE`, or use a copy of the image in your own \
                 registry"
                    .into()
            }
            429 => "the registry limits the rate of requests: try later, or give credentials".into(),
            507 => "the registry has no space left".into(),
            _ => return None,
        })
    }
}

impl Diagnose for RegistryError {
    fn reason(&self) -> Reason {
        match self.source.status().map(|status| status.as_u16()) {
            Some(401 | 403) => Reason::RegistryDenied,
            _ if matches!(self.source, Cause::Read(_)) => Reason::WorkspaceFailed,
            _ if self.is_push() => Reason::PushFailed,
            _ => Reason::BaseImageFailed,
        }
    }

    fn hint(&self) -> Option<String> {
        let host = &self.host;
        if let Some(status) = self.source.status()
            && let Some(hint) = self.status_hint(status.as_u16())
        {
            return Some(hint);
        }
        // nginx answers with a page, Go and OpenSSL end the handshake.
        let words = self.source.to_string();
        if words.contains("SSL certificate was sent") || words.contains("CertificateRequired") {
            return Some(format!(
                "`{host}` wants to know who asks by a certificate: give one with `--registry-client-cert {host}=CERT,KEY`"
            ));
        }
        match &self.source {
            Cause::Http(HttpError::InvalidCertificate { .. }) => Some(format!(
                "have the registry's certificate renewed, or accept any certificate with `--insecure-registry {host}`"
            )),
            Cause::Http(HttpError::UnknownAuthority { .. }) => Some(format!(
                "give the registry's certificate authority with `--registry-ca {host}=FILE`, or accept any certificate \
                 with `--insecure-registry {host}`"
            )),
            Cause::Http(HttpError::Tls { .. }) => {
                Some(format!("if the registry speaks plain http, say so with `--plain-http-registry {host}`"))
            }
            Cause::Http(error) => error.hint(),
            _ => None,
        }
    }

    fn is_transient(&self) -> bool {
        self.source.is_transient()
    }

    fn retry_after(&self) -> Option<Duration> {
        match &self.source {
            Cause::Http(error) => error.retry_after(),
            _ => None,
        }
    }
}
