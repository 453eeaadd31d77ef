//! Run folders.

use crate::error::detached;
use autogrow_report::{Report, Run};
use pyo3::prelude::*;
use std::path::PathBuf;

/// The report page of a run folder, as HTML.
#[pyfunction]
pub(crate) fn report(py: Python<'_>, folder: PathBuf) -> PyResult<String> {
    detached(py, move || Ok(Report::new().page(&Run::read(&folder)?)))
}
