//! The engine of the Python package `autogrow`: its library crate, as the module `autogrow._autogrow`.
//!
//! The bindings are thin. Arrays come in through the buffer protocol and go out as bytes; whatever
//! Python can do as well is done there, in `python/autogrow`. Errors of the engine become the exceptions
//! of `autogrow._errors`, panics among them, and the interpreter's lock is free while anything is
//! computed.

mod array;
mod certify;
mod command;
mod error;
mod model;
mod request;
mod run;
mod serve;
mod train;

use pyo3::prelude::*;

/// The engine of the package `autogrow`, which is what to import.
#[pymodule]
mod _autogrow {
    #[pymodule_export]
    use super::certify::{Finished, certificate_html, certify, verdict};
    #[pymodule_export]
    use super::command::main;
    #[pymodule_export]
    use super::error::fail;
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::model::{from_weights, networks};
    #[pymodule_export]
    use super::run::report;
    #[pymodule_export]
    use super::train::train;

    /// Version of the engine.
    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
