//! The HTTP clients of this program: how they trust, which proxies they use, and what their failures mean.
//!
//! Artifacts, registries and token servers are all asked through clients made here. A client never decodes
//! content (an artifact's bytes are what its checksum is of), follows at most [`MAX_REDIRECTS`] redirects, and
//! drops credentials when one leads to another host (reqwest's rule). [`HttpError`] turns reqwest's chains of
//! sources into one word for each thing that goes wrong in practice.

use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Client, NoProxy, Proxy, StatusCode, redirect};

use crate::error::{Diagnose, Reason};

/// Redirects followed before a request fails.
pub const MAX_REDIRECTS: usize = 10;

/// How long to wait for a connection, its TLS handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a server may send nothing, or take nothing, before the transfer is given up.
pub const STALL_TIMEOUT: Duration = Duration::from_mins(2);

/// What `User-Agent` says.
const USER_AGENT: &str = concat!("connect-build/", env!("CARGO_PKG_VERSION"));

/// Proxies, as the variables `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` give them.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// URL of the proxy for `http` requests.
    pub http: Option<String>,
    /// URL of the proxy for `https` requests.
    pub https: Option<String>,
    /// Comma-separated hosts, domains and networks that are asked directly.
    pub no_proxy: Option<String>,
}

/// Whom a client trusts besides the system's certificate authorities.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Further certificate authorities.
    pub authorities: Vec<Certificate>,
    /// `false` accepts every certificate.
    pub verify: bool,
}

impl Default for Trust {
    fn default() -> Self {
        Self { authorities: Vec::new(), verify: true }
    }
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
    /// A proxy URL that is none.
    #[error("the proxy for {scheme} requests is not a URL")]
    Proxy {
        /// `http` or `https`.
        scheme: &'static str,
    },
    /// reqwest refused the whole.
    #[error("cannot set up TLS")]
    Tls(#[source] reqwest::Error),
}

impl Diagnose for ClientError {
    fn reason(&self) -> Reason {
        Reason::InvalidArguments
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoAuthorities { .. } => {
                Some("give a file with one or more `-----BEGIN CERTIFICATE-----` blocks".into())
            }
            Self::Proxy { .. } => Some("proxies look like `http://proxy.example.com:3128`".into()),
            Self::ReadAuthorities { .. } | Self::Tls(_) => None,
        }
    }
}

/// The certificates of a PEM bundle.
pub fn read_authorities(path: &Path) -> Result<Vec<Certificate>, ClientError> {
    let pem = std::fs::read(path)
        .map_err(|source| ClientError::ReadAuthorities { path: path.to_owned(), source })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(ClientError::NoAuthorities { path: path.to_owned() }),
    }
}

/// A client with these proxies and this trust.
pub fn client(proxies: &Proxies, trust: &Trust) -> Result<Client, ClientError> {
    // The process-wide choice of cryptography; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::limited(MAX_REDIRECTS))
        // A query may hold a token, and would be shown to whoever we are redirected to.
        .referer(false)
        .tls_danger_accept_invalid_certs(!trust.verify)
        .tls_certs_only(system_authorities().iter().chain(&trust.authorities).cloned())
        .hickory_dns(STATIC_GLIBC)
        .no_proxy();
    for proxy in proxies.resolve()? {
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(ClientError::Tls)
}

/// A statically linked glibc cannot load the name service modules that its resolver wants, so names are
/// resolved by hickory there. Everywhere else the system's resolver knows more (nsswitch, mDNS, VPNs).
const STATIC_GLIBC: bool = cfg!(all(target_env = "gnu", target_feature = "crt-static"));

fn system_authorities() -> &'static [Certificate] {
    static AUTHORITIES: OnceLock<Vec<Certificate>> = OnceLock::new();
    AUTHORITIES.get_or_init(|| {
        let loaded = rustls_native_certs::load_native_certs();
        for error in &loaded.errors {
            tracing::debug!("some system certificates cannot be read: {error}");
        }
        loaded.certs.iter().filter_map(|der| Certificate::from_der(der).ok()).collect()
    })
}

impl Proxies {
    fn resolve(&self) -> Result<Vec<Proxy>, ClientError> {
        let exceptions = || self.no_proxy.as_deref().and_then(NoProxy::from_string);
        let mut proxies = Vec::new();
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
}

/// Why a request brought nothing usable.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// DNS has no answer for the host.
    #[error("the name `{host}` cannot be resolved")]
    NameNotResolved {
        /// The host's name.
        host: String,
    },
    /// Nobody listens there.
    #[error("`{host}` refused the connection")]
    Refused {
        /// Host and port.
        host: String,
    },
    /// The chain ends at a certificate authority that is not trusted here.
    #[error("the certificate of `{host}` is signed by an authority that is not trusted")]
    UnknownAuthority {
        /// Host and port.
        host: String,
    },
    /// The certificate is expired, for another name, or else unfit.
    #[error("the certificate of `{host}` is not valid: {detail}")]
    InvalidCertificate {
        /// Host and port.
        host: String,
        /// rustls' words.
        detail: String,
    },
    /// The peer does not speak TLS, or not with us.
    #[error("the TLS handshake with `{host}` failed: {detail}")]
    Tls {
        /// Host and port.
        host: String,
        /// rustls' words.
        detail: String,
    },
    /// No answer, or no progress, in time.
    #[error("`{host}` did not answer in time")]
    Timeout {
        /// Host and port.
        host: String,
    },
    /// More than [`MAX_REDIRECTS`].
    #[error("`{host}` redirects in circles (more than {MAX_REDIRECTS} redirects)")]
    Redirects {
        /// Host and port.
        host: String,
    },
    /// The connection ended in the middle.
    #[error("the connection to `{host}` broke: {detail}")]
    Broken {
        /// Host and port.
        host: String,
        /// The innermost cause.
        detail: String,
    },
    /// An answer that is not a success.
    #[error("the server answered {status}{}", .message.as_deref().map(|m| format!(": {m}")).unwrap_or_default())]
    Status {
        /// The code.
        status: StatusCode,
        /// What the body says, if it is short and readable.
        message: Option<String>,
        /// `Retry-After`, if it was sent in seconds.
        retry_after: Option<Duration>,
    },
}

impl HttpError {
    /// Names what reqwest reports about a request to `url`.
    pub fn new(url: &url::Url, error: &reqwest::Error) -> Self {
        let url = error.url().unwrap_or(url);
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        if error.is_timeout() {
            return Self::Timeout { host };
        }
        if error.is_redirect() {
            return Self::Redirects { host };
        }
        let mut detail = String::new();
        let mut source = error.source();
        while let Some(cause) = source {
            detail = cause.to_string();
            if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
                return Self::from_tls(host, tls);
            }
            if let Some(error) = cause.downcast_ref::<io::Error>() {
                if error.kind() == io::ErrorKind::ConnectionRefused {
                    return Self::Refused { host };
                }
                if let Some(tls) = tls_error(error) {
                    return Self::from_tls(host, tls);
                }
            }
            // hyper-util's connector gives no type for this, only these words.
            if detail == "dns error" {
                return Self::NameNotResolved { host: url.host_str().unwrap_or_default().to_owned() };
            }
            source = cause.source();
        }
        Self::Broken { host, detail }
    }

    fn from_tls(host: String, error: &rustls::Error) -> Self {
        use rustls::CertificateError::{UnknownIssuer, UnknownRevocationStatus};
        match error {
            rustls::Error::InvalidCertificate(UnknownIssuer | UnknownRevocationStatus) => {
                Self::UnknownAuthority { host }
            }
            rustls::Error::InvalidCertificate(detail) => {
                Self::InvalidCertificate { host, detail: detail.to_string() }
            }
            other => Self::Tls { host, detail: other.to_string() },
        }
    }

    /// The error that an answer's head and the start of its body tell.
    pub fn status(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let retry_after = (headers.get(RETRY_AFTER))
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        Self::Status { status, message: readable(body), retry_after }
    }

    /// The status code, where the server gave one.
    pub fn status_code(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// The TLS error inside an `io::Error`, which hides what it carries from `source()`, also in several layers.
fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner.downcast_ref::<rustls::Error>().or_else(|| tls_error(inner.downcast_ref::<io::Error>()?))
}

/// A short, single-line, printable body; pages and long texts explain nothing in one line.
fn readable(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let fits = !text.is_empty() && text.len() <= 200 && !text.starts_with('<');
    (fits && crate::path::shown(text.as_bytes()) == text).then(|| text.to_owned())
}

impl Diagnose for HttpError {
    fn reason(&self) -> Reason {
        Reason::DownloadFailed
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NameNotResolved { .. } => {
                "check the host's name, the DNS of the cluster, and whether a proxy (`HTTPS_PROXY`) is needed"
            }
            Self::Refused { .. } => "check the port, and that the server runs and is reachable from here",
            Self::UnknownAuthority { .. } | Self::InvalidCertificate { .. } => return None,
            Self::Tls { .. } => "check that the server speaks https on this port",
            Self::Timeout { .. } => {
                "check network policies and firewalls between here and the server, and whether a proxy is needed"
            }
            Self::Redirects { .. } => "open the URL in a browser to see where it leads",
            Self::Broken { .. } => "the server or a proxy closed the connection; trying again may help",
            Self::Status { status, .. } => match status.as_u16() {
                200..=299 => "the server does not send the whole file: check what stands between it and here",
                300..=399 => "it redirects to where this program does not follow: only to http and https",
                401 | 403 => "the server wants credentials, or denies access to this file",
                404 | 410 => "check the URL: the file is not there (anymore)",
                407 => "the proxy wants credentials: put them into the proxy's URL",
                429 => "too many requests: the server limits its rate; try later, or use a mirror",
                500..=599 => "the server has a problem of its own: try later",
                _ => return None,
            },
        };
        Some(hint.to_owned())
    }

    /// The classes that go-containerregistry retries, and connections that end or stall.
    fn is_transient(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Broken { .. } => true,
            Self::Status { status, .. } => {
                matches!(status.as_u16(), 408 | 425 | 429 | 499 | 500 | 502 | 503 | 504 | 522)
            }
            // A pod's first packets may come before its network policy or DNS is in place.
            Self::Refused { .. } | Self::NameNotResolved { .. } => true,
            _ => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
