//! What an API server answers when it does not do what it was asked.

use std::error::Error as StdError;
use std::time::Duration;

use serde_json::Value;

use crate::error::{Diagnose, Reason};
use crate::path::plain;

/// The API server refused, or was not there.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// Nobody says where an API server is.
    #[error("no Kubernetes API server is known: {0}")]
    Config(String),
    /// No name that an object can have.
    #[error("`{0}` cannot be the name of an object of Kubernetes")]
    Name(String),
    /// It cannot be reached, or broke off.
    #[error("cannot {doing}: the Kubernetes API does not answer: {detail}")]
    Unreachable {
        /// `read …`, `write …`.
        doing: String,
        /// Why.
        detail: String,
    },
    /// It said no.
    #[error("cannot {doing}: {message} (HTTP {code})")]
    Refused {
        /// `read …`, `write …`.
        doing: String,
        /// The status code.
        code: u16,
        /// The server's own words.
        message: String,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
}

impl KubernetesError {
    pub(super) fn config(error: &dyn StdError) -> Self {
        Self::Config(chain(error))
    }

    pub(super) fn client(error: &kube::Error) -> Self {
        Self::Config(chain(error))
    }

    pub(super) fn request(doing: &str, error: &dyn StdError) -> Self {
        Self::Unreachable { doing: doing.to_owned(), detail: chain(error) }
    }

    pub(super) fn late(doing: &str, after: Duration) -> Self {
        let detail = format!("no answer within {} s", after.as_secs());
        Self::Unreachable { doing: doing.to_owned(), detail }
    }

    pub(super) fn unreachable(doing: &str, error: &kube::Error) -> Self {
        match error {
            // What the layers below say is enough.
            kube::Error::Service(error) => Self::request(doing, &**error),
            other => Self::request(doing, other),
        }
    }

    /// `body` is a `metav1.Status`, or what a proxy or a path that does not exist has to say.
    pub(super) fn refused(doing: &str, head: &http::response::Parts, body: &[u8]) -> Self {
        let status: Value = serde_json::from_slice(body).unwrap_or_default();
        let words = ["message", "reason"].iter().filter_map(|field| status[*field].as_str());
        let words = words.map(str::trim).find(|words| !words.is_empty());
        let message =
            words.map_or_else(|| crate::path::shown(body.trim_ascii()), |words| plain(words).into_owned());
        let header = head.headers.get("Retry-After").and_then(|value| value.to_str().ok()?.parse().ok());
        let seconds = status["details"]["retryAfterSeconds"].as_u64().or(header);
        Self::Refused {
            doing: doing.to_owned(),
            code: head.status.as_u16(),
            message,
            retry_after: seconds.map(Duration::from_secs),
        }
    }

    /// The code of the answer; nothing where there was none.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether other credentials would help.
    pub(super) fn is_unauthorized(&self) -> bool {
        self.code() == Some(401)
    }
}

/// An error and its causes in one line, without those that only repeat.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    text
}

impl Diagnose for KubernetesError {
    fn reason(&self) -> Reason {
        match self {
            Self::Name(_) => Reason::InvalidResource,
            _ => Reason::KubernetesFailed,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Name(_) => "names have small letters, digits, `-` and `.`",
            Self::Config(_) => {
                "in a pod, mount the token of its service account; elsewhere give a kubeconfig with `--kubeconfig FILE` or \
                 KUBECONFIG"
            }
            Self::Unreachable { .. } => {
                "check that the pod may reach the API server (NetworkPolicy), and that it runs"
            }
            Self::Refused { code: 401, .. } => {
                "the token is not valid, or no longer: check the service account's token, or log in again"
            }
            Self::Refused { code: 403, .. } => {
                "the service account lacks the right: the chart's Role has what a build needs, by the names of its resources"
            }
            Self::Refused { code: 404, .. } => {
                "check the name and the namespace (`-n`); where the kind is not known, its custom resource definition is not installed"
            }
            Self::Refused { .. } => return None,
        };
        Some(hint.into())
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Config(_) | Self::Name(_) => false,
            Self::Unreachable { .. } => true,
            // 401 too: the next try is made with what the disk holds by then.
            Self::Refused { code, .. } => matches!(code, 401 | 408 | 429 | 500 | 502..=504),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
