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
        if self.plain_http {
            return self.ping(&format!("http://{host}/v2/")).await;
        }
        let secure = self.ping(&format!("https://{host}/v2/")).await;
        let is_answer = |result: &Result<Endpoint, Cause>| match result {
            // A certificate that is not trusted is told of: TLS is spoken, and who says so needs another setting.
            Err(Cause::Http(HttpError::UnknownAuthority { .. } | HttpError::InvalidCertificate { .. })) => {
                true
            }
            Err(Cause::Http(error)) => error.status_code().is_some(),
            _ => true,
        };
        if !self.lenient || is_answer(&secure) {
            return secure;
        }
        // Whatever the way to https broke at, as for go-containerregistry: the port may be closed, or only http has a proxy. Of
        // two failures the first one is told, for it is what was asked for; but an answer is more than none.
        let plain = self.ping(&format!("http://{host}/v2/")).await;
        if is_answer(&plain) { plain } else { secure }
    }

    async fn ping(&self, root: &str) -> Result<Endpoint, Cause> {
        let root: Url =
            root.parse().map_err(|_| Cause::Protocol(format!("`{}` is not a host", self.host)))?;
        let request = self.client.get(root.clone()).timeout(STALL_TIMEOUT);
        let response = request.send().await.map_err(|error| Cause::Http(HttpError::new(&root, &error)))?;
        match response.status() {
            StatusCode::UNAUTHORIZED => {
                let challenge = Challenge::parse(response.headers(), &root)?;
                Ok(Endpoint { root, challenge })
            }
            // A registry that answers anything else is asked on; its next answer will tell.
            status if !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                Ok(Endpoint { root, challenge: Challenge::None })
            }
            _ => Err(read_failure(response, self.authenticator.mask()).await),
        }
    }
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
                match Challenge::parse(response.headers(), &endpoint.root)? {
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
