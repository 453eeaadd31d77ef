//! One epoch of a run, or what is left of it: trained, validated, told, saved.

use super::Run;
use crate::growth::{Evidence, Growth, epochs_left};
use crate::network::Network;
use crate::random::{Purpose, derive};
use crate::run::{EpochRecord, Event, Phase};
use crate::training::{Epoch, Learner, Step, Tally, Validation, evaluate, warm_up};
use crate::{Error, Result};
use autogrow_run::validation::{ValidationEpoch, rounded};
use std::ops::ControlFlow;
use std::time::Instant;

impl Run<'_> {
    /// Trains and validates one epoch, or what is left of it, and saves the run after it.
    pub(crate) fn epoch(
        &mut self,
        learner: Learner,
        phase: Phase,
        learning_rate: f64,
        growth: &Growth,
    ) -> Result<Learner> {
        self.clock.begin_epoch();
        let data = self.data();
        let number = self.state.epochs + 1;
        self.state.phase = phase;
        let learning_rate = learning_rate * self.state.rate_scale;
        // What it comes to by the end of the epoch.
        let warm = warm_up(self.job.config.training.warmup_epochs, number as f64);
        let most_steps = self.followed_steps();
        let mut is_cut_short = most_steps.is_some();
        let (learner, train) = learner.epoch(&mut Epoch {
            split: &*data.train,
            number,
            seed: derive(self.job.config.run.seed, Purpose::Epoch, self.state.draw(number)),
            learning_rate,
            resumed: (self.state.step, self.state.tally.clone()),
            most_steps,
            on_step: &mut |learner, step| {
                let flow = self.after_step(learner, step)?;
                is_cut_short |= learner.is_some() && flow.is_break() && step.number < step.of;
                Ok(flow)
            },
        })?;
        self.job.ranks.check_network(learner.network())?;
        let network = self.evaluated(&learner, number)?;
        // Asked to stop in here, the run resumes after the last step and validates once more.
        let started = Instant::now();
        let judged = self.validate(&network, &learner)?;
        self.state.budget.validation_seconds = started.elapsed().as_secs_f64();
        let validation = judged.scores;
        if is_cut_short && phase == Phase::FineTuning {
            self.note_cut();
        }
        if !validation.loss.is_finite() && validation.images > 0 {
            // The last step of the epoch has overflown; what it left must not be saved.
            let (step, what) = (self.state.step, "the validation loss is not finite".into());
            return Err(Error::Diverged { epoch: number, step, what, checkpoint: None });
        }
        self.state.epochs = number;
        self.state.step = 0;
        self.state.tally = Tally::default();
        self.state.last = Some((train, validation));
        self.state.gone_back = false;
        self.keep_validation(judged, train.score, learning_rate * warm, learner.network())?;
        match phase {
            Phase::Growing => {
                self.state.guiding.push(validation.score);
                self.keep_if_peak(&network)?;
            }
            Phase::FineTuning => {
                self.keep_if_best(network, validation, learner.network().parameters())?;
            }
            Phase::Adapting => {
                if let Some(adapting) = &mut self.state.adapting {
                    adapting.epochs += 1;
                }
            }
        }
        // The clock is no reason to call an image unreadable.
        let unseen = if is_cut_short { 0 } else { data.train.len() - train.images };
        let unseen = unseen + data.validation.len() - validation.images;
        self.tell_skipped(unseen, learner.network())?;
        self.state.budget.epoch_seconds = self.clock.epoch_seconds();
        let (waiting, epochs_left) = self.outlook(phase, growth)?;
        self.watch.event(&Event::Epoch {
            epoch: number,
            depth: learner.network().depth().clone(),
            seconds: self.clock.seconds(),
            metrics: EpochRecord {
                phase,
                learning_rate: learning_rate * warm,
                train_loss: train.loss,
                train_accuracy: train.score,
                val_loss: validation.loss,
                val_accuracy: validation.score,
                epoch_seconds: self.state.budget.epoch_seconds,
            },
            waiting,
            epochs_left,
        })?;
        self.keep_snapshot(&learner)?;
        self.save(&learner)?;
        Ok(learner)
    }

    /// Keeps what an epoch has shown of each validation image.
    fn keep_validation(
        &mut self,
        judged: Validation,
        train_score: f64,
        learning_rate: f64,
        network: &Network,
    ) -> Result<()> {
        let epoch = ValidationEpoch {
            epoch: self.state.epochs,
            phase: self.state.phase,
            depth: network.depth().clone(),
            learning_rate,
            evidence: Evidence {
                score: judged.scores.score,
                chance: self.chance,
                train_score: Some(train_score),
                macs: network.macs()?,
                right: judged.right,
                losses: judged.losses.into_iter().map(rounded).collect(),
            },
        };
        self.watch.validated(&epoch)?;
        self.validation.push(epoch);
        Ok(())
    }

    /// What the network says of the images that guide the run; saves and ends it where somebody asks
    /// to stop.
    pub(super) fn validate(&mut self, network: &Network, learner: &Learner) -> Result<Validation> {
        let (split, device, ranks) = (&*self.data().validation, self.job.device, self.job.ranks);
        evaluate(network, learner.objective(), split, device, ranks, &mut || {
            self.save_if_stopped(learner)
        })
    }

    /// Tells a step, and saves where it is time or somebody asks to stop. Breaks where there is no time
    /// for another. Without the learner, because that is a step further, it asks for it in these cases.
    fn after_step(&mut self, learner: Option<&Learner>, step: &Step) -> Result<ControlFlow<()>> {
        self.watch.step(self.state.epochs + 1, step.number, step.of, step.loss)?;
        self.state.step = step.number;
        self.state.tally = step.tally.clone();
        let is_save_due = self.clock.minutes_since_saved() > self.job.config.run.checkpoint_minutes;
        let is_over = match learner {
            Some(learner) => {
                if is_save_due {
                    self.save(learner)?;
                }
                self.save_if_stopped(learner)?;
                self.is_time_over()?
            }
            None => is_save_due || self.end_if_stopped().is_err() || self.is_time_over()?,
        };
        Ok(if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// What is waited for, and how many epochs there are still to come at least, where the policy
    /// lets that be known.
    fn outlook(&self, phase: Phase, growth: &Growth) -> Result<(String, Option<usize>)> {
        let config = self.job.config;
        if phase == Phase::FineTuning {
            return Ok((String::new(), Some(self.fine_tuning_left())));
        }
        if let Some(in_time) = self.epochs_in_time() {
            return Ok((growth.waiting(), Some(in_time)));
        }
        let growing = epochs_left(&config.rules(), &self.state.guiding)?;
        Ok((growth.waiting(), growing.map(|growing| growing + self.fine_tuning_planned())))
    }
}
