//! A Maven repository on loopback: the files that it is given, and a small zip for every jar and the like.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use super::zip_of;

/// A running repository; it ends with the process.
pub(crate) struct MavenRepository {
    port: u16,
}

impl MavenRepository {
    /// Serves `files` by their paths. Whatever looks like the file of a project is there; with `$` in its name it is not.
    pub(crate) fn start(files: HashMap<String, String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let files = Arc::new(files);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let files = Arc::clone(&files);
                std::thread::spawn(move || {
                    let _ = serve(&stream, &files);
                });
            }
        });
        Self { port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}

fn serve(mut stream: &TcpStream, files: &HashMap<String, String>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while reader.read_line(&mut head)? > 2 {}
        let mut words = head.split(' ');
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(()) };
        let path = path.trim_start_matches('/');
        let is_made = [".jar", ".war", ".zip", ".bundle"].iter().any(|end| path.ends_with(end));
        let content = match files.get(path) {
            Some(text) => Some(text.clone().into_bytes()),
            None if is_made && !path.contains('$') => Some(zip_of(&[])),
            None => None,
        };
        let status = if content.is_some() { "200 OK" } else { "404 Not Found" };
        let content = content.unwrap_or_default();
        stream.write_all(
            format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", content.len()).as_bytes(),
        )?;
        if method != "HEAD" {
            stream.write_all(&content)?;
        }
    }
}
