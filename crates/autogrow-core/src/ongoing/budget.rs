//! `run.max_minutes`: how much time is left, and what it is enough for. The clock of the first rank
//! counts. A run that follows another one has no clock: it does as that one's let it.

use super::Run;
use crate::Result;
use crate::run::{Phase, TimedEpoch};

/// Part of the time that growing may take; fine-tuning has the rest.
const GROWING: f64 = 0.5;

/// A forward pass takes about a third of a training step.
const FORWARD: f64 = 1.0 / 3.0;

/// Evaluations of the test images that a run ends with: its own, and that of its report.
const TESTS: f64 = 2.0;

impl Run<'_> {
    /// Whether growth has to end: another epoch such as the last one would end too late.
    pub(crate) fn is_growing_time_over(&mut self) -> Result<bool> {
        let is_over = self.budget().is_some_and(|budget| {
            let ends = self.clock.seconds() + self.state.budget.epoch_seconds;
            ends > GROWING * budget
        });
        let is_over = self.decided_by_first(f64::from(u8::from(is_over)))? > 0.0;
        self.state.budget.growth_is_over = is_over;
        Ok(is_over)
    }

    /// Where in its schedule of N epochs the next fine-tuning epoch is; none where fine-tuning is
    /// over. Where time is short that is as far as the time, so that the last epochs have the last
    /// step sizes.
    pub(crate) fn next_fine_tuning(&mut self) -> Result<Option<usize>> {
        let (epochs, done) = (self.job.config.fine_tune.epochs, self.fine_tuned());
        if done >= self.fine_tuning_planned() {
            return Ok(None);
        }
        if self.state.step > 0 {
            return Ok(Some(self.state.budget.position));
        }
        let own = match (self.state.follows.get(done), self.budget()) {
            (Some(followed), _) => followed.position as f64,
            (None, None) => done as f64,
            (None, Some(budget)) => {
                let now = self.clock.seconds();
                let begun = self.state.growing_seconds;
                let passed = (now - begun) / (budget - begun);
                let is_too_late = now + self.state.budget.epoch_seconds > budget;
                // A network that was never trained is of no use, however little time there was.
                match is_too_late && self.state.epochs > 0 {
                    true => -1.0,
                    false => {
                        (epochs as f64 * passed).floor().clamp(done as f64, epochs as f64 - 1.0)
                    }
                }
            }
        };
        let position = self.decided_by_first(own)?;
        if position < 0.0 {
            return Ok(None);
        }
        let position = position as usize;
        self.state.budget.position = position;
        // Where an older program has trained the first epochs, what its clock did is not known.
        self.state.budget.timed.truncate(done);
        if self.state.budget.timed.len() == done {
            self.state.budget.timed.push(TimedEpoch { position, steps: None });
        }
        Ok(Some(position))
    }

    /// Notes that the fine-tuning epoch in progress ends after the last step.
    pub(super) fn note_cut(&mut self) {
        let (done, step) = (self.fine_tuned(), self.state.step);
        if let Some(epoch) = self.state.budget.timed.get_mut(done) {
            epoch.steps = Some(step);
        }
    }

    /// Steps of the same epoch of the run that this one follows, where that was cut short.
    pub(super) fn followed_steps(&self) -> Option<usize> {
        let is_fine_tuning = self.state.phase == Phase::FineTuning;
        self.state.follows.get(self.fine_tuned()).filter(|_| is_fine_tuning)?.steps
    }

    /// The fine-tuning epochs, for the outcome: where a clock has had a say in them, and all are known.
    pub(super) fn timed(&self) -> Vec<TimedEpoch> {
        let timed = &self.state.budget.timed;
        let as_planned = |(place, epoch): (usize, &TimedEpoch)| {
            *epoch == TimedEpoch { position: place, steps: None }
        };
        let has_clock = self.job.config.run.max_minutes > 0.0 || !self.state.follows.is_empty();
        let is_said = has_clock || !timed.iter().enumerate().all(as_planned);
        let is_known = timed.len() == self.fine_tuned();
        if is_said && is_known { timed.clone() } else { Vec::new() }
    }

    /// Epochs of fine-tuning, if no clock ends them.
    pub(super) fn fine_tuning_planned(&self) -> usize {
        match self.state.follows.len() {
            0 => self.job.config.fine_tune.epochs,
            followed => followed,
        }
    }

    /// Fine-tuning epochs that are still to come.
    pub(super) fn fine_tuning_left(&self) -> usize {
        let left = self.fine_tuning_planned() - self.fine_tuned();
        self.epochs_in_time().map_or(left, |in_time| in_time.min(left))
    }

    /// Epochs such as the last one that there is time for, where time is limited.
    pub(super) fn epochs_in_time(&self) -> Option<usize> {
        let left = self.budget()? - self.clock.seconds();
        let epoch = self.state.budget.epoch_seconds;
        Some(if epoch > 0.0 { (left / epoch).max(0.0) as usize } else { usize::MAX })
    }

    /// Whether the epoch in progress has to end after this step, because validating it takes what is
    /// left.
    pub(super) fn is_time_over(&self) -> Result<bool> {
        if self.job.config.run.max_minutes == 0.0 {
            return Ok(false);
        }
        let is_over = self
            .budget()
            .is_some_and(|budget| self.clock.seconds() + self.validation_seconds() > budget);
        Ok(self.decided_by_first(f64::from(u8::from(is_over)))? > 0.0)
    }

    /// Seconds of the run after which only the test is left to do; none where time is not limited.
    fn budget(&self) -> Option<f64> {
        let minutes = self.job.config.run.max_minutes;
        let (test, validation) = (self.data().test.len(), self.data().validation.len());
        let test = self.validation_seconds() * test as f64 / validation.max(1) as f64;
        (minutes > 0.0).then_some(60.0 * minutes - TESTS * test)
    }

    /// Seconds that a validation takes: as the last one, or by the steps of the first epoch.
    fn validation_seconds(&self) -> f64 {
        if self.state.budget.validation_seconds > 0.0 {
            return self.state.budget.validation_seconds;
        }
        let trained = self.state.tally.images();
        if trained == 0 {
            return 0.0;
        }
        let by_image = FORWARD * self.clock.epoch_seconds() / trained as f64;
        by_image * self.data().validation.len() as f64
    }

    /// What the first rank says.
    fn decided_by_first(&self, own: f64) -> Result<f64> {
        Ok(self.job.ranks.gather(&[own])?[0][0])
    }
}
