//! [`Report`]: pages of runs, and putting them where they belong.

use crate::run::{Run, Settings};
use crate::{Error, Result, html};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Makes pages: each one file that needs nothing else.
#[derive(Clone, Debug, Default)]
pub struct Report {
    defaults: Option<Settings>,
    written: Option<SystemTime>,
}

impl Report {
    /// With the time of now, and without knowing what the defaults are.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, marking what differs from `defaults`, the configuration of a run without
    /// settings.
    #[must_use]
    pub fn with_defaults(mut self, defaults: &toml::Table) -> Self {
        self.defaults = Some(Settings::of(defaults));
        self
    }

    /// The same, as if written then.
    #[must_use]
    pub fn written_at(mut self, time: SystemTime) -> Self {
        self.written = Some(time);
        self
    }

    /// The page of the run in a folder.
    ///
    /// # Errors
    /// As [`Run::read`].
    pub fn of(&self, folder: &Path) -> Result<String> {
        Ok(self.page(&Run::read(folder)?))
    }

    /// The page of a run.
    pub fn page(&self, run: &Run) -> String {
        html::run_page(run, self.defaults.as_ref(), self.seconds())
    }

    /// A page that compares the runs in several folders.
    ///
    /// # Errors
    /// As [`Run::read`], and [`Error::NoRuns`].
    pub fn compare(&self, folders: &[PathBuf]) -> Result<String> {
        if folders.is_empty() {
            return Err(Error::NoRuns);
        }
        let runs = folders.iter().map(|folder| Run::read(folder)).collect::<Result<Vec<_>>>()?;
        Ok(html::comparison_page(&runs, self.seconds()))
    }

    /// Writes the page of the run in a folder to its `report.html` and returns where that is.
    ///
    /// # Errors
    /// As [`Self::of`], and [`Error::Unwritable`].
    pub fn write(&self, run: &Run) -> Result<PathBuf> {
        let path = run.path.join("report.html");
        publish(&path, self.page(run).as_bytes())?;
        Ok(path)
    }

    /// Seconds since 1970.
    fn seconds(&self) -> f64 {
        let time = self.written.unwrap_or_else(SystemTime::now);
        time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
    }
}

/// Writes a file beside its place and renames it there: who reads it sees the old one or the new
/// one, never a part. It can be made again, so that it need not be durable.
///
/// # Errors
/// [`Error::Unwritable`].
pub fn publish(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(part);
    let write = || {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        File::create(&part)?.write_all(bytes)?;
        fs::rename(&part, path)
    };
    write().map_err(|source| {
        // What is left of a failed attempt is nobody's use; that it failed is told already.
        let _ = fs::remove_file(&part);
        Error::Unwritable { path: path.into(), source }
    })
}
