//! [`served`]: training on a thread of its own, while the calling thread serves Python: it calls back after
//! each epoch and looks for Ctrl-C.

use crate::error::{panicked, raised};
use autogrow::{Cancel, Error, Progress, Result};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// How often Python is asked for signals.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(50);

/// Who trains tells these of each epoch.
pub(crate) type OnEpoch = Box<dyn FnMut(&Progress) + Send>;

/// Who hears of epochs.
pub(crate) struct Listener<'a, 'py> {
    /// Is given a dictionary after each epoch. An exception from it ends the training.
    pub(crate) callback: Option<&'a Bound<'py, PyAny>>,
    /// What the dictionary says of the phase, in place of the run's own.
    pub(crate) phase: Option<&'a str>,
    /// Ends the training.
    pub(crate) cancel: Cancel,
}

/// What `train` gives, and the exception that has ended it early, if one has.
///
/// # Errors
/// That exception where nothing was trained; errors and panics of `train`.
pub(crate) fn served<T: Send + 'static>(
    py: Python<'_>,
    listener: &Listener<'_, '_>,
    train: impl FnOnce(OnEpoch) -> Result<T> + Send + 'static,
) -> PyResult<(T, PyResult<()>)> {
    let raise = |error: Error| raised(py, &error);
    let (epochs, mut told) = channel();
    let (answer, answers) = channel();
    let on_epoch = Box::new(move |progress: &Progress| tell(progress, &epochs, &answers));
    let running = thread::Builder::new().name("autogrow".into());
    let running = running.spawn(move || train(on_epoch));
    let running = running.map_err(|error| raise(Error::run("autogrow", error.to_string())))?;
    let ended = serve(py, &mut told, &answer, listener);
    // The thread ends soon: what it waits for is gone.
    drop(answer);
    match py.detach(|| running.join()) {
        Err(panic) => Err(panicked(py, &*panic)),
        Ok(Err(error)) => Err(ended.err().unwrap_or_else(|| raise(error))),
        Ok(Ok(trained)) => Ok((trained, ended)),
    }
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
    listener: &Listener<'_, '_>,
) -> PyResult<()> {
    let mut ended = Ok(());
    loop {
        let epochs = &mut *told;
        let told = py.detach(move || epochs.recv_timeout(BETWEEN_SIGNALS));
        if let (Ok(progress), Some(callback), true) = (&told, listener.callback, ended.is_ok()) {
            let epoch = epoch(py, progress, listener.phase);
            ended = epoch.and_then(|epoch| callback.call1((epoch,)).map(drop));
        }
        if ended.is_ok() {
            ended = py.check_signals();
        }
        if ended.is_err() {
            listener.cancel.cancel();
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
pub(crate) fn epoch<'py>(
    py: Python<'py>,
    progress: &Progress,
    phase: Option<&str>,
) -> PyResult<Bound<'py, PyDict>> {
    let Progress { epoch, depth, metrics, seconds, epochs_left } = progress;
    let told = PyDict::new(py);
    told.set_item("epoch", epoch)?;
    told.set_item("depth", depth.to_string())?;
    told.set_item("phase", phase.unwrap_or(metrics.phase.name()))?;
    told.set_item("learning_rate", metrics.learning_rate)?;
    told.set_item("train_loss", metrics.train_loss)?;
    told.set_item("train_score", metrics.train_accuracy)?;
    told.set_item("val_loss", metrics.val_loss)?;
    told.set_item("val_score", metrics.val_accuracy)?;
    told.set_item("seconds", seconds)?;
    told.set_item("epochs_left", epochs_left)?;
    Ok(told)
}
