//! One request for a file or the rest of it, and what is to be made of the answer.

use crate::mismatch::Mismatch;
use std::io::{self, Read};
use std::net::IpAddr;
use std::time::Duration;
use ureq::http::{Response, StatusCode, Uri, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, Timeout};

/// Redirections that are followed.
const REDIRECTS: u32 = 8;

/// How long, and how often, is waited for a server.
#[derive(Clone, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the next bytes.
    pub stall: Duration,
    /// How often in a row an address is asked that brings nothing.
    pub attempts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(30), stall: Duration::from_secs(60), attempts: 5 }
    }
}

/// What is wrong with an address.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It answered with a status that means no file.
    #[error("answered {0}")]
    Status(u16),
    /// It answered with something for people to read.
    #[error("answered with a web page instead of the file")]
    WebPage,
    /// It announced a file of another length.
    #[error("announced {announced} bytes instead of {expected}")]
    Announced {
        /// Bytes of the published file.
        expected: u64,
        /// Bytes that it announced.
        announced: u64,
    },
    /// It sent more than the file has.
    #[error("sent more than the {expected} bytes of the file")]
    TooLong {
        /// Bytes of the published file.
        expected: u64,
    },
    /// It sent another file.
    #[error("sent a wrong file: it {0}")]
    Mismatch(Mismatch),
    /// It did not go on with the file that was begun.
    #[error("has another file than the one that was begun, or did not go on where it was asked to")]
    Changed,
    /// It sent nothing for too long.
    #[error("sent nothing for {} ms", .0.as_millis())]
    Stalled(Duration),
    /// The connection ended before the file did.
    #[error("the connection was cut after {received} bytes")]
    Cut {
        /// Bytes of the file that are there.
        received: u64,
    },
    /// It redirected in a circle.
    #[error("redirects more than {REDIRECTS} times")]
    Redirects,
    /// It did not prove who it is: another try will not either.
    #[error("its certificate is not trusted ({0})")]
    Certificate(String),
    /// There is no connection, or no HTTP over it.
    #[error("{0}")]
    Connection(String),
}

impl Problem {
    /// Whether the same address may have the file the next time.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..),
            Self::Stalled(_) | Self::Cut { .. } | Self::Connection(_) => true,
            _ => false,
        }
    }
}

/// The rest of a file, from where on it is wanted.
pub(crate) struct Resume<'a> {
    /// The first byte.
    pub(crate) from: u64,
    /// What the server said of the file that was begun: an `ETag` or a `Last-Modified`.
    pub(crate) version: Option<&'a str>,
}

/// What a server has.
pub(crate) enum Answer {
    /// The file, or the rest of it.
    File {
        /// The first byte.
        from: u64,
        /// Bytes of the whole file.
        size: Option<u64>,
        /// What to recognise the file by when it is gone on with.
        version: Option<String>,
        /// The bytes.
        body: Box<dyn Read>,
    },
    /// Nothing follows the bytes that are there.
    NoMore,
}

/// Asks servers for files.
pub(crate) struct Client {
    agent: Agent,
    /// For this machine's own addresses, which no proxy reaches.
    direct: Agent,
    stall: Duration,
}

impl Client {
    /// A client that uses the proxy of the environment.
    pub(crate) fn new(patience: &Patience) -> Self {
        let roots = trusted();
        let config = || {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(REDIRECTS)
                .user_agent(concat!("autogrow/", env!("CARGO_PKG_VERSION")))
                // Checksums are those of files as they lie on the server.
                .accept_encoding("identity")
                .timeout_connect(Some(patience.connect))
                .timeout_resolve(Some(patience.connect))
                .timeout_per_read(Some(patience.stall))
                .tls_config(TlsConfig::builder().root_certs(roots.clone()).build())
        };
        Self {
            agent: config().build().into(),
            direct: config().proxy(None).build().into(),
            stall: patience.stall,
        }
    }

    /// Asks `address` for a file, or the rest of it.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub(crate) fn get(
        &self,
        address: &str,
        resume: Option<&Resume<'_>>,
    ) -> Result<Answer, Problem> {
        let agent = if is_own(address) { &self.direct } else { &self.agent };
        let mut request = agent.get(address);
        if let Some(resume) = resume {
            request = request.header(header::RANGE, format!("bytes={}-", resume.from));
            if let Some(version) = resume.version {
                request = request.header(header::IF_RANGE, version);
            }
        }
        let response = request.call().map_err(|error| problem(error, 0, self.stall))?;
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        if text(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html")) {
            return Err(match response.status() {
                StatusCode::OK | StatusCode::PARTIAL_CONTENT => Problem::WebPage,
                status => Problem::Status(status.as_u16()),
            });
        }
        let (from, size) = match (response.status(), resume) {
            (StatusCode::OK, _) => (0, text(header::CONTENT_LENGTH).and_then(|n| n.parse().ok())),
            (StatusCode::PARTIAL_CONTENT, Some(resume)) => {
                let (from, size) =
                    text(header::CONTENT_RANGE).and_then(range).ok_or(Problem::Changed)?;
                let known = resume.version.zip(version(&response));
                if from != resume.from || known.is_some_and(|(old, new)| *old != new) {
                    return Err(Problem::Changed);
                }
                (from, size)
            }
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => return Ok(Answer::NoMore),
            (status, _) => return Err(Problem::Status(status.as_u16())),
        };
        let version = version(&response);
        Ok(Answer::File { from, size, version, body: Box::new(response.into_body().into_reader()) })
    }

    /// What it means that the body could not be read further than `received` bytes of the file.
    pub(crate) fn reading(&self, error: io::Error, received: u64) -> Problem {
        problem(ureq::Error::from(error), received, self.stall)
    }
}

fn problem(error: ureq::Error, received: u64, stall: Duration) -> Problem {
    match error {
        ureq::Error::TooManyRedirects => Problem::Redirects,
        ureq::Error::Timeout(Timeout::PerRead) => Problem::Stalled(stall),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            Problem::Stalled(stall)
        }
        ureq::Error::Io(error)
            if matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
            ) =>
        {
            Problem::Cut { received }
        }
        ureq::Error::Rustls(error) => of_tls(&error),
        ureq::Error::Io(error) => {
            match error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()) {
                Some(cause) => of_tls(cause),
                None => Problem::Connection(error.to_string()),
            }
        }
        other => Problem::Connection(other.to_string()),
    }
}

fn of_tls(error: &rustls::Error) -> Problem {
    match error {
        rustls::Error::InvalidCertificate(why) => Problem::Certificate(why.to_string()),
        rustls::Error::NoCertificatesPresented => Problem::Certificate("it has none".into()),
        other => Problem::Connection(other.to_string()),
    }
}

/// The authorities that this machine trusts, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`; where it has
/// none, as small containers do, those that Mozilla trusts.
fn trusted() -> RootCerts {
    let own = rustls_native_certs::load_native_certs().certs;
    if own.is_empty() {
        return RootCerts::WebPki;
    }
    own.iter().map(|one| Certificate::from_der(one).to_owned()).collect::<Vec<_>>().into()
}

/// What a server recognises its file by: a strong `ETag`, or else the date of its last change.
fn version(response: &Response<Body>) -> Option<String> {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let strong = text(header::ETAG).filter(|tag| !tag.starts_with("W/"));
    strong.or(text(header::LAST_MODIFIED)).map(String::from)
}

/// The first byte and the size of the whole in `bytes 100-199/200`.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (from, _) = range.split_once('-')?;
    Some((from.trim().parse().ok()?, size.trim().parse().ok()))
}

/// Whether an address is one of this machine.
fn is_own(address: &str) -> bool {
    let uri: Option<Uri> = address.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let ip: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host.eq_ignore_ascii_case("localhost") || ip.is_some_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(range("bytes 5-9/*"), Some((5, None)));
        for wrong in ["bytes */10", "5-9/10", "bytes -9/10", "bytes 5", ""] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn own_addresses() {
        for own in ["http://127.0.0.1:80/a", "http://[::1]/a", "https://LOCALHOST/a"] {
            assert!(is_own(own), "{own}");
        }
        for other in ["http://example.org/127.0.0.1", "http://localhost.org", "nothing"] {
            assert!(!is_own(other), "{other}");
        }
    }

    #[test]
    fn what_is_tried_again() {
        for status in [408, 429, 500, 502, 503] {
            assert!(Problem::Status(status).is_passing(), "{status}");
        }
        for status in [400, 401, 403, 404, 410] {
            assert!(!Problem::Status(status).is_passing(), "{status}");
        }
        assert!(!of_tls(&rustls::Error::NoCertificatesPresented).is_passing());
        assert!(!Problem::WebPage.is_passing() && Problem::Cut { received: 1 }.is_passing());
    }
}
