//! Writes the report of a run while it is running and when it ends: the page, and the events for
//! TensorBoard. A run does not end because its report cannot be written.

use crate::output::Output;
use autogrow::config::Config;
use autogrow::run::{Event, Watch};
use autogrow::{Resolved, Result};
use autogrow_report::{Report, Run, tensorboard};
use autogrow_run::storage::publish_derived;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The least time between two pages of a run that is running.
const PAUSE: Duration = Duration::from_secs(10);

/// Pixels of a chart's PNG for one of its SVG.
pub(crate) const SHARPNESS: f32 = 2.0;

/// Where the parts of a report were put.
pub(crate) struct Written {
    pub(crate) page: PathBuf,
    pub(crate) tensorboard: PathBuf,
}

/// The page of a run.
///
/// # Errors
/// [`autogrow::Error::Run`].
pub(crate) fn page(folder: &Path) -> Result<String> {
    let run = Run::read(folder)?;
    Ok(Report::new().with_defaults(&defaults(&run)).page(&run))
}

/// Writes the page of a run to `out`, or else to its `report.html`, and its events beside it.
///
/// # Errors
/// [`autogrow::Error::Run`].
pub(crate) fn write(folder: &Path, out: Option<&Path>) -> Result<Written> {
    let run = Run::read(folder)?;
    let report = Report::new().with_defaults(&defaults(&run));
    let page = match out {
        Some(out) => {
            publish_derived(out, report.page(&run).as_bytes())?;
            out.into()
        }
        None => report.write(&run)?,
    };
    Ok(Written { page, tensorboard: tensorboard::write(&run)? })
}

/// The configuration of a run without settings, but of the same network: width and step size
/// depend on that.
fn defaults(run: &Run) -> Config {
    let mut defaults = Config::default();
    let mut same = Config::default();
    same.network.name.clone_from(&run.config.network.name);
    same.network.depth.clone_from(&run.config.network.depth);
    if let Ok(same) = Resolved::of(same) {
        defaults.network.width = same.network.width;
        defaults.training.learning_rate = same.training.learning_rate;
    }
    defaults
}

/// Keeps the report of a run up to date.
pub(crate) struct Reporter {
    path: PathBuf,
    output: Output,
    written: Option<Instant>,
    has_failed: bool,
}

impl Reporter {
    /// For the run in the folder `path`.
    pub(crate) fn new(path: PathBuf, output: Output) -> Self {
        Self { path, output, written: None, has_failed: false }
    }

    /// Writes the report now. A failure is told once.
    pub(crate) fn write(&mut self) {
        self.written = Some(Instant::now());
        if let Err(error) = write(&self.path, None)
            && !self.has_failed
        {
            self.has_failed = true;
            self.output.warn(&format!("no report of this run: {error}"));
        }
    }
}

impl Watch for Reporter {
    fn event(&mut self, event: &Event) -> Result<()> {
        let is_due = self.written.is_none_or(|written| written.elapsed() >= PAUSE);
        if is_due && matches!(event, Event::Epoch { .. } | Event::Started { .. }) {
            self.write();
        }
        Ok(())
    }

    fn step(&mut self, _: usize, _: usize, _: usize, _: f64) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_on_without_its_report() {
        let output = Output { json: false, quiet: true, silent: false };
        let mut reporter = Reporter::new(PathBuf::from("/there/is/no/such/run"), output);
        reporter.write();
        assert!(reporter.has_failed && reporter.written.is_some());
        reporter.write();
    }
}
