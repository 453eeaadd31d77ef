//! [`Cancel`]: ends a run from another thread.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What SIGINT is everywhere: by it a cancelled run is told from others that were interrupted.
const INTERRUPT: u8 = 2;

/// A handle by which any thread ends a run, between two steps. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the run to end. It then returns [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// What [`Watch::stop`](autogrow_core::run::Watch::stop) says of the run in `folder`.
    pub(crate) fn stop(&self, folder: &Path) -> Option<(u8, PathBuf)> {
        self.is_cancelled().then(|| (INTERRUPT, folder.to_path_buf()))
    }
}
