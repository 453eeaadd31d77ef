//! What is wrong with a file becomes an error of the algorithm: exit code 3.

use autogrow_core::Error;

/// The data error that a reader of files found.
pub(crate) fn of_file(error: autogrow_formats::Error) -> Error {
    let data = Error::data(error.path, error.problem);
    match error.hint {
        Some(hint) => data.with_hint(hint),
        None => data,
    }
}
