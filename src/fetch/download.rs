//! One try to bring one artifact in, over http(s) or from a file.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::StreamExt as _;
use percent_encoding::{AsciiSet, percent_encode};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;
use url::Url;

use super::spool::Spool;
use super::{DownloadError, Fetched, Identities, Identity};
use crate::http::{self, HttpError, MAX_REDIRECTS, Proxies, STALL_TIMEOUT};
use crate::path::EntryPath;
use crate::progress::Transfer;
use crate::redact::{Mask, SafeUrl};

/// Bytes of an error page that are looked at.
const ERROR_BODY: usize = 4 << 10;

/// Bytes of a local file that are read at once.
const READ_BUFFER: usize = 128 << 10;

/// What is asked for, and as whom.
pub(super) struct Request<'a> {
    pub(super) client: &'a reqwest::Client,
    pub(super) url: &'a SafeUrl,
    /// For the host of `url` alone.
    pub(super) identity: &'a Identity,
    /// For every host on the way.
    pub(super) identities: &'a Identities,
    /// Whom it goes through.
    pub(super) proxies: &'a Proxies,
    /// The user named the host of `url`.
    pub(super) named: bool,
}

/// Downloads to `path`. The answer's headers come along.
pub(super) async fn download(
    request: &Request<'_>,
    path: &Path,
    limit: u64,
    transfer: &mut Transfer,
) -> Result<(Fetched, HeaderMap), DownloadError> {
    transfer.restart();
    let (response, way) = request.send(Method::GET).await?;
    let at = response.url().clone();
    let headers = response.headers().clone();
    match length(&headers) {
        Some(length) if length > limit => return Err(DownloadError::TooLarge { limit }),
        Some(length) => transfer.total(length),
        None => {}
    }
    let mut spool = Spool::open(path, limit)?;
    let mut body = response.bytes_stream();
    let stalled = |_| DownloadError::Http(HttpError::timeout(&at));
    while let Some(bytes) = timeout(STALL_TIMEOUT, body.next()).await.map_err(stalled)? {
        let bytes = bytes.map_err(|error| DownloadError::Http(HttpError::new(&at, &error)))?;
        transfer.advance(bytes.len() as u64);
        spool.write(bytes).await?;
    }
    let (size, sha512) = spool.finish().await?;
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type =
        content_type.map(|value| request.mask(way).apply(value.split(';').next().unwrap_or_default()));
    Ok((Fetched { path: path.to_owned(), size, sha512, content_type }, headers))
}

/// Reads a small file into memory.
pub(super) async fn read(request: &Request<'_>, limit: usize) -> Result<(Vec<u8>, HeaderMap), DownloadError> {
    let (mut response, _) = request.send(Method::GET).await?;
    let (at, headers) = (response.url().clone(), response.headers().clone());
    let mut content = Vec::new();
    let too_large = || DownloadError::TooLarge { limit: limit as u64 };
    if length(&headers).is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let stalled = |_| DownloadError::Http(HttpError::timeout(&at));
    loop {
        let next = timeout(STALL_TIMEOUT, response.chunk()).await.map_err(stalled)?;
        let Some(bytes) = next.map_err(|error| DownloadError::Http(HttpError::new(&at, &error)))? else {
            return Ok((content, headers));
        };
        if content.len() + bytes.len() > limit {
            return Err(too_large());
        }
        content.extend_from_slice(&bytes);
    }
}

/// The length that the answer to a `HEAD` promises.
pub(super) async fn size(request: &Request<'_>) -> Result<Option<u64>, DownloadError> {
    let (response, _) = request.send(Method::HEAD).await?;
    Ok(length(response.headers()))
}

/// Not `content_length()`, which some bodies do not know: the header is what the server promises.
fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

impl Request<'_> {
    /// Sends it, and says which way it went. Any answer but a whole file is an error: 204 has no content, 206 only a part of it.
    /// Of 203 somebody on the way says that it is not as it was, and checksums will tell.
    async fn send(&self, method: Method) -> Result<(Response, Vec<Url>), DownloadError> {
        let (response, way) = self.follow(method).await.map_err(DownloadError::Http)?;
        let status = response.status();
        if matches!(status, StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION) {
            return Ok((response, way));
        }
        let headers = response.headers().clone();
        let body = start_of_body(response).await;
        Err(DownloadError::Http(HttpError::status(status, &headers, &body, &self.mask(way))))
    }

    /// What hides everything that was said to the hosts on the `way`.
    fn mask(&self, way: Vec<Url>) -> Mask {
        let identities = way.iter().filter_map(|url| self.identities.identity(url, true));
        let said =
            identities.chain([self.identity]).map(Identity::mask).fold(self.proxies.mask(), Mask::with);
        way.into_iter().map(|url| SafeUrl::new(url).mask()).fold(said, Mask::with)
    }

    /// The answer behind the URL, redirects followed, and the URLs on the way, from the first to the last. The client follows
    /// none by itself: it would blame the first host for what the last one does.
    async fn follow(&self, method: Method) -> Result<(Response, Vec<Url>), HttpError> {
        let mut way = Vec::new();
        let mut at = self.url.expose().clone();
        for _ in 0..=MAX_REDIRECTS {
            let request = self.identify(self.client.request(method.clone(), at.clone()), &at);
            let answer = timeout(STALL_TIMEOUT, request.send()).await;
            let response =
                answer.map_err(|_| HttpError::timeout(&at))?.map_err(|error| HttpError::new(&at, &error))?;
            let next = redirect(&response, &at)?;
            way.push(at);
            match next {
                Some(next) => at = next,
                None => return Ok((response, way)),
            }
        }
        Err(HttpError::Redirects { host: http::host_of(&at) })
    }

    /// Says who asks, to whom it may know: user and password of the URL itself come before everything else.
    fn identify(&self, mut request: RequestBuilder, at: &Url) -> RequestBuilder {
        let first = self.url.expose();
        // Who is redirected to another host is known there by what was said of that host. Another port or scheme of the same one
        // may be somebody else, and what goes from https to http is read by anybody.
        let known = if at.origin() == first.origin() {
            Some(self.identity)
                .filter(|given| !given.is_empty())
                .or_else(|| self.identities.identity(at, self.named))
        } else if at.host() == first.host() || (at.scheme() == "http" && first.scheme() == "https") {
            None
        } else {
            self.identities.identity(at, false)
        };
        let identity = match known {
            Some(identity) if at.username().is_empty() && at.password().is_none() => identity,
            _ => return request,
        };
        let authorization = identity.authorization().map(|value| (AUTHORIZATION.to_string(), value));
        for (name, value) in identity.headers.iter().cloned().chain(authorization) {
            if let Ok(mut value) = HeaderValue::from_str(value.expose()) {
                value.set_sensitive(true);
                request = request.header(name, value);
            }
        }
        request
    }
}

/// Where a redirect leads. User and password stay with the host that they were given for.
fn redirect(response: &Response, at: &Url) -> Result<Option<Url>, HttpError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION);
    // Bytes beyond ASCII are sent back as they came, whatever they were meant to be.
    let location = location.map(|value| percent_encode(value.as_bytes(), &AsciiSet::EMPTY).to_string());
    let Some(mut next) = location.and_then(|location| at.join(&location).ok()) else { return Ok(None) };
    if !matches!(next.scheme(), "http" | "https") {
        return Err(HttpError::Scheme { host: http::host_of(at) });
    }
    if next.origin() == at.origin() && next.username().is_empty() {
        // Neither can fail for a URL with a host.
        let _ = next.set_username(at.username());
        let _ = next.set_password(at.password());
    }
    Ok(Some(next))
}

/// Copies a local file to `path`, so that what is verified cannot change afterwards.
pub(super) async fn copy_file(
    mut content: impl AsyncRead + Unpin,
    file: &Path,
    path: &Path,
    limit: u64,
    transfer: &mut Transfer,
) -> Result<Fetched, DownloadError> {
    let mut spool = Spool::open(path, limit)?;
    loop {
        let mut buffer = vec![0; READ_BUFFER];
        let count = (content.read(&mut buffer).await)
            .map_err(|source| DownloadError::ReadFile { file: file.to_owned(), source })?;
        if count == 0 {
            break;
        }
        buffer.truncate(count);
        transfer.advance(count as u64);
        spool.write(Bytes::from(buffer)).await?;
    }
    let (size, sha512) = spool.finish().await?;
    Ok(Fetched { path: path.to_owned(), size, sha512, content_type: None })
}

/// The real path of a `file:` artifact, which must be a file inside `directory`, links resolved.
pub(super) fn local_file(directory: &Path, path: &EntryPath) -> Result<PathBuf, DownloadError> {
    let file = directory.join(path.as_str());
    let read = |source| DownloadError::ReadFile { file: file.clone(), source };
    let real = file.canonicalize().map_err(read)?;
    let root = directory.canonicalize().map_err(read)?;
    if !real.starts_with(root) {
        return Err(DownloadError::Outside { file });
    }
    if !real.is_file() {
        return Err(DownloadError::NoFile { file });
    }
    Ok(real)
}

async fn start_of_body(mut response: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < ERROR_BODY
        && let Ok(Ok(Some(bytes))) = timeout(STALL_TIMEOUT, response.chunk()).await
    {
        body.extend_from_slice(&bytes);
    }
    body.truncate(ERROR_BODY);
    body
}
