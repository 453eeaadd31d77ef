//! Where a run is: all of it that is neither weights nor optimiser. With those it is what a
//! checkpoint holds. The state of Algorithm 1 itself (circular list, growingSub, grownSub) is a
//! function of the accuracies in here, so it is computed again and cannot disagree with them.

use super::{Phase, TimedEpoch};
use crate::growth::Depth;
use crate::training::{Scores, Tally};
use serde::{Deserialize, Serialize};

/// The position of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// What is being done.
    pub phase: Phase,
    /// Epochs that are over.
    pub epochs: usize,
    /// Steps taken of the epoch in progress; 0 between epochs.
    pub step: usize,
    /// What those steps came to.
    pub tally: Tally,
    /// Validation accuracies of the growing epochs: what the policies have seen.
    pub guiding: Vec<f64>,
    /// How many of them have been decided upon.
    pub decided: usize,
    /// Sub-modules stacked so far.
    pub growths: usize,
    /// AdamInit in progress.
    pub adapting: Option<AdaptingState>,
    /// Epochs until the depth was found, once it is.
    pub growing_epochs: usize,
    /// Time until then.
    pub growing_seconds: f64,
    /// Time so far, over all processes that worked on the run, but for what was gone back from.
    pub seconds: f64,
    /// Scores of the last epoch, on training and on validation images.
    pub last: Option<(Scores, Scores)>,
    /// Whether the network has been gone back to since, so that those scores are another's.
    #[serde(default)]
    pub gone_back: bool,
    /// Validation scores of the best network at the found depth.
    pub best: Option<Scores>,
    /// By what step sizes are multiplied, after divergence.
    pub rate_scale: f64,
    /// How often training has diverged and gone back.
    pub rollbacks: usize,
    /// Of several runs that go on from the same checkpoint, which one this is: each sees the images in
    /// an order of its own. 0: the run that the checkpoint is of.
    #[serde(default)]
    pub branch: usize,
    /// The epochs of fine-tuning of the run that this one does as; none where it does as it is configured.
    #[serde(default)]
    pub follows: Vec<TimedEpoch>,
    /// What has been measured and decided for `run.max_minutes`.
    #[serde(default)]
    pub budget: BudgetState,
}

/// Times by which a run with `run.max_minutes` is planned, and what was decided by them: a clock does
/// not show the same again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetState {
    /// Seconds that the last epoch took, validation included.
    pub epoch_seconds: f64,
    /// Seconds of its validation.
    pub validation_seconds: f64,
    /// Whether growth ended for want of time.
    pub growth_is_over: bool,
    /// Where in its schedule the fine-tuning epoch in progress is, in epochs.
    pub position: usize,
    /// The fine-tuning epochs so far, the one in progress included.
    #[serde(default)]
    pub timed: Vec<TimedEpoch>,
}

/// Where AdamInit is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptingState {
    /// The sub-networks that were just grown.
    pub grown: Vec<usize>,
    /// Training accuracy before the growth, percent: the aim.
    pub accuracy_before: f64,
    /// Epochs of it that are over.
    pub epochs: usize,
}

impl State {
    /// The beginning.
    pub(crate) fn start() -> Self {
        Self {
            phase: Phase::Growing,
            epochs: 0,
            step: 0,
            tally: Tally::default(),
            guiding: Vec::new(),
            decided: 0,
            growths: 0,
            adapting: None,
            growing_epochs: 0,
            growing_seconds: 0.0,
            seconds: 0.0,
            last: None,
            gone_back: false,
            best: None,
            rate_scale: 1.0,
            rollbacks: 0,
            branch: 0,
            follows: Vec::new(),
            budget: BudgetState::default(),
        }
    }

    /// The number by which epoch `epoch` draws what is random in it.
    pub(crate) fn draw(&self, epoch: usize) -> usize {
        (self.branch << 32) | epoch
    }

    /// In words, for people: "epoch 12, step 3 (growing)".
    pub fn describe(&self, depth: &Depth) -> String {
        let step = if self.step > 0 { format!(", step {}", self.step) } else { String::new() };
        format!("{depth} after epoch {}{step} ({})", self.epochs, self.phase.name())
    }
}
