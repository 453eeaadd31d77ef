//! The command line, as the script `autogrow` of the package.

use crate::error::detached;
use pyo3::prelude::*;

/// Runs a command of `autogrow`: `arguments` begin with the name of the program. Gives the exit code.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, arguments: Vec<String>) -> PyResult<u8> {
    detached(py, || Ok(autogrow_cli::main_with(arguments)))
}
