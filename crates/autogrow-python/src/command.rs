//! The command line, as the script `autogrow` of the package.

use crate::error::detached;
use pyo3::prelude::*;
use std::ffi::OsString;

/// Runs a command of `autogrow`: `arguments` begin with the name of the program, `launcher` is what starts
/// this program again. Gives the exit code.
#[pyfunction]
pub(crate) fn main(
    py: Python<'_>,
    arguments: Vec<OsString>,
    launcher: Vec<OsString>,
) -> PyResult<u8> {
    autogrow_cli::launched_by(launcher);
    detached(py, || Ok(autogrow_cli::main_with(arguments)))
}
