//! Requests to a registry: where it is, how it wants to be asked, and what to do when it forgets us.

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use url::Url;

use super::answer::{read_failure, transfer_error};
use super::auth::{Challenge, Scope};
use super::error::Cause;
use super::{Registry, RegistryError, Repository};
use crate::http::{HttpError, STALL_TIMEOUT};

/// What the first request to a registry found out.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    /// `https://host/v2/`.
    pub(super) root: Url,
    pub(super) challenge: Challenge,
}

impl Registry {
    /// Scheme and challenge, by asking for `/v2/` once.
    pub(super) async fn endpoint(&self) -> Result<&Endpoint, Cause> {
        self.endpoint.get_or_try_init(|| self.discover()).await
    }

    async fn discover(&self) -> Result<Endpoint, Cause> {
        // Docker Hub's API lives under another name than its images.
        let host = if self.host == "docker.io" { "registry-1.docker.io" } else { &self.host };
        let (secure, plain) = (format!("https://{host}/v2/"), format!("http://{host}/v2/"));
        if self.plain_http {
            return self.ping(&plain).await.map(|(endpoint, _)| endpoint);
        }
        let secure = self.ping(&secure).await;
        if !self.lenient || matches!(secure, Ok((_, status)) if is_registry(status)) {
            return secure.map(|(endpoint, _)| endpoint);
        }
        // Whatever the way to https broke at: the port may be closed, only http may have a proxy, and what speaks TLS there may be
        // somebody else (go-containerregistry's and containers/image's `ping` go on alike).
        let plain = self.ping(&plain).await;
        let is_untrusted = |error: &HttpError| {
            matches!(error, HttpError::UnknownAuthority { .. } | HttpError::InvalidCertificate { .. })
        };
        let prefers_plain = match (&secure, &plain) {
            (_, Ok((_, status))) if is_registry(*status) => true,
            // Of two failures the first one is told, for it is what was asked for; but an answer is more than none. Who wants TLS
            // says so with 400.
            (Err(Cause::Http(secure)), plain) if secure.status_code().is_none() && !is_untrusted(secure) => {
                match plain {
                    Ok((_, status)) => *status != StatusCode::BAD_REQUEST,
                    Err(Cause::Http(plain)) => plain.status_code().is_some(),
                    Err(_) => false,
                }
            }
            _ => false,
        };
        (if prefers_plain { plain } else { secure }).map(|(endpoint, _)| endpoint)
    }

    /// Asks for `/v2/`. A registry that answers anything is asked on, and its next answer will tell; but for one that is busy.
    async fn ping(&self, root: &str) -> Result<(Endpoint, StatusCode), Cause> {
        let root: Url =
            root.parse().map_err(|_| Cause::Protocol(format!("`{}` is not a host", self.host)))?;
        let request = self.client.get(root.clone()).timeout(STALL_TIMEOUT);
        let response = request.send().await.map_err(|error| Cause::Http(HttpError::new(&root, &error)))?;
        let status = response.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(read_failure(response, self.authenticator.mask()).await);
        }
        let challenge = match status {
            StatusCode::UNAUTHORIZED => Challenge::parse(response.headers(), &root, self.lenient)?,
            _ => Challenge::None,
        };
        Ok((Endpoint { root, challenge }, status))
    }
}

/// What the specification has a registry answer to `/v2/`.
fn is_registry(status: StatusCode) -> bool {
    matches!(status, StatusCode::OK | StatusCode::UNAUTHORIZED)
}

impl Repository {
    /// `https://host/v2/<name>/<rest>`.
    pub(super) async fn url(&self, rest: &str) -> Result<Url, Cause> {
        let root = &self.registry.endpoint().await?.root;
        let url = root.join(&format!("{}/{rest}", self.name));
        url.map_err(|_| Cause::Protocol(format!("`{}` is not a repository", self.name)))
    }

    pub(super) fn scope(&self) -> Scope {
        Scope::of(&self.name, self.access)
    }

    /// Sends a request and gives its answer if it is a success.
    pub(super) async fn send(
        &self,
        method: &Method,
        url: &Url,
        prepare: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Cause> {
        self.send_scoped(method, url, &self.scope(), prepare).await
    }

    /// Sends a request with the rights of `scope`; authenticates anew, once, if they have ended.
    pub(super) async fn send_scoped(
        &self,
        method: &Method,
        url: &Url,
        scope: &Scope,
        prepare: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Cause> {
        let endpoint = self.registry.endpoint().await?;
        let mut challenge = endpoint.challenge.clone();
        let mut again = true;
        loop {
            let request = prepare(self.registry.client.request(method.clone(), url.clone()));
            // Uploads may lead to another host, which must not see our credentials.
            let request = if url.origin() == endpoint.root.origin() {
                self.registry.authenticator.authorize(request, &challenge, scope).await?
            } else {
                request
            };
            let response = request.send().await.map_err(|error| transfer_error(url, &error))?;
            // Only the registry's own challenge counts: a redirect may have led to somebody else's server, which could name a
            // token server of its own and be sent our password.
            let ours = response.url().origin() == endpoint.root.origin();
            if ours && response.status() == StatusCode::UNAUTHORIZED && std::mem::take(&mut again) {
                self.registry.authenticator.forget(scope).await;
                match Challenge::parse(response.headers(), &endpoint.root, self.registry.lenient)? {
                    Challenge::None => {}
                    asked => challenge = asked,
                }
                continue;
            }
            if response.status().is_success() {
                return Ok(response);
            }
            return Err(read_failure(response, self.registry.authenticator.mask()).await);
        }
    }

    /// Runs `operation` with the registry's patience.
    pub(super) async fn retrying<T, F, Fut>(&self, doing: &str, operation: F) -> Result<T, RegistryError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, Cause>>,
    {
        let attempt = || async { operation().await.map_err(|cause| self.fail(doing, cause)) };
        self.registry.retry.run(attempt).await
    }
}
