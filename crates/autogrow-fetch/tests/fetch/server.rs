//! A server on this machine that does as its script says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// How many requests came before it.
    pub(crate) number: usize,
    /// The word before the path.
    pub(crate) method: String,
    /// The path, or what a proxy is asked for.
    pub(crate) path: String,
    /// First byte of the range.
    pub(crate) from: Option<usize>,
    pub(crate) if_range: Option<String>,
}

/// A server on 127.0.0.1 with a thread a connection, each of which answers one request.
pub(crate) struct Server {
    pub(crate) address: String,
    log: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(script: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (log, stop) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<AtomicBool>::default());
        let (requests, stopped, script) = (log.clone(), stop.clone(), Arc::new(script));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (Ok(mut stream), requests, script) = (stream, requests.clone(), script.clone())
                else {
                    continue;
                };
                std::thread::spawn(move || {
                    let Some(mut request) = read_request(&stream) else { return };
                    {
                        let mut requests = requests.lock().unwrap();
                        request.number = requests.len();
                        requests.push(request.clone());
                    }
                    script(&request, &mut stream);
                    // The client reads what was sent before it learns that this is all.
                    let _ = stream.shutdown(Shutdown::Write);
                    let _ = stream.read_to_end(&mut Vec::new());
                });
            }
        });
        Self { address, log, stop, thread: Some(thread) }
    }

    /// A server that has this file and does all that it should.
    pub(crate) fn good(body: Vec<u8>) -> Self {
        Self::start(move |request, stream| serve(request, stream, &body, "\"1\""))
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address.trim_start_matches("http://"));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_string(), words.next()?.to_string());
    let mut request = Request { number: 0, method, path, from: None, if_range: None };
    for line in lines {
        let line = line.ok()?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                let from = value.trim().strip_prefix("bytes=")?.strip_suffix('-')?;
                request.from = Some(from.parse().ok()?);
            }
            "if-range" => request.if_range = Some(value.trim().to_string()),
            _ => {}
        }
    }
    Some(request)
}

/// Sends a head. The client may be gone, so nothing is made of errors.
pub(crate) fn head(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)]) {
    let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    let _ = stream.write_all(format!("{text}\r\n").as_bytes());
}

/// Answers as a good server: the whole file, or the rest of it where its tag is still the same.
pub(crate) fn serve(request: &Request, stream: &mut TcpStream, body: &[u8], tag: &str) {
    serve_some(request, stream, body, tag, usize::MAX);
}

/// Answers as a good server that loses its connection after `bytes` bytes.
pub(crate) fn serve_some(
    request: &Request,
    stream: &mut TcpStream,
    body: &[u8],
    tag: &str,
    bytes: usize,
) {
    let is_same = request.if_range.as_deref().is_none_or(|known| known == tag);
    let from = request.from.filter(|_| is_same).unwrap_or(0);
    if from >= body.len() && from > 0 {
        let range = format!("bytes */{}", body.len());
        return head(stream, "416 Range Not Satisfiable", &[("Content-Range", &range)]);
    }
    let rest = &body[from..];
    let length = rest.len().to_string();
    let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
    if from > 0 {
        let headers = [("Content-Length", &*length), ("Content-Range", &*range), ("ETag", tag)];
        head(stream, "206 Partial Content", &headers);
    } else {
        head(stream, "200 OK", &[("Content-Length", &*length), ("ETag", tag)]);
    }
    let _ = stream.write_all(&rest[..bytes.min(rest.len())]);
}

/// Sends a whole answer with exactly these headers and this body.
pub(crate) fn answer(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) {
    head(stream, status, headers);
    let _ = stream.write_all(body);
}
