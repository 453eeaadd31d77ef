//! Ctrl-C and SIGTERM: the first is handed on to the runs that are at work, which save and end;
//! nothing more is begun. The second ends this program at once.
//!
//! Runs are in process groups of their own: a terminal would send them its Ctrl-C as well, and a
//! second signal has a run end without saving.

use anyhow::Result;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How long a signal waits at most before it is handed on.
const PAUSE: Duration = Duration::from_millis(20);

/// Listens for signals.
#[derive(Debug)]
pub(super) struct Signals {
    /// Number of the signal that came; 0 before.
    received: Arc<AtomicUsize>,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> Self {
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
        Self { received }
    }

    /// The exit code for the signal that came.
    pub(super) fn code(&self) -> Option<u8> {
        let signal = u8::try_from(self.received.load(Ordering::SeqCst)).unwrap_or(0);
        (signal > 0).then_some(128 + signal)
    }

    /// Prepares a command that is to be told of signals by us alone.
    pub(super) fn shield(command: &mut Command) {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        #[cfg(not(unix))]
        let _ = command;
    }

    /// Waits for the end of a process; a signal that comes meanwhile, or came before, is handed on
    /// to it, once.
    ///
    /// # Errors
    /// Where it cannot be waited for.
    pub(super) fn wait(&self, child: &mut Child) -> Result<ExitStatus> {
        let mut told = false;
        loop {
            // Looked at first: whoever has not been waited for keeps its number.
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if let (false, Some(code)) = (told, self.code()) {
                let signal = format!("-{}", code - 128);
                // One that cannot be told is waited for all the same.
                let _ = Command::new("kill").args([&signal, &child.id().to_string()]).status();
                told = true;
            }
            std::thread::sleep(PAUSE);
        }
    }
}
