//! When a checkpoint is written: at once, or where epochs take a moment only, some of them together.

use super::checkpoint::{Checkpoint, Checkpoints, Loaded};
use crate::Result;
use autogrow_run::fault;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Between two checkpoints on the disk. To make one durable takes a disk some milliseconds, which a
/// network for a small table is trained for ten epochs in; a run that is killed does at most a second's
/// work twice, with the same result.
const BETWEEN: Duration = Duration::from_secs(1);

/// The checkpoints of a run, and the last one as long as it is not written.
#[derive(Debug)]
pub(super) struct Saver {
    checkpoints: Checkpoints,
    written: Option<Instant>,
    waiting: Option<Waiting>,
}

/// A checkpoint, and how long each log was when it was taken.
#[derive(Debug)]
struct Waiting {
    checkpoint: Checkpoint,
    logs: BTreeMap<String, u64>,
}

impl Saver {
    pub(super) fn new(checkpoints: Checkpoints) -> Self {
        Self { checkpoints, written: None, waiting: None }
    }

    /// Whether it is time to write.
    pub(super) fn is_due(&self) -> bool {
        fault::is_tested() || self.written.is_none_or(|written| written.elapsed() >= BETWEEN)
    }

    /// Writes a checkpoint.
    pub(super) fn write(
        &mut self,
        checkpoint: &Checkpoint,
        logs: BTreeMap<String, u64>,
    ) -> Result<()> {
        self.waiting = None;
        self.checkpoints.save(checkpoint, logs)?;
        self.written = Some(Instant::now());
        Ok(())
    }

    /// Keeps a checkpoint in memory, in place of the one before, until it is time to write.
    pub(super) fn hold(&mut self, checkpoint: Checkpoint, logs: BTreeMap<String, u64>) {
        self.waiting = Some(Waiting { checkpoint, logs });
    }

    /// Whether there is one that is not written yet.
    pub(super) fn is_holding(&self) -> bool {
        self.waiting.is_some()
    }

    /// Writes the one that waits, if there is one.
    pub(super) fn flush(&mut self) -> Result<()> {
        match self.waiting.take() {
            Some(Waiting { checkpoint, logs }) => self.write(&checkpoint, logs),
            None => Ok(()),
        }
    }

    /// The newest on the disk that is whole, and a word on each that is not.
    pub(super) fn newest(&self) -> Result<(Option<Loaded>, Vec<String>)> {
        self.checkpoints.newest()
    }
}
