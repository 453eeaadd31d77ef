//! Certificates: what the depth of a run is worth.

use crate::error::{detached, raised};
use crate::request::Arrays;
use crate::serve::{Listener, served};
use autogrow::run::RunFolder;
use autogrow::run::certificate::Certificate;
use autogrow::{Certifier, Error, Found};
use autogrow_report::Report;
use pyo3::prelude::*;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// What callbacks are told of the phase.
const PHASE: &str = "certifying";

/// A run that has ended in this process.
#[pyclass(frozen, module = "autogrow._autogrow")]
pub(crate) struct Finished {
    found: Mutex<Found>,
    /// Where it is kept.
    folder: Option<PathBuf>,
}

impl Finished {
    pub(crate) fn new(found: Found, folder: Option<PathBuf>) -> Self {
        Self { found: Mutex::new(found), folder }
    }

    fn certifier(&self) -> autogrow::Result<Certifier> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).certifier()
    }
}

/// The run whose depth is certified.
#[derive(FromPyObject)]
pub(crate) enum Subject<'py> {
    Finished(PyRef<'py, Finished>),
    /// A run folder.
    Folder(PathBuf),
}

/// The certificate of a run as JSON, which its folder gets too, where it has one. `data` are the arrays that it was trained on, none of a data set that has
/// a name; `seeds` is the number of orders of the images; `price` is the run's own where there is none.
#[pyfunction]
pub(crate) fn certify<'py>(
    py: Python<'py>,
    run: Subject<'py>,
    data: Option<Arrays<'py>>,
    seeds: NonZeroUsize,
    price: Option<f64>,
    callback: Option<&Bound<'py, PyAny>>,
) -> PyResult<String> {
    let raise = |error: Error| raised(py, &error);
    let (certifier, folder) = match run {
        Subject::Finished(run) => (run.certifier().map_err(raise)?, run.folder.clone()),
        Subject::Folder(folder) => (detached(py, || Certifier::read(&folder))?, Some(folder)),
    };
    let certifier = certifier.orders(seeds);
    let certifier = match price {
        Some(price) => certifier.price(price),
        None => certifier,
    };
    let data = data.map(|arrays| arrays.open(py)).transpose()?;
    let listener = Listener { callback, phase: Some(PHASE), cancel: certifier.cancel() };
    let (certificate, ended) = served(py, &listener, move |on_epoch| {
        let data = data.map_or_else(|| certifier.open(), Ok)?;
        let certificate = certifier.on_epoch(on_epoch).run(&data)?;
        if let Some(folder) = folder {
            RunFolder::certified(&folder, &certificate)?;
        }
        Ok(certificate)
    })?;
    ended?;
    let text = serde_json::to_string(&certificate);
    text.map_err(|error| raise(Error::run("the certificate", error.to_string())))
}

/// The better depth by a certificate, and what it says of each neighbour, a sentence each.
#[pyfunction]
pub(crate) fn verdict(py: Python<'_>, certificate: &str) -> PyResult<(String, Vec<String>)> {
    let certificate = read(py, certificate)?;
    Ok((certificate.best().to_string(), certificate.sentences()))
}

/// A certificate as HTML. `objective` is the run's `training.objective`.
#[pyfunction]
pub(crate) fn certificate_html(
    py: Python<'_>,
    certificate: &str,
    objective: &str,
) -> PyResult<String> {
    Ok(Report::certificate(&read(py, certificate)?, objective))
}

fn read(py: Python<'_>, text: &str) -> PyResult<Certificate> {
    let certificate = serde_json::from_str(text);
    certificate.map_err(|error| raised(py, &Error::run("the certificate", error.to_string())))
}
