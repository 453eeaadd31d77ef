//! Errors of the engine as Python's exceptions, which `autogrow._errors` defines; panics too.

use autogrow::Error;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The module of the exceptions.
const MODULE: &str = "autogrow._errors";

/// The exception for an error of the engine.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error {
        Error::Config { .. } | Error::Unknown { .. } | Error::Duplicate { .. } => "ConfigError",
        Error::Data { .. } => "DataError",
        Error::Run { .. } => "RunError",
        Error::Diverged { .. } => "DivergedError",
        Error::Device { .. } => "DeviceError",
        Error::Interrupted { .. } | Error::Cancelled => {
            return PyKeyboardInterrupt::new_err(error.to_string());
        }
        Error::Ranks { .. } | Error::Program { .. } | Error::Elsewhere { .. } => "Error",
    };
    made(py, class, &error.to_string(), error.hint().as_deref())
}

/// The exception for a panic, which is a fault of the engine.
pub(crate) fn panicked(py: Python<'_>, panic: &(dyn Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let problem = format!("the engine has failed: {}", text.unwrap_or("for no known reason"));
    let hint = "this is a bug: please report it, with what led to it";
    made(py, "InternalError", &problem, Some(hint))
}

/// An exception of this class, or what went wrong in making it.
fn made(py: Python<'_>, class: &str, problem: &str, hint: Option<&str>) -> PyErr {
    let exception = py.import(MODULE).and_then(|module| {
        let hint = hint.map(|hint| PyString::new(py, hint));
        module.getattr(class)?.call1((problem, hint))
    });
    exception.map_or_else(|error| error, PyErr::from_value)
}

/// What `compute` gives, with the interpreter's lock free meanwhile.
///
/// # Errors
/// Its errors and its panics, as exceptions.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    compute: impl FnOnce() -> autogrow::Result<T> + Send,
) -> PyResult<T> {
    match py.detach(|| catch_unwind(AssertUnwindSafe(compute))) {
        Ok(computed) => computed.map_err(|error| raised(py, &error)),
        Err(panic) => Err(panicked(py, &*panic)),
    }
}

/// Fails as a bug of the engine would, for the test that panics do not cross.
#[pyfunction]
#[expect(clippy::panic, reason = "that is what it is for")]
pub(crate) fn fail(py: Python<'_>) -> PyResult<()> {
    detached(py, || panic!("on purpose"))
}
