//! Whom a client trusts, and who it is itself.
//!
//! rustls does the work. Two things are added to what it verifies, for both hold where Kaniko and Buildah are replaced, which are
//! written in Go: a server's certificate that is itself among the trusted ones is accepted, though it is that of an authority (as
//! `openssl req -x509` makes them for most private registries); and `SSL_CERT_FILE` adds to the system's authorities.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::ClientError;

/// Whom a client trusts besides the system's certificate authorities.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Further certificate authorities, or certificates of servers.
    pub authorities: Vec<CertificateDer<'static>>,
    /// `false` accepts every certificate.
    pub verify: bool,
    /// Who we are, where a server asks for a certificate.
    pub identity: Option<Arc<Identity>>,
}

impl Default for Trust {
    fn default() -> Self {
        Self { authorities: Vec::new(), verify: true, identity: None }
    }
}

/// A client certificate, those that lead to its authority, and its key.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// The certificates of a PEM bundle.
pub fn read_authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let pem = std::fs::read(path)
        .map_err(|source| ClientError::ReadAuthorities { path: path.to_owned(), source })?;
    match certificates(&pem) {
        Some(certificates) => Ok(certificates),
        None => Err(ClientError::NoAuthorities { path: path.to_owned() }),
    }
}

/// A client certificate and its key, in PEM.
pub fn read_identity(certificate: &Path, key: &Path) -> Result<Identity, ClientError> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|source| ClientError::ReadIdentity { path: path.to_owned(), source })
    };
    let (chain, pem) = (certificates(&read(certificate)?), read(key)?);
    let identity = chain.zip(PrivateKeyDer::from_pem_slice(&pem).ok());
    let (chain, key) = identity
        .ok_or_else(|| ClientError::Identity { certificate: certificate.to_owned(), key: key.to_owned() })?;
    Ok(Identity { chain, key })
}

/// All certificates of a text, if there is one.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.ok().filter(|all| !all.is_empty())
}

/// What a client has to know for TLS.
pub(super) fn config(trust: &Trust) -> Result<ClientConfig, ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = if trust.verify {
        Arc::new(Verifier::new(&trust.authorities, &provider)?)
    } else {
        Arc::new(Anybody(Arc::clone(&provider)))
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ClientError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match trust.identity.as_deref() {
        Some(Identity { chain, key }) => {
            builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(ClientError::Refused)?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn system_authorities() -> &'static [CertificateDer<'static>] {
    static AUTHORITIES: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    AUTHORITIES.get_or_init(|| {
        let mut loaded = rustls_native_certs::load_native_certs();
        for error in &loaded.errors {
            tracing::debug!("some system certificates cannot be read: {error}");
        }
        // In Go the variable replaces a list of files, but not the directories that are read beside it.
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if is_set("SSL_CERT_FILE")
            && !is_set("SSL_CERT_DIR")
            && let Some(bundle) = BUNDLES.iter().map(Path::new).find(|bundle| bundle.is_file())
        {
            loaded.certs.extend(rustls_native_certs::load_certs_from_paths(Some(bundle), None).certs);
        }
        loaded.certs
    })
}

/// Where systems keep their authorities: Debian, Alpine and our image, Fedora, SUSE.
const BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"];

/// Verifies as rustls does, but for servers that are trusted themselves.
#[derive(Debug)]
struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    /// Those of the user.
    authorities: Vec<CertificateDer<'static>>,
}

impl Verifier {
    fn new(
        authorities: &[CertificateDer<'static>],
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, ClientError> {
        let mut roots = RootCertStore::empty();
        // Those of the system may be odd, those of the user may not.
        roots.add_parsable_certificates(system_authorities().iter().cloned());
        for authority in authorities {
            roots.add(authority.clone()).map_err(ClientError::Tls)?;
        }
        let usual =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
        let usual = usual.map_err(|error| ClientError::Tls(Error::General(error.to_string())))?;
        Ok(Self { usual, authorities: authorities.to_vec() })
    }

    /// Whether this very certificate is a trusted one.
    fn trusts(&self, certificate: &CertificateDer<'_>) -> bool {
        system_authorities().iter().chain(&self.authorities).any(|trusted| trusted == certificate)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.usual.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // Whether it is still, or already, valid has been looked at before that.
            Err(error) if is_authority(&error) && self.trusts(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Whether an authority's certificate was found where a server's was expected; rustls has no name for it.
pub(super) fn is_authority(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.to_string().contains("CaUsedAsEndEntity")
        }
        _ => false,
    }
}

/// Accepts every certificate, also such as no TLS library understands: only the user can know why.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
