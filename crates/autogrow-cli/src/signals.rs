//! Ctrl-C and SIGTERM: the first asks the run to save and stop, the second ends it at once.

use autogrow_core::Result;
use autogrow_core::run::{Event, Watch};
use std::path::PathBuf;

/// Tells a run of signals.
pub(crate) struct Signals {
    signals: autogrow_signals::Signals,
    run: PathBuf,
}

impl Signals {
    /// Listens from now on; `run` is what can be resumed afterwards.
    pub(crate) fn listen(run: PathBuf) -> Self {
        Self { signals: autogrow_signals::Signals::listen(), run }
    }
}

impl Watch for Signals {
    fn event(&mut self, _: &Event) -> Result<()> {
        Ok(())
    }

    fn step(&mut self, _: usize, _: usize, _: usize, _: f64) -> Result<()> {
        Ok(())
    }

    fn stop(&self) -> Option<(u8, PathBuf)> {
        self.signals.received().map(|signal| (signal, self.run.clone()))
    }
}
