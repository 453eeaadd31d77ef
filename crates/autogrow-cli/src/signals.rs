//! Ctrl-C, SIGTERM, SIGHUP and SIGUSR1 ask the run to save and stop; a second Ctrl-C or SIGTERM ends it
//! at once.

use autogrow::Result;
use autogrow::run::{Event, Watch};
use std::path::PathBuf;

/// Tells a run of signals.
pub(crate) struct Signals {
    signals: autogrow_signals::Signals,
    run: PathBuf,
}

impl Signals {
    /// Listens from now on; `run` is what can be resumed afterwards.
    pub(crate) fn listen(run: PathBuf) -> Self {
        let signals = autogrow_signals::Signals::listen().and_to_save(ignores_hang_up());
        Self { signals, run }
    }
}

/// Whether whoever started the process wants it to outlive its terminal, as `nohup` does.
fn ignores_hang_up() -> bool {
    // Of other systems it is not known.
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_first_signal(&status))
}

/// Whether the first bit of the ignored signals is set, which is that of SIGHUP.
fn ignores_first_signal(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 == 1)
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

#[cfg(test)]
mod tests {
    use super::ignores_first_signal;

    #[test]
    fn nohup_is_respected() {
        assert!(ignores_first_signal("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"));
        assert!(!ignores_first_signal("SigBlk:\t1\nSigIgn:\t0000000000001000\n"));
        assert!(!ignores_first_signal(""));
    }
}
