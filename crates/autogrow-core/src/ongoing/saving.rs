//! When a run is saved, and how it stops.

use super::Run;
use crate::run::Checkpoint;
use crate::training::Learner;
use crate::{Error, Result};

impl Run<'_> {
    /// Writes a checkpoint; the first rank saves for all.
    pub(super) fn save(&mut self, learner: &Learner) -> Result<()> {
        if !self.job.ranks.is_first() {
            return Ok(());
        }
        self.clock.save();
        let checkpoint = self.checkpoint(learner)?;
        self.watch.checkpoint(&checkpoint)?;
        let milliseconds = 6e4 * self.clock.minutes_since_saved();
        tracing::debug!("checkpoint after epoch {} took {milliseconds:.1} ms", self.state.epochs);
        Ok(())
    }

    /// Everything from which the run goes on.
    pub(super) fn checkpoint(&mut self, learner: &Learner) -> Result<Checkpoint> {
        self.state.seconds = self.clock.seconds();
        Ok(Checkpoint {
            state: self.state.clone(),
            blueprint: learner.network().blueprint().clone(),
            learner: learner.record()?,
            kept: self.kept.clone(),
            best: self.best.as_ref().map(|best| best.state.clone()),
            validation: self.validation.clone(),
            origin: self.origin.clone(),
        })
    }

    /// Keeps the weights where their turn has come. Before the checkpoint, so that a run which is
    /// taken up again lacks none: what it does twice, it does alike.
    pub(super) fn keep_snapshot(&mut self, learner: &Learner) -> Result<()> {
        let (epoch, every) = (self.state.epochs, self.job.config.run.snapshots);
        if every > 0 && epoch.is_multiple_of(every) {
            self.watch.snapshot(epoch, learner.network())?;
        }
        Ok(())
    }

    /// Saves and ends the run where somebody asks it to stop; all ranks do.
    pub(super) fn save_if_stopped(&mut self, learner: &Learner) -> Result<()> {
        let Err(interrupted) = self.end_if_stopped() else { return Ok(()) };
        self.save(learner)?;
        // Whoever ends first may take the others along.
        self.job.ranks.barrier()?;
        Err(interrupted)
    }

    /// Ends the run, by an error, where somebody asks the first rank to stop; all ranks do.
    pub(super) fn end_if_stopped(&self) -> Result<()> {
        let asked = self.watch.stop();
        let own = asked.as_ref().map_or(0, |(signal, _)| *signal);
        let signal = self.job.ranks.gather(&[f64::from(own)])?[0][0] as u8;
        if signal == 0 {
            return Ok(());
        }
        let run = asked.map(|(_, run)| run).unwrap_or_default();
        Err(Error::Interrupted { signal, run })
    }
}
