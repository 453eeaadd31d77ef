//! [`LivePage`]: the page of a run that is running, for browsers on this machine: `train --page`.

use crate::reporter;
use autogrow::{Error, Result};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tiny_http::{Header, Method, Request, Response, Server};

/// A browser that has not asked for so long has been closed.
const CLOSED: Duration = Duration::from_secs(15);

/// How long a browser that is open may take to ask for the last page.
const LAST_PAGE: Duration = Duration::from_secs(5);

/// Serves the page, written anew for each request, until it is dropped.
pub(crate) struct LivePage {
    server: Arc<Server>,
    asked: Arc<Asked>,
    thread: Option<JoinHandle<()>>,
}

/// When the page was asked for last.
#[derive(Default)]
struct Asked {
    at: Mutex<Option<Instant>>,
    again: Condvar,
}

impl LivePage {
    /// The page of the run in `folder`, at a port of this machine's that is free.
    ///
    /// # Errors
    /// [`Error::Run`] where the system grants none.
    pub(crate) fn serve(folder: &Path) -> Result<Self> {
        let refused = |problem: String| {
            Error::run(folder, format!("its page cannot be served ({problem})"))
                .with_hint("leave --page out, and open report.html in the run folder")
        };
        let server = Server::http("127.0.0.1:0").map_err(|error| refused(error.to_string()))?;
        let (server, asked) = (Arc::new(server), Arc::new(Asked::default()));
        let (serving, telling) = (server.clone(), asked.clone());
        let folder = folder.to_path_buf();
        let thread = std::thread::Builder::new().name("page".into()).spawn(move || {
            // It ends with an error once it is unblocked.
            while let Ok(request) = serving.recv() {
                answer(request, &folder);
                *telling.at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                telling.again.notify_all();
            }
        });
        let thread = Some(thread.map_err(|error| refused(error.to_string()))?);
        Ok(Self { server, asked, thread })
    }

    /// Where a browser finds it.
    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.server.server_addr())
    }

    /// Lets a browser that shows the page fetch the last one.
    pub(crate) fn finish(self) {
        let asked = self.asked.at.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *asked;
        if before.is_some_and(|at| at.elapsed() < CLOSED) {
            let same = |at: &mut Option<Instant>| *at == before;
            drop(self.asked.again.wait_timeout_while(asked, LAST_PAGE, same));
        }
    }
}

impl Drop for LivePage {
    fn drop(&mut self) {
        self.server.unblock();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A browser that goes away meanwhile is no error of ours.
fn answer(request: Request, folder: &Path) {
    // Another site's script may have a name of its own for this machine.
    let host = request.headers().iter().find(|header| header.field.equiv("Host"));
    let is_ours = host.is_some_and(|host| {
        let name = host.value.as_str().rsplit_once(':').map_or("", |(name, _)| name);
        ["127.0.0.1", "localhost"].contains(&name)
    });
    let (status, kind, text) = match (request.method(), request.url()) {
        (Method::Get | Method::Head, "/") if is_ours => match reporter::page(folder) {
            Ok(page) => (200, "text/html", page),
            Err(error) => (500, "text/plain", error.to_string()),
        },
        _ => (404, "text/plain", "there is one page here: /".into()),
    };
    let headers = [
        format!("Content-Type: {kind}; charset=utf-8"),
        "Cache-Control: no-store".into(),
        "X-Content-Type-Options: nosniff".into(),
    ];
    let headers = headers.iter().filter_map(|header| header.parse::<Header>().ok());
    let response = Response::from_string(text).with_status_code(status);
    let response = headers.fold(response, Response::with_header);
    drop(request.respond(response));
}
