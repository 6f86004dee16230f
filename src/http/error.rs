//! One word for each thing that goes wrong with a request in practice.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::MAX_REDIRECTS;
use super::tls::is_authority;
use crate::error::{Diagnose, Reason};
use crate::redact::Mask;

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
    /// The proxy does not let anybody through.
    #[error("the proxy does not open a way to `{host}`{}", if *.wants_credentials { ": it wants credentials" } else { "" })]
    Proxy {
        /// Host and port behind it.
        host: String,
        /// It said 407.
        wants_credentials: bool,
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
    /// A redirect to something that is not asked over http.
    #[error("`{host}` redirects to a URL that is neither http nor https")]
    Scheme {
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
        let host = host_of(url);
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
            // reqwest has no type for this either.
            if detail == "URL scheme is not allowed" {
                return Self::Scheme { host };
            }
            // Nor has hyper-util for what a proxy answers to `CONNECT`.
            if let Some(problem) = detail.strip_prefix("tunnel error: ") {
                return Self::Proxy { host, wants_credentials: problem.contains("authorization required") };
            }
            // hyper-util's connector gives no type for this, only these words.
            if detail == "dns error" {
                return Self::NameNotResolved { host: url.host_str().unwrap_or_default().to_owned() };
            }
            source = cause.source();
        }
        Self::Broken { host, detail }
    }

    /// Nothing came from, or went to, `url` for [`super::STALL_TIMEOUT`].
    pub fn timeout(url: &url::Url) -> Self {
        Self::Timeout { host: host_of(url) }
    }

    fn from_tls(host: String, error: &rustls::Error) -> Self {
        use rustls::CertificateError::{UnknownIssuer, UnknownRevocationStatus};
        match error {
            rustls::Error::InvalidCertificate(UnknownIssuer | UnknownRevocationStatus) => {
                Self::UnknownAuthority { host }
            }
            // One that signed itself; to whom it is trusted, it has to be given.
            error if is_authority(error) => Self::UnknownAuthority { host },
            rustls::Error::InvalidCertificate(detail) => {
                Self::InvalidCertificate { host, detail: certificate_problem(detail) }
            }
            other => Self::Tls { host, detail: other.to_string() },
        }
    }

    /// The error that an answer's head and the start of its body tell, without what `mask` hides. A redirect's body repeats where
    /// it leads, secrets included, and is not told.
    pub fn status(status: StatusCode, headers: &HeaderMap, body: &[u8], mask: &Mask) -> Self {
        let retry_after = (headers.get(RETRY_AFTER))
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let message = readable(status, body).filter(|_| !status.is_redirection());
        Self::Status { status, message: message.map(|text| mask.apply(&text)), retry_after }
    }

    /// The status code, where the server gave one.
    pub fn status_code(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// The host of a URL, with its port unless it is the scheme's own.
pub fn host_of(url: &url::Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    }
}

/// rustls' words, but for times, which it counts in seconds.
fn certificate_problem(error: &rustls::CertificateError) -> String {
    let day = |time: &rustls::pki_types::UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(seconds)
            .map_or_else(|_| "a day far away".to_owned(), |time| time.to_string())
    };
    match error {
        rustls::CertificateError::ExpiredContext { not_after, .. } => {
            format!("it expired at {}", day(not_after))
        }
        rustls::CertificateError::NotValidYetContext { not_before, .. } => {
            format!("it is not valid before {}", day(not_before))
        }
        other => other.to_string(),
    }
}

/// The TLS error inside an `io::Error`, which hides what it carries from `source()`, also in several layers.
fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner.downcast_ref::<rustls::Error>().or_else(|| tls_error(inner.downcast_ref::<io::Error>()?))
}

/// A short, single-line, printable body, or the title of a page that says more than the status does.
fn readable(status: StatusCode, body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let text = match text.trim().strip_prefix('<') {
        Some(page) => title(page).filter(|title| !repeats(status, title))?,
        None => text.trim(),
    };
    let fits = !text.is_empty() && text.len() <= 200;
    (fits && crate::path::shown(text.as_bytes()) == text).then(|| text.to_owned())
}

/// A page's title, without the number that many begin with.
fn title(page: &str) -> Option<&str> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = start + lower[start..].find("</title>")?;
    Some(page.get(start..end)?.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').trim())
}

/// Whether a title says no more than the status does; for 413 there is an older name.
fn repeats(status: StatusCode, title: &str) -> bool {
    title.is_empty() || Some(title) == status.canonical_reason() || title == "Request Entity Too Large"
}

impl Diagnose for HttpError {
    fn reason(&self) -> Reason {
        Reason::DownloadFailed
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NameNotResolved { .. } => {
                "check the host's name, the DNS of the cluster, and whether a proxy (`HTTPS_PROXY`) is needed, or set wrongly"
            }
            Self::Refused { .. } => {
                "check the port, that the server runs and is reachable from here, and the proxy if one is set"
            }
            Self::UnknownAuthority { .. } | Self::InvalidCertificate { .. } => return None,
            Self::Proxy { wants_credentials: true, .. } => {
                "put user and password into the proxy's URL, as `http://user:password@proxy.example.com:3128`"
            }
            Self::Proxy { .. } => {
                "have the host allowed at the proxy, or name it in `NO_PROXY` if it is reached directly"
            }
            Self::Tls { detail, .. }
                if detail.contains("HandshakeFailure") || detail.contains("ProtocolVersion") =>
            {
                "the server has no way of encryption in common with this program: TLS 1.3, or 1.2 with ECDHE and AES-GCM or ChaCha20"
            }
            Self::Tls { .. } => "check that the server speaks https on this port",
            Self::Timeout { .. } => {
                "check network policies and firewalls between here and the server, and whether a proxy is needed"
            }
            Self::Redirects { .. } | Self::Scheme { .. } => "open the URL in a browser to see where it leads",
            Self::Broken { .. } => "the server or a proxy closed the connection; trying again may help",
            Self::Status { status, .. } => match status.as_u16() {
                200..=299 => "the server does not send the whole file: check what stands between it and here",
                300..=399 => {
                    "it redirects without a URL that can be followed: open it in a browser to see where it leads"
                }
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
            // Of other answers the number is not told; it may be 502.
            Self::Proxy { wants_credentials, .. } => !wants_credentials,
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
