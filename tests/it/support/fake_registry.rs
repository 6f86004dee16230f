//! A registry in this process, for what a real one does not do on demand: decline, forget, lie, and break.
//!
//! It keeps to the distribution specification except for the [`Fault`]s that it is given, and remembers every request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use connect_build::digest::Digest;

/// What is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Mounts are answered with 202: upload instead.
    MountDeclined,
    /// Mounts are forbidden.
    MountForbidden,
    /// The first streamed upload fails.
    PatchFails,
    /// Every streamed upload fails, as behind proxies that want a length.
    NoPatch,
    /// The first request of this method and path suffix is answered so.
    Once(Method, &'static str, u16, &'static str),
    /// Every request of this method and path part is answered so.
    Always(Method, &'static str, u16, &'static str),
    /// `Location` is a path.
    RelativeLocation,
    /// `Location` leads to another port.
    LocationElsewhere(u16),
    /// No `Location`.
    NoLocation,
    /// The tag names something else after the push.
    ReadsBackWrong,
    /// Blobs come damaged, the first time.
    DamagedOnce,
    /// Blobs are somewhere else.
    BlobsElsewhere(String),
    /// Bearer tokens of this server.
    Bearer(String),
    /// Basic authentication with `user:password`.
    Basic,
}

#[derive(Default)]
struct State {
    /// By `repository@digest`.
    blobs: HashMap<String, Vec<u8>>,
    manifests: HashMap<String, (String, Vec<u8>)>,
    uploads: HashMap<String, Vec<u8>>,
    log: Vec<String>,
    /// What clients call this registry.
    host: String,
    faults: Vec<Fault>,
}

/// A running registry; it ends with the process.
pub(crate) struct FakeRegistry {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

impl FakeRegistry {
    pub(crate) fn start(faults: &[Fault]) -> Self {
        let state = Arc::new(Mutex::new(State { faults: faults.to_vec(), ..State::default() }));
        let (shared, (sender, receiver)) = (Arc::clone(&state), std::sync::mpsc::channel());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap().port()).unwrap();
                let handler = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
                    let state = Arc::clone(&shared);
                    async move { state.lock().unwrap().answer(&method, &uri, &headers, body) }
                };
                let app = Router::new().fallback(handler).layer(axum::extract::DefaultBodyLimit::disable());
                axum::serve(listener, app).await.unwrap();
            });
        });
        Self { port: receiver.recv().unwrap(), state }
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.state.lock().unwrap().log.clone()
    }

    pub(crate) fn put_blob(&self, repository: &str, content: &[u8]) -> String {
        let digest = Digest::of(content).to_string();
        self.state.lock().unwrap().blobs.insert(format!("{repository}@{digest}"), content.to_vec());
        digest
    }

    pub(crate) fn put_manifest(&self, name: &str, media_type: &str, content: &[u8]) {
        let manifest = (media_type.to_owned(), content.to_vec());
        self.state.lock().unwrap().manifests.insert(name.to_owned(), manifest);
    }

    /// What `repository:reference` holds.
    pub(crate) fn manifest(&self, name: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().manifests.get(name).map(|(_, bytes)| bytes.clone())
    }

    pub(crate) fn has_blob(&self, repository: &str, digest: &str) -> bool {
        self.state.lock().unwrap().blobs.contains_key(&format!("{repository}@{digest}"))
    }

    pub(crate) fn open_uploads(&self) -> usize {
        self.state.lock().unwrap().uploads.len()
    }
}

fn plain(status: u16) -> Response {
    StatusCode::from_u16(status).unwrap().into_response()
}

fn body(status: u16, text: &str) -> Response {
    (StatusCode::from_u16(status).unwrap(), text.to_owned()).into_response()
}

impl State {
    /// Takes a fault out, so that it happens once.
    fn once(&mut self, fault: &Fault) -> bool {
        let at = self.faults.iter().position(|f| f == fault);
        at.map(|at| self.faults.remove(at)).is_some()
    }

    fn has(&self, fault: &Fault) -> bool {
        self.faults.contains(fault)
    }

    fn answer(&mut self, method: &Method, uri: &Uri, headers: &HeaderMap, content: Bytes) -> Response {
        let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
        let authorization = headers.get(header::AUTHORIZATION).map(|v| v.to_str().unwrap().to_owned());
        headers[header::HOST].to_str().unwrap().clone_into(&mut self.host);
        let shown = authorization.as_deref().map(|a| format!(" [{a}]")).unwrap_or_default();
        let question = if query.is_empty() { String::new() } else { format!("?{query}") };
        self.log.push(format!("{method} {path}{question}{shown}"));
        if self.has(&Fault::Basic) && authorization.as_deref() != Some("Basic dXNlcjpwYXNzd29yZA==") {
            return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"r\"")])
                .into_response();
        }
        for fault in self.faults.clone() {
            match &fault {
                Fault::Bearer(realm)
                    if !authorization.as_deref().is_some_and(|a| a.starts_with("Bearer ")) =>
                {
                    let challenge = format!("Bearer realm=\"{realm}\",service=\"s\"");
                    return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)])
                        .into_response();
                }
                Fault::BlobsElsewhere(url) if method == Method::GET && path.contains("/blobs/") => {
                    return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, url.clone())])
                        .into_response();
                }
                Fault::Once(m, suffix, status, text) if m == method && path.ends_with(suffix) => {
                    self.once(&fault);
                    return body(*status, text);
                }
                Fault::Always(m, part, status, text) if m == method && path.contains(part) => {
                    return body(*status, text);
                }
                _ => {}
            }
        }
        let Some(rest) = path.strip_prefix("/v2/") else { return plain(404) };
        if rest.is_empty() {
            return plain(200);
        }
        if let Some((name, id)) = rest.split_once("/blobs/uploads/") {
            return self.upload(method, name, id, &query, &content);
        }
        if let Some((name, digest)) = rest.split_once("/blobs/") {
            let blob = self.blobs.get(&format!("{name}@{digest}")).cloned();
            let damaged = method == Method::GET && self.once(&Fault::DamagedOnce);
            return match blob {
                Some(mut blob) => {
                    if damaged && let Some(byte) = blob.last_mut() {
                        *byte ^= 1;
                    }
                    blob.into_response()
                }
                None => plain(404),
            };
        }
        if let Some((name, reference)) = rest.split_once("/manifests/") {
            return self.manifest(method, &format!("{name}:{reference}"), headers, &content);
        }
        plain(404)
    }

    fn upload(&mut self, method: &Method, name: &str, id: &str, query: &str, content: &[u8]) -> Response {
        let parameter = |wanted: &str| {
            let pairs: Vec<(String, String)> =
                url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            pairs.into_iter().find(|(key, _)| key == wanted).map(|(_, value)| value)
        };
        match method.as_str() {
            "POST" => {
                if let Some(digest) = parameter("mount") {
                    if self.has(&Fault::MountForbidden) {
                        return plain(403);
                    }
                    let from = format!("{}@{digest}", parameter("from").unwrap_or_default());
                    if let Some(blob) =
                        self.blobs.get(&from).filter(|_| !self.has(&Fault::MountDeclined)).cloned()
                    {
                        self.blobs.insert(format!("{name}@{digest}"), blob);
                        return plain(201);
                    }
                }
                let id = format!("session-{}", self.log.len());
                self.uploads.insert(id.clone(), Vec::new());
                self.location(202, name, &id)
            }
            "PATCH" => {
                if self.once(&Fault::PatchFails) || self.has(&Fault::NoPatch) {
                    return body(411, "length required");
                }
                match self.uploads.get_mut(id) {
                    Some(upload) => upload.extend_from_slice(content),
                    None => return plain(404),
                }
                self.location(202, name, id)
            }
            "PUT" => {
                let Some(mut upload) = self.uploads.remove(id) else { return plain(404) };
                upload.extend_from_slice(content);
                let digest = parameter("digest").unwrap_or_default();
                if Digest::of(&upload).to_string() != digest {
                    return body(
                        400,
                        r#"{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}"#,
                    );
                }
                self.blobs.insert(format!("{name}@{digest}"), upload);
                plain(201)
            }
            "DELETE" => {
                self.uploads.remove(id);
                plain(204)
            }
            _ => plain(405),
        }
    }

    fn location(&self, status: u16, name: &str, id: &str) -> Response {
        let path = format!("/v2/{name}/blobs/uploads/{id}?state=a%2Fb");
        let elsewhere = self.faults.iter().find_map(|fault| match fault {
            Fault::LocationElsewhere(port) => Some(*port),
            _ => None,
        });
        let location = match elsewhere {
            _ if self.has(&Fault::NoLocation) => return plain(status),
            Some(port) => format!("http://127.0.0.1:{port}{path}"),
            None if self.has(&Fault::RelativeLocation) => path,
            None => format!("http://{}{path}", self.host),
        };
        (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, location)]).into_response()
    }

    fn manifest(&mut self, method: &Method, name: &str, headers: &HeaderMap, content: &[u8]) -> Response {
        if method == Method::PUT {
            let media_type = headers[header::CONTENT_TYPE].to_str().unwrap().to_owned();
            self.manifests.insert(name.to_owned(), (media_type.clone(), content.to_vec()));
            let by_digest = format!("{}:{}", name.split(':').next().unwrap(), Digest::of(content));
            self.manifests.insert(by_digest, (media_type, content.to_vec()));
            return plain(201);
        }
        match self.manifests.get(name) {
            Some((media_type, bytes)) => {
                let mut bytes = bytes.clone();
                if self.has(&Fault::ReadsBackWrong)
                    && self.log.iter().any(|line| line.starts_with("PUT") && line.contains("/manifests/"))
                {
                    bytes.push(b' ');
                }
                ([(header::CONTENT_TYPE, media_type.clone())], bytes).into_response()
            }
            None => body(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#),
        }
    }
}
