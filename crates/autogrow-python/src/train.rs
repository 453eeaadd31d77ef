//! [`train()`]: a run on a thread of its own, while the calling thread serves Python: it calls back
//! after each epoch and looks for Ctrl-C.

use crate::array::pixels;
use crate::error::{panicked, raised};
use crate::model::Model;
use autogrow::config::Preset;
use autogrow::data::holdout;
use autogrow::{AutoGrow, Cancel, Dataset, Error, Found, Progress, Result};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyKeyboardInterrupt, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;
use toml::Value;

/// How often Python is asked for signals.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(50);

/// Names of the presets.
const PRESETS: [&str; 3] = ["standard", "paper", "quick"];

/// What to train, and how.
#[derive(FromPyObject)]
pub(crate) struct Request<'py> {
    #[pyo3(item)]
    data: Data<'py>,
    #[pyo3(item)]
    network: String,
    #[pyo3(item)]
    depth: Option<String>,
    #[pyo3(item)]
    preset: Option<String>,
    /// Keys of the configuration and their values, in order.
    #[pyo3(item)]
    settings: Vec<(String, Bound<'py, PyAny>)>,
    #[pyo3(item)]
    folder: Option<PathBuf>,
}

/// What to train on.
#[derive(FromPyObject)]
enum Data<'py> {
    /// A registered data set.
    Named(String),
    Arrays(Arrays<'py>),
}

/// Arrays in memory.
#[derive(FromPyObject)]
struct Arrays<'py> {
    /// [images, channels, height, width].
    #[pyo3(item)]
    pixels: Bound<'py, PyAny>,
    /// Of an image.
    #[pyo3(item)]
    image: [usize; 3],
    /// Classes [images] of int64, or values [images, width] of float64.
    #[pyo3(item)]
    answers: Bound<'py, PyAny>,
    /// Names of the classes, or of the values.
    #[pyo3(item)]
    names: Vec<String>,
    /// Whether the answers are values.
    #[pyo3(item)]
    is_regression: bool,
    /// Names of the columns of a table.
    #[pyo3(item)]
    columns: Option<Vec<String>>,
    /// Part of the images that guides growth, where that is given.
    #[pyo3(item)]
    held_out: Option<f64>,
    /// Fixes which.
    #[pyo3(item)]
    seed: u64,
}

/// What a run comes to.
type Outcome = std::result::Result<Result<Found>, Box<dyn std::any::Any + Send>>;

/// Trains a network and finds its depth. `callback` is given a dictionary after each epoch; an
/// exception from it ends the run. Gives the model and a dictionary about the run.
#[pyfunction]
pub(crate) fn train<'py>(
    py: Python<'py>,
    request: Request<'py>,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<(Model, Bound<'py, PyDict>)> {
    let raise = |error: Error| raised(py, &error);
    let mut run = AutoGrow::new(&request.network);
    let data = match request.data {
        Data::Named(ref name) => {
            run = configured(py, run, &request, None)?;
            py.detach(|| run.open(name)).map_err(raise)?
        }
        Data::Arrays(ref arrays) => {
            let images = arrays.answers.len()?;
            run = configured(py, run, &request, Some((images, arrays.is_regression)))?;
            let usual = holdout(images, 1.0).0 as f64 / images as f64;
            let (held_out, seed) = (arrays.held_out.unwrap_or(usual), arrays.seed);
            let data = dataset(arrays)?;
            py.detach(|| data.hold_out(held_out, seed)).map_err(raise)?
        }
    };
    let cancel = run.cancel();
    let (epochs, mut told) = channel();
    let (answer, answers) = channel();
    let run = run.on_epoch(move |progress| tell(progress, &epochs, &answers));
    let running = thread::Builder::new().name("autogrow".into());
    let running = running.spawn(move || run.run_or_part(&data));
    let running = running.map_err(|error| raise(Error::run("autogrow", error.to_string())))?;
    let ended = serve(py, &mut told, &answer, &cancel, callback.as_ref());
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

/// Settings from weak to strong: by the size of the data, a preset, what is set by itself. `arrays` are
/// the number of images and whether it is a regression.
fn configured(
    py: Python<'_>,
    mut run: AutoGrow,
    request: &Request<'_>,
    arrays: Option<(usize, bool)>,
) -> PyResult<AutoGrow> {
    let raise = |error: Error| raised(py, &error);
    let set = |run: AutoGrow, (key, value): &(String, Bound<'_, PyAny>)| {
        run.set(key, setting(value)?).map_err(raise)
    };
    if let Some((images, is_regression)) = arrays {
        let objective = if is_regression { "values" } else { "classes" };
        run = run.set("training.objective", objective).map_err(raise)?;
        if request.preset.is_none() {
            run = run.sized(images);
        }
    }
    if let Some(name) = &request.preset {
        let preset = match &**name {
            "standard" => Preset::Standard,
            "paper" => Preset::Paper,
            "quick" => Preset::Quick,
            _ => return Err(raise(Error::unknown("preset", "preset", name, PRESETS))),
        };
        // What it sets depends on how much of which data there is.
        if let Data::Named(name) = &request.data {
            run = run.set("data.name", name.as_str()).map_err(raise)?;
        }
        let of_data = request.settings.iter().filter(|(key, _)| key.starts_with("data."));
        run = of_data.into_iter().try_fold(run, set)?;
        run = run.preset(preset).map_err(raise)?;
    }
    run = request.settings.iter().try_fold(run, set)?;
    if let Some(depth) = &request.depth {
        let wrong = |problem: String| raise(Error::config("network.depth", problem));
        run = run.depth(depth.parse().map_err(wrong)?);
    }
    if let Some(folder) = &request.folder {
        run = run.folder(folder);
    }
    Ok(run)
}

/// A value of Python as one of the configuration.
fn setting(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_instance_of::<PyBool>() {
        return Ok(Value::Boolean(value.extract()?));
    }
    if value.is_instance_of::<PyInt>() {
        return Ok(Value::Integer(value.extract()?));
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(Value::Float(value.extract()?));
    }
    if value.is_instance_of::<PyString>() {
        return Ok(Value::String(value.extract()?));
    }
    match value.try_iter() {
        Ok(items) => items.map(|item| setting(&item?)).collect::<PyResult<_>>().map(Value::Array),
        Err(_) => {
            let kind = value.get_type().name()?;
            Err(PyTypeError::new_err(format!("a setting is a number or text, not {kind}")))
        }
    }
}

fn dataset(arrays: &Arrays<'_>) -> PyResult<Dataset> {
    let py = arrays.pixels.py();
    let pixels = pixels(&arrays.pixels)?;
    let names = arrays.names.iter();
    let made = if arrays.is_regression {
        let values = PyBuffer::<f64>::get(&arrays.answers)?.to_vec(py)?;
        Dataset::from_values(pixels, arrays.image, arrays.names.len(), values)
    } else {
        let labels = PyBuffer::<i64>::get(&arrays.answers)?.to_vec(py)?;
        // What is below 0 becomes too large, and is refused.
        Dataset::from_arrays(pixels, arrays.image, labels.into_iter().map(|label| label as usize))
    };
    let made = made.and_then(|data| data.standardised().with_classes(names));
    let made = made.and_then(|data| match &arrays.columns {
        Some(columns) => data.with_columns(columns),
        None => Ok(data),
    });
    made.map_err(|error| raised(py, &error))
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
