//! A file server on loopback, with faults that no real server makes on demand.
//!
//! Faults are named after what a client sees. The server writes raw bytes, so that it can break every rule.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a path answers.
#[derive(Clone)]
pub(crate) enum Answer {
    /// 200 with these bytes.
    Content(Vec<u8>),
    /// 200 with these bytes and this `Content-Type`.
    Typed(&'static str, Vec<u8>),
    /// This status line, headers and body.
    Raw(String),
    /// `Content-Length` promises more than comes before the connection ends.
    Truncated(Vec<u8>),
    /// 302 to another URL.
    Redirect(String),
    /// The first answers of a path, then the last one again and again.
    InTurn(Vec<Answer>),
    /// Half of the content, then nothing for long.
    Stalled(Vec<u8>),
    /// Half of the content, and the other half so much later.
    Slow(Vec<u8>, Duration),
}

/// A running server; it ends with the process.
pub(crate) struct ArtifactServer {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<(String, Answer)>>>,
}

impl ArtifactServer {
    pub(crate) fn start(answers: &[(&str, Answer)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers: Vec<(String, Answer)> =
            answers.iter().map(|(path, answer)| ((*path).to_owned(), answer.clone())).collect();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answers, log) = (Arc::new(Mutex::new(answers)), Arc::clone(&requests));
        let all = Arc::clone(&answers);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, log) = (Arc::clone(&answers), Arc::clone(&log));
                std::thread::spawn(move || {
                    let _ = serve(&stream, &answers, &log);
                });
            }
        });
        Self { port, requests, answers: all }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// From now on this path has this answer too.
    pub(crate) fn answer_also(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().push((path.to_owned(), answer));
    }

    /// From now on this path has this answer, whatever it had before.
    pub(crate) fn answer_instead(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().retain(|(known, _)| known != path);
        self.answer_also(path, answer);
    }

    /// From now on every path has this answer.
    pub(crate) fn answer_everything(&self, answer: Answer) {
        *self.answers.lock().unwrap() = vec![("*".to_owned(), answer)];
    }

    /// Head of each request so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: &TcpStream,
    answers: &Mutex<Vec<(String, Answer)>>,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(stream);
    while reader.read_line(&mut head)? > 2 {}
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    log.lock().unwrap().push(head);
    let answer = take(&mut answers.lock().unwrap(), &path);
    match answer {
        None => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        Some(Answer::Content(bytes)) => content(stream, "application/octet-stream", bytes.len(), &bytes),
        Some(Answer::Typed(kind, bytes)) => content(stream, kind, bytes.len(), &bytes),
        Some(Answer::Truncated(bytes)) => {
            content(stream, "application/octet-stream", bytes.len() + 1_000, &bytes)
        }
        Some(Answer::Raw(text)) => stream.write_all(text.as_bytes()),
        Some(Answer::Redirect(to)) => stream.write_all(
            format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        ),
        Some(Answer::Stalled(bytes)) => {
            content(stream, "application/octet-stream", bytes.len() * 2, &bytes)?;
            std::thread::sleep(Duration::from_mins(1));
            Ok(())
        }
        Some(Answer::Slow(bytes, pause)) => {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            content(stream, "application/octet-stream", bytes.len(), first)?;
            std::thread::sleep(pause);
            stream.write_all(second)
        }
        Some(Answer::InTurn(_)) => Ok(()),
    }
}

fn content(mut stream: &TcpStream, kind: &str, length: usize, bytes: &[u8]) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(bytes)
}

fn take(answers: &mut [(String, Answer)], path: &str) -> Option<Answer> {
    let (_, answer) = answers.iter_mut().find(|(known, _)| known == path || known == "*")?;
    Some(match answer {
        Answer::InTurn(turns) if turns.len() > 1 => turns.remove(0),
        Answer::InTurn(turns) => turns[0].clone(),
        other => other.clone(),
    })
}
