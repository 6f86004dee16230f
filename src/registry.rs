//! Registries over the wire (OCI distribution-spec 1.1, and what registries do beside it).
//!
//! A [`Registry`] is one host with its TLS, its scheme and its credentials; a [`Repository`] is one name in it, for
//! reading or for writing. [`pull`] reads manifests and blobs, [`push`] writes them, [`copy`] moves blobs between
//! repositories; `transport` authenticates and retries for all of them.
//!
//! Why not oci-client, whose successor-in-name the project set out with: at 0.18 it knows a blob's digest before the
//! first byte is sent (so an upload cannot follow a layer that is being made), asks for one scope per token (so mounts
//! from private repositories fail), swallows failed token requests, never authenticates again on a 401, drops the
//! upload session of a declined mount, and takes no client certificate. Its calls would have been a minority of this
//! room. reqwest carries the requests; `oci-spec` reads the references.

mod activity;
mod answer;
mod auth;
pub mod copy;
pub mod credentials;
mod error;
pub mod pull;
pub mod push;
mod settings;
mod transport;
pub mod upload;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tokio::sync::OnceCell;

use self::auth::{Access, Authenticator};
pub use self::credentials::{Credentials, DockerConfig};
pub use self::error::{Cause, RegistryError};
pub use self::settings::{ClientCertificate, HostSettings, RegistrySettings};
use self::transport::Endpoint;
use crate::http::{self, ClientError};
use crate::plan::ImageLocation;
use crate::retry::RetryPolicy;

/// One registry, as seen with one set of credentials.
pub struct Registry {
    /// The name that users write: `docker.io`, `localhost:5000`.
    host: String,
    client: reqwest::Client,
    /// Scheme and challenge, found by the first request.
    endpoint: OnceCell<Endpoint>,
    plain_http: bool,
    /// Fall back to plain http where nobody speaks TLS.
    lenient: bool,
    authenticator: Authenticator,
    /// A hint that belongs to the credentials: a helper that is not run.
    credentials_hint: Option<String>,
    retry: RetryPolicy,
}

/// A repository of a registry.
#[derive(Clone)]
pub struct Repository {
    registry: Arc<Registry>,
    name: String,
    access: Access,
}

impl Registry {
    fn new(location: &ImageLocation, settings: &RegistrySettings) -> Result<Self, ClientError> {
        let host = location.registry();
        let of_host = settings.host(host);
        let trust = of_host.trust(&settings.authorities)?;
        let client = http::client(&settings.proxies, &trust)?;
        let (credentials, credentials_hint) = settings.credentials.lookup(host, location.repository());
        let token_client = match credentials {
            Some(Credentials::Identity(_)) => http::steadfast_client(&settings.proxies, &trust)?,
            _ => client.clone(),
        };
        Ok(Self {
            host: host.to_owned(),
            authenticator: Authenticator::new(token_client, credentials, settings.proxies.mask()),
            client,
            endpoint: OnceCell::new(),
            plain_http: of_host.plain_http,
            // As Docker and go-containerregistry do: a registry on this machine needs no certificate.
            lenient: of_host.allow_http || is_loopback(host) || (settings.private_http && is_private(host)),
            credentials_hint,
            retry: settings.retry,
        })
    }
}

impl Repository {
    /// The repository of `location`, for reading.
    pub fn for_reading(location: &ImageLocation, settings: &RegistrySettings) -> Result<Self, ClientError> {
        Self::new(location, settings, Access::Pull)
    }

    /// The repository of `location`, for reading and writing.
    pub fn for_writing(location: &ImageLocation, settings: &RegistrySettings) -> Result<Self, ClientError> {
        Self::new(location, settings, Access::PullPush)
    }

    fn new(
        location: &ImageLocation,
        settings: &RegistrySettings,
        access: Access,
    ) -> Result<Self, ClientError> {
        let registry = Arc::new(Registry::new(location, settings)?);
        Ok(Self { registry, name: location.repository().to_owned(), access })
    }

    /// The repository's name inside its registry.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The registry's host, as users write it.
    pub fn host(&self) -> &str {
        &self.registry.host
    }

    fn fail(&self, doing: impl Into<String>, cause: Cause) -> RegistryError {
        RegistryError::new(&self.registry, doing.into(), cause)
    }
}

/// `localhost`, `127.x.y.z` and `[::1]`, with or without a port.
fn is_loopback(host: &str) -> bool {
    let name = without_port(host);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Addresses of RFC 1918, and names below `.local` and `.localhost`, as those of Services in a cluster are.
fn is_private(host: &str) -> bool {
    let name = without_port(host);
    let is_address = name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_private());
    let domain = name.rsplit('.').next().filter(|domain| *domain != name);
    is_address || matches!(domain, Some("local" | "localhost"))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests;
