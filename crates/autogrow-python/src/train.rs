//! [`train()`]: a run on a thread of its own, while the calling thread serves Python: it calls back
//! after each epoch and looks for Ctrl-C.

use crate::error::{panicked, raised};
use crate::model::Model;
use crate::request::Request;
use autogrow::{Cancel, Error, Found, Progress, Result};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// How often Python is asked for signals.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(50);

/// What a run comes to.
type Outcome = std::result::Result<Result<Found>, Box<dyn std::any::Any + Send>>;

/// Trains a network and finds its depth. `callback` is given a dictionary after each epoch; an
/// exception from it ends the run. Gives the model and a dictionary about the run.
#[pyfunction]
pub(crate) fn train<'py>(
    py: Python<'py>,
    request: Request<'py>,
    callback: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Model, Bound<'py, PyDict>)> {
    let raise = |error: Error| raised(py, &error);
    let (run, data) = request.open(py)?;
    let cancel = run.cancel();
    let (epochs, mut told) = channel();
    let (answer, answers) = channel();
    let run = run.on_epoch(move |progress| tell(progress, &epochs, &answers));
    let running = thread::Builder::new().name("autogrow".into());
    let running = running.spawn(move || run.run_or_part(&data));
    let running = running.map_err(|error| raise(Error::run("autogrow", error.to_string())))?;
    let ended = serve(py, &mut told, &answer, &cancel, callback);
    // The thread ends soon: what it waits for is gone.
    drop(answer);
    let outcome: Outcome = py.detach(|| running.join());
    let found = match outcome {
        Err(panic) => return Err(panicked(py, &*panic)),
        Ok(Err(error)) => return Err(ended.err().unwrap_or_else(|| raise(error))),
        Ok(Ok(found)) => found,
    };
    let interrupted = match ended {
        Ok(()) => false,
        Err(error) if error.is_instance_of::<PyKeyboardInterrupt>(py) => true,
        Err(error) => return Err(error),
    };
    let about = about(py, &found, interrupted)?;
    Ok((Model::new(found.model()), about))
}

/// Tells an epoch, and waits until it has been heard.
fn tell(progress: &Progress, epochs: &Sender<Progress>, answers: &Receiver<()>) {
    if epochs.send(progress.clone()).is_ok() {
        // Where nobody listens any more the run is cancelled.
        let _ = answers.recv();
    }
}

/// Calls back after each epoch, and looks for signals, until the run is over. After an exception it
/// waits for the run to end and gives it back.
fn serve(
    py: Python<'_>,
    told: &mut Receiver<Progress>,
    answer: &Sender<()>,
    cancel: &Cancel,
    callback: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let mut ended = Ok(());
    loop {
        let epochs = &mut *told;
        let told = py.detach(move || epochs.recv_timeout(BETWEEN_SIGNALS));
        if let (Ok(progress), Some(callback), true) = (&told, callback, ended.is_ok()) {
            ended = epoch(py, progress).and_then(|epoch| callback.call1((epoch,)).map(drop));
        }
        if ended.is_ok() {
            ended = py.check_signals();
        }
        if ended.is_err() {
            cancel.cancel();
        }
        match told {
            // The run may have ended meanwhile.
            Ok(_) => drop(answer.send(())),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return ended,
        }
    }
}

/// An epoch as a dictionary.
fn epoch<'py>(py: Python<'py>, progress: &Progress) -> PyResult<Bound<'py, PyDict>> {
    let Progress { epoch, depth, metrics, seconds, epochs_left } = progress;
    let told = PyDict::new(py);
    told.set_item("epoch", epoch)?;
    told.set_item("depth", depth.to_string())?;
    told.set_item("phase", metrics.phase.name())?;
    told.set_item("learning_rate", metrics.learning_rate)?;
    told.set_item("train_loss", metrics.train_loss)?;
    told.set_item("train_score", metrics.train_accuracy)?;
    told.set_item("val_loss", metrics.val_loss)?;
    told.set_item("val_score", metrics.val_accuracy)?;
    told.set_item("seconds", seconds)?;
    told.set_item("epochs_left", epochs_left)?;
    Ok(told)
}

/// What there is to tell of a run that has ended.
fn about<'py>(py: Python<'py>, found: &Found, interrupted: bool) -> PyResult<Bound<'py, PyDict>> {
    let damaged = |error: serde_json::Error| raised(py, &Error::run("the run", error.to_string()));
    let about = PyDict::new(py);
    let epochs = found.history.iter().map(|progress| epoch(py, progress));
    about.set_item("history", epochs.collect::<PyResult<Vec<_>>>()?)?;
    about.set_item("outcome", serde_json::to_string(&found.outcome).map_err(damaged)?)?;
    about.set_item("events", serde_json::to_string(&found.events).map_err(damaged)?)?;
    about.set_item("interrupted", interrupted || !found.is_complete)?;
    Ok(about)
}
