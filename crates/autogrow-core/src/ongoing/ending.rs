//! How a run ends: the depth is found, the network fine-tuned, the best one tested.

use super::{Best, Run};
use crate::Result;
use crate::network::Network;
use crate::run::{Event, Outcome, Phase};
use crate::training::{Learner, evaluate};

/// What a run has found: the network, and what there is to say of it.
#[derive(Debug)]
pub struct Found {
    /// The best network on the images that guided the run, in evaluation mode.
    pub network: Network,
    /// Depth, accuracies, cost: what `result.json` holds.
    pub outcome: Outcome,
}

impl Run<'_> {
    /// Growth is over: tells it, lets the network as it is compete with what fine-tuning makes of
    /// it, and saves the run. Does nothing where that was done before.
    pub(crate) fn begin_fine_tuning(&mut self, learner: &Learner) -> Result<()> {
        if self.best.is_some() {
            return Ok(());
        }
        // What was given up is not gone back to any more.
        self.kept.clear();
        if self.job.ranks.is_first() {
            let checkpoint = self.checkpoint(learner)?;
            self.watch.grown(&checkpoint)?;
        }
        self.state.phase = Phase::FineTuning;
        self.state.growing_epochs = self.state.epochs;
        self.state.growing_seconds = self.clock.seconds();
        self.watch.event(&Event::FineTuning {
            epoch: self.state.epochs,
            depth: learner.network().depth().clone(),
            seconds: self.state.growing_seconds,
            epochs: self.fine_tuning_left(),
        })?;
        let network = self.evaluated(learner, self.state.epochs)?;
        let validation = match self.state.last.filter(|_| !self.state.gone_back) {
            Some((_, validation)) => validation,
            None => self.validate(&network, learner)?.scores,
        };
        self.keep_if_best(network, validation, learner.network().parameters())?;
        self.save(learner)
    }

    /// Keeps the last weights and tests the best network.
    pub(crate) fn finish(mut self, learner: &Learner) -> Result<Found> {
        let config = self.job.config;
        if config.run.snapshots > 0 {
            self.watch.snapshot(self.state.epochs, learner.network())?;
        }
        let seconds = self.clock.seconds();
        let (Some(best), Some(validation)) = (self.best.take(), self.state.best) else {
            unreachable!("`begin_fine_tuning` keeps a first network")
        };
        let Best { network, parameters, .. } = best;
        let peak = self.peak();
        let test = &*self.data().test;
        // The last checkpoint is that of the last epoch: there is nothing to save.
        let mut stop = || self.end_if_stopped();
        let scores = evaluate(
            &network,
            learner.objective(),
            test,
            self.job.device,
            self.job.ranks,
            &mut stop,
        )?
        .scores;
        self.tell_skipped(test.len() - scores.images, &network)?;
        let found = network.depth().clone();
        self.watch.event(&Event::Finished {
            epoch: self.state.epochs,
            depth: found.clone(),
            seconds,
            val_accuracy: validation.score,
            test_accuracy: scores.score,
        })?;
        let outcome = Outcome {
            at_floor: self.state.growing_epochs > 0 && self.floor.as_ref() == Some(&found),
            found,
            network: config.network.name.clone(),
            data: config.data.name.clone(),
            objective: config.training.objective.clone(),
            val_accuracy: validation.score,
            test_accuracy: scores.score,
            growing_epochs: self.state.growing_epochs,
            fine_tuning_epochs: self.fine_tuned(),
            growing_seconds: self.state.growing_seconds,
            fine_tuning_seconds: seconds - self.state.growing_seconds,
            parameters,
            macs: network.macs()?,
            floor: self.floor.clone(),
            timed: self.timed(),
            peak,
        };
        Ok(Found { network, outcome })
    }
}
