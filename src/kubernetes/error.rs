//! What an API server answers when it does not do what it was asked.

use std::error::Error as StdError;
use std::time::Duration;

use crate::error::{Diagnose, Reason};

/// The API server refused, or was not there.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// Nobody says where an API server is.
    #[error("no Kubernetes API server is known: {0}")]
    Config(String),
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

    pub(super) fn new(doing: &str, error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => {
                let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
                let said = if status.message.is_empty() { &status.reason } else { &status.message };
                let message = crate::path::plain(said.trim()).into_owned();
                let retry_after = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
                Self::Refused { doing: doing.to_owned(), code: status.code, message, retry_after }
            }
            // What the layers below say is enough.
            kube::Error::Service(error) => Self::request(doing, &*error),
            other => Self::request(doing, &other),
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
        Reason::KubernetesFailed
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
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
                "check kind, name and namespace (`-n`), and that the custom resource definition is installed"
            }
            Self::Refused { .. } => return None,
        };
        Some(hint.into())
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Config(_) => false,
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
