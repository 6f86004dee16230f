//! How to reach registries: trust, plain http, credentials, host by host.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reqwest::Certificate;

use super::DockerConfig;
use crate::http::{ClientError, Proxies, Trust, read_authorities};
use crate::retry::RetryPolicy;

/// What holds for all registries of a build.
#[derive(Debug, Clone, Default)]
pub struct RegistrySettings {
    /// Proxies for http and https.
    pub proxies: Proxies,
    /// Certificate authorities that are trusted for every registry, besides the system's.
    pub authorities: Vec<Certificate>,
    /// Exceptions, by host as it stands in image references.
    pub hosts: BTreeMap<String, HostSettings>,
    /// Users and passwords.
    pub credentials: DockerConfig,
    /// When to try again.
    pub retry: RetryPolicy,
}

/// What is special about one registry.
#[derive(Debug, Clone, Default)]
pub struct HostSettings {
    /// Do not verify its certificate, and speak plain http where it does not speak TLS.
    pub insecure: bool,
    /// Speak plain http from the start.
    pub plain_http: bool,
    /// A PEM bundle of the authorities to trust for it.
    pub authorities: Option<PathBuf>,
}

impl RegistrySettings {
    pub(super) fn host(&self, host: &str) -> HostSettings {
        self.hosts.get(host).cloned().unwrap_or_default()
    }
}

impl HostSettings {
    pub(super) fn trust(&self, common: &[Certificate]) -> Result<Trust, ClientError> {
        let mut authorities = common.to_vec();
        if let Some(file) = &self.authorities {
            authorities.extend(read_authorities(file)?);
        }
        Ok(Trust { authorities, verify: !self.insecure })
    }
}
