//! How to reach registries: trust, plain http, credentials, host by host.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::DockerConfig;
use crate::http::{ClientError, Proxies, Trust, read_authorities, read_identity};
use crate::retry::RetryPolicy;

/// What holds for all registries that are read from, or written to.
#[derive(Debug, Clone, Default)]
pub struct RegistrySettings {
    /// Proxies for http and https.
    pub proxies: Proxies,
    /// Certificate authorities that are trusted for every registry, besides the system's.
    pub authorities: Vec<CertificateDer<'static>>,
    /// What is special about every registry.
    pub everywhere: HostSettings,
    /// Exceptions, by host as it stands in image references; they add to what holds everywhere.
    pub hosts: BTreeMap<String, HostSettings>,
    /// Registries that are asked for images of Docker Hub before it, each perhaps with a path in front of repositories.
    pub mirrors: Vec<String>,
    /// Mirrors stand for Docker Hub, which is not asked itself.
    pub mirrors_only: bool,
    /// Registries in private networks may speak plain http (go-containerregistry's `Registry.Scheme`).
    pub private_http: bool,
    /// Users and passwords.
    pub credentials: DockerConfig,
    /// When to try again.
    pub retry: RetryPolicy,
}

/// What is special about a registry.
#[derive(Debug, Clone, Default)]
pub struct HostSettings {
    /// Do not verify its certificate.
    pub skip_verify: bool,
    /// Speak plain http where it does not speak TLS.
    pub allow_http: bool,
    /// Speak plain http from the start.
    pub plain_http: bool,
    /// PEM bundles of the authorities to trust for it.
    pub authorities: Vec<PathBuf>,
    /// Who we are, for a registry that wants to know it by a certificate.
    pub identity: Option<ClientCertificate>,
}

/// A client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// A PEM file with the certificate, and with those that lead to its authority.
    pub certificate: PathBuf,
    /// A PEM file with the private key.
    pub key: PathBuf,
}

impl RegistrySettings {
    pub(super) fn host(&self, host: &str) -> HostSettings {
        let mut settings = self.everywhere.clone();
        if let Some(exception) = self.hosts.get(host) {
            settings.skip_verify |= exception.skip_verify;
            settings.allow_http |= exception.allow_http;
            settings.plain_http |= exception.plain_http;
            settings.authorities.extend(exception.authorities.iter().cloned());
            settings.identity = exception.identity.clone().or(settings.identity);
        }
        settings
    }
}

impl HostSettings {
    pub(super) fn trust(&self, common: &[CertificateDer<'static>]) -> Result<Trust, ClientError> {
        let mut authorities = common.to_vec();
        for file in &self.authorities {
            authorities.extend(read_authorities(file)?);
        }
        let identity = self.identity.as_ref().map(|files| read_identity(&files.certificate, &files.key));
        Ok(Trust { authorities, verify: !self.skip_verify, identity: identity.transpose()?.map(Arc::new) })
    }
}
