//! Ctrl-C and SIGTERM: the first asks the run to save and stop, the second ends it at once.

use autogrow_core::Result;
use autogrow_core::run::{Event, Watch};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Listens for signals and tells the run of them.
pub(crate) struct Signals {
    received: Arc<AtomicUsize>,
    run: PathBuf,
}

impl Signals {
    /// Listens from now on; `run` is what can be resumed afterwards.
    pub(crate) fn listen(run: PathBuf) -> Self {
        let received = Arc::new(AtomicUsize::new(0));
        let again = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: a second signal finds `again` set by the first. Where the system
            // refuses, signals do what they do without us.
            let code = 128 + signal;
            let _ = signal_hook::flag::register_conditional_shutdown(signal, code, again.clone());
            let _ = signal_hook::flag::register(signal, again.clone());
            let number = usize::try_from(signal).unwrap_or(0);
            let _ = signal_hook::flag::register_usize(signal, received.clone(), number);
        }
        Self { received, run }
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
        match self.received.load(Ordering::SeqCst) {
            0 => None,
            signal => Some((u8::try_from(signal).unwrap_or(0), self.run.clone())),
        }
    }
}
