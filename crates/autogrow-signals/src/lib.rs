//! Ctrl-C and SIGTERM, as programs of the workspace take them: the first is remembered, so that what
//! is at work can be saved; the second ends the process at once. SIGHUP and SIGUSR1, which a closed
//! connection and schedulers send, may be remembered as well; they are often sent several times, so
//! that none of them ends the process at once.

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGUSR1};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Remembers the first signal since it began to listen.
#[derive(Clone, Debug)]
pub struct Signals {
    /// Number of the signal that came; 0 before.
    received: Arc<AtomicUsize>,
}

impl Signals {
    /// Listens from now on.
    pub fn listen() -> Self {
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

    /// Listens for SIGUSR1 as well, and for SIGHUP, but where `ignore_hang_up` says that it is ignored
    /// on purpose, as under `nohup`.
    #[must_use]
    pub fn and_to_save(self, ignore_hang_up: bool) -> Self {
        #[cfg(unix)]
        for signal in [SIGHUP, SIGUSR1] {
            if signal != SIGHUP || !ignore_hang_up {
                let number = usize::try_from(signal).unwrap_or(0);
                let _ = signal_hook::flag::register_usize(signal, self.received.clone(), number);
            }
        }
        #[cfg(not(unix))]
        let _ = ignore_hang_up;
        self
    }

    /// The number of the signal that came; the exit code for it is 128 more.
    pub fn received(&self) -> Option<u8> {
        let signal = u8::try_from(self.received.load(Ordering::SeqCst)).unwrap_or(0);
        (signal > 0).then_some(signal)
    }
}
