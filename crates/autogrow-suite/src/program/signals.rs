//! Ctrl-C and SIGTERM: the first is handed on to the runs that are at work, which save and end;
//! nothing more is begun. The second ends this program at once.
//!
//! Runs are in process groups of their own: a terminal would send them its Ctrl-C as well, and a
//! second signal has a run end without saving.

use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

/// How long a signal waits at most before it is handed on.
const PAUSE: Duration = Duration::from_millis(20);

/// Hands signals on.
#[derive(Debug)]
pub(super) struct Signals(autogrow_signals::Signals);

impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> Self {
        Self(autogrow_signals::Signals::listen())
    }

    /// The exit code for the signal that came.
    pub(super) fn code(&self) -> Option<u8> {
        self.0.received().map(|signal| 128 + signal)
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
    pub(super) fn wait(&self, child: &mut Child) -> std::io::Result<ExitStatus> {
        let mut told = false;
        loop {
            // Looked at first: a process that has not been waited for keeps its number.
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if let (false, Some(signal)) = (told, self.0.received()) {
                let signal = format!("-{signal}");
                // One that cannot be told is waited for all the same.
                let _ = Command::new("kill").args([&signal, &child.id().to_string()]).status();
                told = true;
            }
            std::thread::sleep(PAUSE);
        }
    }
}
