//! How long a run has taken, over all processes that worked on it.

use std::time::Instant;

/// The time of a run, and since it was last saved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    started: Instant,
    before: f64,
    saved: Instant,
    epoch: Instant,
}

impl Clock {
    /// Goes on after `before` seconds.
    pub(super) fn start(before: f64) -> Self {
        let now = Instant::now();
        Self { started: now, before, saved: now, epoch: now }
    }

    /// An epoch begins, or goes on in this process.
    pub(super) fn begin_epoch(&mut self) {
        self.epoch = Instant::now();
    }

    /// Seconds of the epoch in progress.
    pub(super) fn epoch_seconds(&self) -> f64 {
        self.epoch.elapsed().as_secs_f64()
    }

    /// Seconds since the run began.
    pub(super) fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }

    /// Minutes since the run was last saved.
    pub(super) fn minutes_since_saved(&self) -> f64 {
        self.saved.elapsed().as_secs_f64() / 60.0
    }

    /// The run is saved now.
    pub(super) fn save(&mut self) {
        self.saved = Instant::now();
    }
}
