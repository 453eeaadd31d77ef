//! [`Request`]: what Python asks to be trained, as a run and its data.

use crate::array::pixels;
use crate::error::{detached, raised};
use autogrow::config::{PAPERS_KEYS, Preset};
use autogrow::data::{DataSet, holdout};
use autogrow::{AutoGrow, Dataset, Error};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyString};
use std::path::PathBuf;
use toml::Value;

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
    pub(crate) folder: Option<PathBuf>,
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
pub(crate) struct Arrays<'py> {
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

impl Request<'_> {
    /// The run, and what it is trained on.
    ///
    /// # Errors
    /// Those of settings and data, as exceptions.
    pub(crate) fn open(self, py: Python<'_>) -> PyResult<(AutoGrow, DataSet)> {
        let run = AutoGrow::new(&self.network);
        match &self.data {
            Data::Named(name) => {
                let mut run = configured(py, run, &self, None)?;
                let data = py.detach(|| run.open(name)).map_err(|error| raised(py, &error))?;
                Ok((run, data))
            }
            Data::Arrays(arrays) => {
                let images = arrays.answers.len()?;
                let run = configured(py, run, &self, Some((images, arrays.is_regression)))?;
                Ok((run, arrays.open(py)?))
            }
        }
    }
}

impl Arrays<'_> {
    /// The data set of which a part is held out.
    ///
    /// # Errors
    /// Those of the data, as exceptions.
    pub(crate) fn open(&self, py: Python<'_>) -> PyResult<DataSet> {
        let images = self.answers.len()?;
        let usual = holdout(images, 1.0).0 as f64 / images as f64;
        let (held_out, seed) = (self.held_out.unwrap_or(usual), self.seed);
        let data = dataset(self)?;
        detached(py, || data.hold_out(held_out, seed))
    }
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
        let counts = |key: &str| {
            key.starts_with("data.") || key == "growth.policy" || PAPERS_KEYS.contains(&key)
        };
        let before = request.settings.iter().filter(|(key, _)| counts(key));
        run = before.into_iter().try_fold(run, set)?;
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
