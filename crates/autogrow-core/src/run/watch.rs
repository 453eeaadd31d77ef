//! [`Watch`]: who is told what happens in a run.

use super::Checkpoint;
use crate::Result;
use crate::network::Network;
use autogrow_run::Event;
use autogrow_run::validation::ValidationEpoch;
use std::path::PathBuf;

/// Who is told what happens: the run folder, a terminal.
pub trait Watch {
    /// Something happened.
    ///
    /// # Errors
    /// Those that must end the run.
    fn event(&mut self, event: &Event) -> Result<()> {
        let _ = event;
        Ok(())
    }

    /// An epoch was validated.
    ///
    /// # Errors
    /// Those that must end the run.
    fn validated(&mut self, epoch: &ValidationEpoch) -> Result<()> {
        let _ = epoch;
        Ok(())
    }

    /// A training step is over, and its numbers are finite: number within the epoch, of how many, its
    /// loss. On a device that computes while the host goes on, the next step is under way.
    ///
    /// # Errors
    /// Those that must end the run.
    fn step(&mut self, epoch: usize, step: usize, steps: usize, loss: f64) -> Result<()> {
        let _ = (epoch, step, steps, loss);
        Ok(())
    }

    /// `network`, in evaluation mode, is the best one so far at its depth.
    ///
    /// # Errors
    /// Those that must end the run.
    fn best(&mut self, network: &Network) -> Result<()> {
        let _ = network;
        Ok(())
    }

    /// `network`, in evaluation mode, is the best one of the growing epochs so far.
    ///
    /// # Errors
    /// Those that must end the run.
    fn peak(&mut self, network: &Network) -> Result<()> {
        let _ = network;
        Ok(())
    }

    /// `network` as it is after `epoch` epochs is to be kept (`run.snapshots`).
    ///
    /// # Errors
    /// Those that must end the run.
    fn snapshot(&mut self, epoch: usize, network: &Network) -> Result<()> {
        let _ = (epoch, network);
        Ok(())
    }

    /// The architecture has changed.
    ///
    /// # Errors
    /// Those that must end the run.
    fn architecture(&mut self, network: &Network) -> Result<()> {
        let _ = network;
        Ok(())
    }

    /// From here the run could go on.
    ///
    /// # Errors
    /// Those that must end the run.
    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let _ = checkpoint;
        Ok(())
    }

    /// Growth is over; `checkpoint` is the network as it left it, before fine-tuning.
    ///
    /// # Errors
    /// Those that must end the run.
    fn grown(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let _ = checkpoint;
        Ok(())
    }

    /// Forgets everything after the last good checkpoint and returns that, if there is any.
    ///
    /// # Errors
    /// Those that must end the run.
    fn go_back(&mut self) -> Result<Option<Checkpoint>> {
        Ok(None)
    }

    /// Where the last good checkpoint is.
    fn last_checkpoint(&mut self) -> Option<PathBuf> {
        None
    }

    /// The signal by which somebody asked the run to stop, and the run to resume.
    fn stop(&self) -> Option<(u8, PathBuf)> {
        None
    }
}

/// Several at once, in order.
impl Watch for Vec<&mut dyn Watch> {
    fn event(&mut self, event: &Event) -> Result<()> {
        self.iter_mut().try_for_each(|watch| watch.event(event))
    }

    fn validated(&mut self, epoch: &ValidationEpoch) -> Result<()> {
        self.iter_mut().try_for_each(|watch| watch.validated(epoch))
    }

    fn step(&mut self, epoch: usize, step: usize, steps: usize, loss: f64) -> Result<()> {
        self.iter_mut().try_for_each(|watch| watch.step(epoch, step, steps, loss))
    }

    fn best(&mut self, network: &Network) -> Result<()> {
        self.iter_mut().try_for_each(|watch| watch.best(network))
    }

    fn peak(&mut self, network: &Network) -> Result<()> {
        self.iter_mut().try_for_each(|watch| watch.peak(network))
    }

    fn snapshot(&mut self, epoch: usize, network: &Network) -> Result<()> {
        self.iter_mut().try_for_each(|watch| watch.snapshot(epoch, network))
    }

    fn architecture(&mut self, network: &Network) -> Result<()> {
        self.iter_mut().try_for_each(|watch| watch.architecture(network))
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.iter_mut().try_for_each(|watch| watch.checkpoint(checkpoint))
    }

    fn grown(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.iter_mut().try_for_each(|watch| watch.grown(checkpoint))
    }

    fn go_back(&mut self) -> Result<Option<Checkpoint>> {
        for watch in self {
            if let Some(checkpoint) = watch.go_back()? {
                return Ok(Some(checkpoint));
            }
        }
        Ok(None)
    }

    fn last_checkpoint(&mut self) -> Option<PathBuf> {
        self.iter_mut().find_map(|watch| watch.last_checkpoint())
    }

    fn stop(&self) -> Option<(u8, PathBuf)> {
        self.iter().find_map(|watch| watch.stop())
    }
}
