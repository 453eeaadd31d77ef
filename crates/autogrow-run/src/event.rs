//! What happens in a run, as it is written to `journal.jsonl` and shown to who watches.

use autogrow_growth::Depth;
use serde::{Deserialize, Serialize};

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Training between growths.
    Growing,
    /// AdamInit: the newest batch norm alone is trained.
    Adapting,
    /// Training the network that was found.
    FineTuning,
}

impl Phase {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Growing => "growing",
            Self::Adapting => "adapting",
            Self::FineTuning => "fine-tuning",
        }
    }
}

/// One epoch: a row of `metrics.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The part of the run.
    pub phase: Phase,
    /// Step size.
    pub learning_rate: f64,
    /// Mean cross entropy of the training images as they came.
    pub train_loss: f64,
    /// Percent of the training images, as they came.
    pub train_accuracy: f64,
    /// Mean cross entropy of the validation images after the epoch.
    pub val_loss: f64,
    /// Percent of the validation images after the epoch.
    pub val_accuracy: f64,
    /// Time it took, validation included.
    pub epoch_seconds: f64,
}

/// A line of the journal. `epoch` counts the epochs trained so far in the whole run, `seconds` the
/// time since it started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are those of the journal's format")]
pub enum Event {
    /// The seed network is about to be trained.
    Started {
        epoch: usize,
        depth: Depth,
        seconds: f64,
        network: String,
        data: String,
        seed: u64,
        parameters: usize,
        macs: u64,
        floor: Option<Depth>,
    },
    /// An epoch is over.
    Epoch {
        epoch: usize,
        depth: Depth,
        seconds: f64,
        metrics: EpochRecord,
        /// What the policy is waiting for.
        waiting: String,
        /// Epochs still to come if accuracy never improves again; there may be more. None where the
        /// policy does not let that be known.
        epochs_left: Option<usize>,
    },
    /// Images of the epoch, or of the test behind the last one, that could not be read and were
    /// left out.
    Skipped { epoch: usize, depth: Depth, seconds: f64, images: usize },
    /// A sub-module was stacked; the network's size after it.
    Grew { epoch: usize, depth: Depth, seconds: f64, subnet: usize, parameters: usize, macs: u64 },
    /// A sub-network left the list: growing it no longer pays.
    Stopped { epoch: usize, depth: Depth, seconds: f64, subnet: usize },
    /// A sub-network left the list: it is as deep as allowed.
    Capped { epoch: usize, depth: Depth, seconds: f64, subnet: usize },
    /// The depth is found; it is trained for `epochs` more epochs.
    FineTuning { epoch: usize, depth: Depth, seconds: f64, epochs: usize },
    /// The run goes on from a checkpoint: in another process, or after it went back.
    Resumed { epoch: usize, depth: Depth, seconds: f64, step: usize },
    /// Training diverged; it goes on from the checkpoint before with smaller steps.
    WentBack { epoch: usize, depth: Depth, seconds: f64, rate_scale: f64 },
    /// All is done.
    Finished { epoch: usize, depth: Depth, seconds: f64, val_accuracy: f64, test_accuracy: f64 },
}
