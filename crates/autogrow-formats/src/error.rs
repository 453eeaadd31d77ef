//! What can be wrong with a file: where, what, and what to do about it.

use std::path::{Path, PathBuf};

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A file that cannot be read as what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", .path.display())]
pub struct Error {
    /// The file, or what goes by a file's name.
    pub path: PathBuf,
    /// What is wrong with it, with the offset or record where that is known.
    pub problem: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Error {
    /// An error about `path`.
    pub fn new(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        Self { path: path.as_ref().into(), problem: problem.into(), hint: None }
    }

    /// The same error with advice.
    pub fn with_hint(self, advice: impl Into<String>) -> Self {
        Self { hint: Some(advice.into()), ..self }
    }
}
