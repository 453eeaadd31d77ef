//! [`train()`]: a run from what Python asks for to what it is told of it.

use crate::certify::Finished;
use crate::error::raised;
use crate::model::Model;
use crate::request::Request;
use crate::serve::{Listener, epoch, served};
use autogrow::{Error, Found};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Trains a network and finds its depth. `callback` is given a dictionary after each epoch; an
/// exception from it ends the run. Gives the model, the run to be certified, and a dictionary about it.
#[pyfunction]
pub(crate) fn train<'py>(
    py: Python<'py>,
    request: Request<'py>,
    callback: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Model, Finished, Bound<'py, PyDict>)> {
    let folder = request.folder.clone();
    let (run, data) = request.open(py)?;
    let listener = Listener { callback, phase: None, cancel: run.cancel() };
    let (found, ended) =
        served(py, &listener, move |on_epoch| run.on_epoch(on_epoch).run_or_part(&data))?;
    let interrupted = match ended {
        Ok(()) => false,
        Err(error) if error.is_instance_of::<PyKeyboardInterrupt>(py) => true,
        Err(error) => return Err(error),
    };
    let about = about(py, &found, interrupted)?;
    Ok((Model::new(found.model()), Finished::new(found, folder), about))
}

/// What there is to tell of a run that has ended.
fn about<'py>(py: Python<'py>, found: &Found, interrupted: bool) -> PyResult<Bound<'py, PyDict>> {
    let damaged = |error: serde_json::Error| raised(py, &Error::run("the run", error.to_string()));
    let about = PyDict::new(py);
    let epochs = found.history.iter().map(|progress| epoch(py, progress, None));
    about.set_item("history", epochs.collect::<PyResult<Vec<_>>>()?)?;
    about.set_item("outcome", serde_json::to_string(&found.outcome).map_err(damaged)?)?;
    about.set_item("events", serde_json::to_string(&found.events).map_err(damaged)?)?;
    about.set_item("interrupted", interrupted || !found.is_complete)?;
    Ok(about)
}
