//! What can go wrong between a run folder and its report.

use std::io;
use std::path::{Path, PathBuf};

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no report. What is merely damaged in a run folder is no error: the report leaves
/// it out and says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder holds no run.
    #[error("{}: is not a run folder: it holds no config.toml", .path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// The file without which nothing can be said is damaged.
    #[error("{}: is damaged ({problem})", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The operating system does not give the file.
    #[error("{}: cannot be read ({source})", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// The file is larger than any run makes it.
    #[error("{}: is larger than {limit} bytes", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit: u64,
    },
    /// The report cannot be put where it belongs.
    #[error("{}: cannot be written ({source})", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// A comparison of nothing.
    #[error("there is no run to compare")]
    NoRuns,
    /// A chart could not be turned into pixels.
    #[error("the chart cannot be drawn as PNG: {problem}")]
    Png {
        /// What the renderer says.
        problem: String,
    },
}

impl Error {
    /// What to do about it, where there is something to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotARun { .. } => Some("name the folder that `autogrow train` wrote"),
            Self::NoRuns => Some("name at least one run folder"),
            Self::Unwritable { .. } => Some("choose a place that you may write to"),
            _ => None,
        }
    }

    /// What is wrong, to be read after the path.
    pub fn problem(&self) -> String {
        let text = self.to_string();
        let path = self.path().map(|path| format!("{}: ", path.display())).unwrap_or_default();
        text.strip_prefix(&path).unwrap_or(&text).into()
    }

    /// The file or folder it is about, where it is about one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::NotARun { path }
            | Self::Damaged { path, .. }
            | Self::Unreadable { path, .. }
            | Self::TooLarge { path, .. }
            | Self::Unwritable { path, .. } => Some(path),
            Self::NoRuns | Self::Png { .. } => None,
        }
    }
}
