//! A token server for docker-registry, after distribution's "Token Authentication Implementation".
//!
//! `GET /token?service=…&scope=repository:NAME:pull,push&scope=…` with user and password gives a JWT, signed with the key of
//! the test's certificate authority. Whoever comes without them may read only what is called `public`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::real::{PASSWORD, USER};

/// A running token server; it ends with the process.
pub(crate) struct TokenServer {
    pub(crate) port: u16,
}

#[derive(Clone)]
struct Signer {
    directory: PathBuf,
    /// Certificates are asked for one after the other.
    one: Arc<Mutex<u64>>,
}

impl TokenServer {
    /// Signs with `ca.key` and `ca.crt` of `directory`.
    pub(crate) fn start(directory: &Path) -> Self {
        let signer = Signer { directory: directory.to_owned(), one: Arc::default() };
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap().port()).unwrap();
                axum::serve(listener, Router::new().fallback(token).with_state(signer)).await.unwrap();
            });
        });
        Self { port: receiver.recv().unwrap() }
    }
}

async fn token(State(signer): State<Signer>, uri: Uri, headers: HeaderMap) -> (StatusCode, String) {
    let known = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    let given = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
    if given.is_some_and(|given| given != known) {
        return (StatusCode::UNAUTHORIZED, r#"{"details":"incorrect username or password"}"#.into());
    }
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let access: Vec<_> = (query.iter().filter(|(key, _)| key == "scope"))
        .filter_map(|(_, scope)| {
            let [kind, name, actions]: [&str; 3] = scope.split(':').collect::<Vec<_>>().try_into().ok()?;
            let allowed = given.is_some() || (name == "public" && actions == "pull");
            allowed.then(
                || json!({ "type": kind, "name": name, "actions": actions.split(',').collect::<Vec<_>>() }),
            )
        })
        .collect();
    (StatusCode::OK, json!({ "token": signer.sign(&access), "expires_in": 300 }).to_string())
}

impl Signer {
    fn sign(&self, access: &[serde_json::Value]) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let pem = std::fs::read_to_string(self.directory.join("ca.crt")).unwrap();
        let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let head = json!({ "typ": "JWT", "alg": "RS256", "x5c": [der] });
        let mut number = self.one.lock().unwrap();
        *number += 1;
        let claims = json!({
            "iss": "the-issuer", "sub": USER, "aud": "the-service", "jti": number.to_string(),
            "iat": now, "nbf": now - 10, "exp": now + 300, "access": access,
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&head), encode(&claims));
        let mut openssl = Command::new("openssl");
        openssl.args(["dgst", "-sha256", "-sign", "ca.key"]).current_dir(&self.directory);
        let mut child = openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), signed.as_bytes()).unwrap();
        let signature = child.wait_with_output().unwrap().stdout;
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
