//! Answers of registries and token servers: small bodies, failures, transfers that break off.

use std::sync::Mutex;

use reqwest::{Response, StatusCode};
use serde::Deserialize;
use url::Url;

use super::error::Cause;
use crate::http::{HttpError, STALL_TIMEOUT};
use crate::redact::Mask;

/// Bytes of an error body that are read: some registries answer with whole pages.
const ERROR_BODY: usize = 64 << 10;

#[derive(Deserialize)]
struct ErrorBody {
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    #[serde(default)]
    code: String,
    message: Option<String>,
}

/// The cause that an unsuccessful answer tells, without what `mask` hides.
pub(super) async fn read_failure(mut response: Response, mask: Mask) -> Cause {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while body.len() < ERROR_BODY
        && let Ok(Ok(Some(bytes))) = tokio::time::timeout(STALL_TIMEOUT, response.chunk()).await
    {
        body.extend_from_slice(&bytes[..bytes.len().min(ERROR_BODY - body.len())]);
    }
    let mask = mask.with(of_query(response.url()));
    let told =
        serde_json::from_slice::<ErrorBody>(&body).ok().and_then(|body| body.errors.into_iter().next());
    // What was in JSON is masked when it is out of it.
    let shown = |text: &str| crate::path::shown(mask.apply(text).as_bytes());
    match told {
        Some(entry) if !entry.code.is_empty() && !says_more(status) => {
            Cause::Refused { status, code: shown(&entry.code), message: entry.message.as_deref().map(shown) }
        }
        _ => Cause::Http(HttpError::status(status, &headers, &body, &mask)),
    }
}

/// What hides what only a server and we know: values of a query that no specification names, as those of an upload's
/// `Location` or of a token server's address.
fn of_query(url: &Url) -> Mask {
    const KNOWN: [&str; 8] = ["account", "digest", "from", "last", "mount", "n", "scope", "service"];
    let secret = url.query_pairs().filter(|(name, _)| !KNOWN.contains(&&**name));
    secret.fold(Mask::default(), |mask, (_, value)| mask.and_word(value))
}

/// A status that says more by itself than the entry does keeps its own handling: 429 may carry Retry-After, and a redirect's
/// words repeat where it leads.
fn says_more(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() || status.is_redirection()
}

/// The whole body of an answer that is expected to be small; `what` names it when it is not.
pub(super) async fn read_limited(mut response: Response, limit: usize, what: &str) -> Result<Vec<u8>, Cause> {
    let url = response.url().clone();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transfer_error(&url, &error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limit {
            return Err(Cause::Protocol(format!("{what} is larger than {} MiB", limit >> 20)));
        }
    }
    Ok(bytes)
}

/// Names reqwest's error; one that our own request body raised comes back inside it.
pub(super) fn transfer_error(url: &Url, error: &reqwest::Error) -> Cause {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if let Some(failure) = cause.downcast_ref::<BodyFailure>() {
            return failure.take();
        }
        source = cause.source();
    }
    Cause::Http(HttpError::new(url, error))
}

/// Why a request body ended early. hyper gives it back by reference only, so the cause is taken out of it.
#[derive(Debug)]
pub(super) struct BodyFailure(Mutex<Option<Cause>>);

impl BodyFailure {
    pub(super) fn new(cause: Cause) -> Self {
        Self(Mutex::new(Some(cause)))
    }

    fn take(&self) -> Cause {
        let cause = self.0.lock().ok().and_then(|mut cause| cause.take());
        cause.unwrap_or_else(|| Cause::Read(std::io::Error::other("the upload was called off")))
    }
}

impl std::fmt::Display for BodyFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request body ended early")
    }
}

impl std::error::Error for BodyFailure {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_a_server_repeats_of_a_query_is_masked() {
        let url = "http://h/up?x=LOCSIG&digest=sha256:00&n=5".parse().unwrap();
        let text = of_query(&url).apply("no: /up?x=LOCSIG&digest=sha256:00");
        assert_eq!(text, "no: /up?x=***&digest=sha256:00");
    }
}
