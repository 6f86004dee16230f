//! The HTTP clients of this program: how they trust, which proxies they use, and what their failures mean.
//!
//! Artifacts, registries and token servers are all asked through clients made here. A client never decodes
//! content (an artifact's bytes are what its checksum is of), follows at most [`MAX_REDIRECTS`] redirects, and
//! drops credentials when one leads to another host (reqwest's rule). [`HttpError`] turns reqwest's chains of
//! sources into one word for each thing that goes wrong in practice.

mod address;
mod error;
mod tls;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Client, NoProxy, Proxy, redirect};

pub use self::address::{InvalidAddress, read_address};
pub use self::error::{HttpError, host_of};
pub use self::tls::{Identity, Trust, read_authorities, read_identity};

use crate::error::{Diagnose, Reason};
use crate::redact::{Mask, SafeUrl};

/// Redirects followed before a request fails; as many as curl follows.
pub const MAX_REDIRECTS: usize = 50;

/// How long to wait for a connection, its TLS handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a server may send nothing, or take nothing, before the transfer is given up.
pub const STALL_TIMEOUT: Duration = Duration::from_mins(2);

/// What `User-Agent` says.
const USER_AGENT: &str = concat!("connect-build/", env!("CARGO_PKG_VERSION"));

/// Proxies, as the variables `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` give them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// URL of the proxy for `http` requests.
    pub http: Option<String>,
    /// URL of the proxy for `https` requests.
    pub https: Option<String>,
    /// Hosts, domains and networks that are asked directly, with commas or blanks between them; `*` is everything.
    pub no_proxy: Option<String>,
}

/// A settings value that no client can be made of.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A CA file that cannot be read.
    #[error("cannot read the CA file `{}`", path.display())]
    ReadAuthorities {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A CA file without certificates.
    #[error("the CA file `{}` holds no PEM certificate", path.display())]
    NoAuthorities {
        /// The file.
        path: PathBuf,
    },
    /// A client certificate or its key that cannot be read.
    #[error("cannot read the client certificate `{}`", path.display())]
    ReadIdentity {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A certificate and a key that are none, or not a pair.
    #[error("the client certificate `{}` and the key `{}` cannot be used", certificate.display(), key.display())]
    Identity {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// A proxy URL that is none.
    #[error("the proxy for {scheme} requests is not a URL")]
    Proxy {
        /// `http` or `https`.
        scheme: &'static str,
    },
    /// The TLS library refuses the client certificate.
    #[error("the client certificate is not accepted")]
    Refused(#[source] rustls::Error),
    /// The TLS library refuses an authority, or the whole.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// reqwest refuses it.
    #[error("cannot set up a client")]
    Build(#[source] reqwest::Error),
}

impl Diagnose for ClientError {
    fn reason(&self) -> Reason {
        Reason::InvalidArguments
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused(_) => {
                Some("it has to be X.509 of version 3, with a key of its own that is not encrypted".into())
            }
            Self::NoAuthorities { .. } => {
                Some("give a file with one or more `-----BEGIN CERTIFICATE-----` blocks".into())
            }
            Self::Proxy { .. } => Some("proxies look like `http://proxy.example.com:3128`".into()),
            Self::Identity { .. } => Some(
                "give a PEM certificate, and its PEM key without a password (PKCS#8, PKCS#1 or SEC1)".into(),
            ),
            Self::ReadAuthorities { .. } | Self::ReadIdentity { .. } | Self::Tls(_) | Self::Build(_) => None,
        }
    }
}

/// A client with these proxies and this trust.
pub fn client(proxies: &Proxies, trust: &Trust) -> Result<Client, ClientError> {
    client_with(proxies, trust, redirect::Policy::limited(MAX_REDIRECTS))
}

/// The same, but it follows no redirect: for requests whose body is a secret, which a 307 would send on, and for those who
/// follow redirects themselves.
pub fn steadfast_client(proxies: &Proxies, trust: &Trust) -> Result<Client, ClientError> {
    client_with(proxies, trust, redirect::Policy::none())
}

fn client_with(proxies: &Proxies, trust: &Trust, redirects: redirect::Policy) -> Result<Client, ClientError> {
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirects)
        // A query may hold a token, and would be shown to whoever we are redirected to.
        .referer(false)
        .tls_backend_preconfigured(tls::config(trust)?)
        .hickory_dns(STATIC_GLIBC)
        .no_proxy();
    for proxy in proxies.resolve()? {
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(ClientError::Build)
}

/// A statically linked glibc cannot load the name service modules that its resolver wants, so names are
/// resolved by hickory there. Everywhere else the system's resolver knows more (nsswitch, mDNS, VPNs).
const STATIC_GLIBC: bool = cfg!(all(target_env = "gnu", target_feature = "crt-static"));

impl Proxies {
    fn resolve(&self) -> Result<Vec<Proxy>, ClientError> {
        let exceptions = as_others_read(self.no_proxy.as_deref().unwrap_or_default());
        let mut proxies = Vec::new();
        // It stands for addresses, too, which reqwest does not think.
        if exceptions.iter().any(|entry| entry == "*") {
            return Ok(proxies);
        }
        let exceptions = || NoProxy::from_string(&exceptions.join(","));
        if let Some(url) = &self.http {
            let proxy = Proxy::http(url.as_str()).map_err(|_| ClientError::Proxy { scheme: "http" })?;
            proxies.push(proxy.no_proxy(exceptions()));
        }
        if let Some(url) = &self.https {
            let proxy = Proxy::https(url.as_str()).map_err(|_| ClientError::Proxy { scheme: "https" })?;
            proxies.push(proxy.no_proxy(exceptions()));
        }
        Ok(proxies)
    }

    /// What hides the passwords of proxies, which may repeat what they are sent like any server.
    #[must_use]
    pub fn mask(&self) -> Mask {
        let urls = self.http.iter().chain(&self.https);
        // The scheme may be left out.
        let urls = urls.filter_map(|url| url.parse().or_else(|_| format!("http://{url}").parse()).ok());
        urls.map(|url| SafeUrl::new(url).mask()).fold(Mask::default(), Mask::with)
    }
}

/// Entries of `no_proxy` in forms that curl and Go know and reqwest does not: blanks between them, `*.example.com` for
/// `.example.com`, and a port, which is left out (for the whole host is an exception then).
fn as_others_read(list: &str) -> Vec<String> {
    let entry = |entry: &str| {
        let entry = entry.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(entry);
        match entry.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                host.to_owned()
            }
            _ => entry.to_owned(),
        }
    };
    list.split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty()).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_read_as_others_read_them() {
        for (said, meant) in [
            ("127.0.0.1,localhost", "127.0.0.1,localhost"),
            ("registry.example.com:5000, *.example.org", "registry.example.com,.example.org"),
            (".example.org,10.0.0.0/8,::1,*", ".example.org,10.0.0.0/8,::1,*"),
            ("a b, c ,,d\n", "a,b,c,d"),
        ] {
            assert_eq!(as_others_read(said).join(","), meant);
        }
    }
}
