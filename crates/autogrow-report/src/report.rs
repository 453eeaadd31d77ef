//! [`Report`]: pages of runs, and putting them where they belong.

use crate::html;
use crate::run::{Run, Settings};
use autogrow_base::{Error, Result};
use autogrow_run::certificate::Certificate;
use autogrow_run::{Config, names, storage};
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
    pub fn with_defaults(mut self, defaults: &Config) -> Self {
        self.defaults = toml::Table::try_from(defaults).ok().map(|table| Settings::of(&table));
        self
    }

    /// The same, as if written then.
    #[must_use]
    pub fn written_at(mut self, time: SystemTime) -> Self {
        self.written = Some(time);
        self
    }

    /// The page of a run.
    pub fn page(&self, run: &Run) -> String {
        html::run_page(run, self.defaults.as_ref(), self.seconds())
    }

    /// What the depth of a run is worth, as its page has it: a section of HTML without a style. `objective`
    /// is the run's `training.objective`.
    pub fn certificate(certificate: &Certificate, objective: &str) -> String {
        html::certificate_section(certificate, objective)
    }

    /// A page that compares the runs in several folders.
    ///
    /// # Errors
    /// As [`Run::read`], and [`Error::Run`] without any run.
    pub fn compare(&self, folders: &[PathBuf]) -> Result<String> {
        if folders.is_empty() {
            let error = Error::run("comparison", "there is no run to compare");
            return Err(error.with_hint("name at least one run folder"));
        }
        let runs = folders.iter().map(|folder| Run::read(folder)).collect::<Result<Vec<_>>>()?;
        Ok(html::comparison_page(&runs, self.seconds()))
    }

    /// An index of the runs in `folder`, in this order, that links to their pages; `unreadable`
    /// are those that are damaged, a sentence each.
    pub fn index(&self, folder: &Path, runs: &[Run], unreadable: &[String]) -> String {
        html::index_page(folder, runs, unreadable, self.seconds())
    }

    /// Writes the page of a run to its folder's `report.html` and returns where that is.
    ///
    /// # Errors
    /// [`Error::Run`] where it cannot be written.
    pub fn write(&self, run: &Run) -> Result<PathBuf> {
        let path = run.path.join(names::REPORT);
        storage::publish_derived(&path, self.page(run).as_bytes())?;
        Ok(path)
    }

    /// Seconds since 1970.
    fn seconds(&self) -> f64 {
        let time = self.written.unwrap_or_else(SystemTime::now);
        time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
    }
}
