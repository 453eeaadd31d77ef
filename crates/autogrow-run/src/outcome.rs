//! The result of a run: `result.json`.

use autogrow_growth::Depth;
use serde::{Deserialize, Serialize};

/// The result of a run. What a newer program adds to the file is passed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The depth that was found; with policy `none` the one that was given.
    pub found: Depth,
    /// The seed network's name.
    pub network: String,
    /// The data set's name.
    pub data: String,
    /// The objective, by whose guiding score networks are judged.
    #[serde(default = "classes")]
    pub objective: String,
    /// Guiding score of the best model on the images that selected it, percent: of classes top-1
    /// accuracy, of values R2 times 100, of labels right decisions.
    pub val_accuracy: f64,
    /// Of the same model on the test images, percent.
    pub test_accuracy: f64,
    /// Epochs until the depth was found, those of AdamInit included.
    pub growing_epochs: usize,
    /// Epochs after that.
    pub fine_tuning_epochs: usize,
    /// Time until the depth was found.
    pub growing_seconds: f64,
    /// Time after that, the last evaluation not included.
    pub fine_tuning_seconds: f64,
    /// Trainable parameters of the found network.
    pub parameters: usize,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
    /// What would have been found had accuracy never improved: the shallowest depth this
    /// configuration can return. None where the policy would never have ended.
    pub floor: Option<Depth>,
    /// Whether the found depth is that floor, and so says little about the data.
    pub at_floor: bool,
    /// The epochs of fine-tuning, where a clock (`run.max_minutes`) had a say in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timed: Vec<TimedEpoch>,
    /// A network that growing has passed, where it was better than the best one at the found depth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<Peak>,
}

/// An epoch of fine-tuning, as the clock let it be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedEpoch {
    /// Where in the schedule of `fine_tune.epochs` it was, in epochs.
    pub position: usize,
    /// Steps of it, where it was cut short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
}

impl Outcome {
    /// Whether it is on record how each epoch of fine-tuning was trained, by a configuration with this
    /// `run.max_minutes`. Older programs have not written down what their clock did.
    pub fn tells_fine_tuning(&self, max_minutes: f64) -> bool {
        max_minutes == 0.0 || self.timed.len() == self.fine_tuning_epochs
    }
}

/// The best network of the growing epochs; its weights are in `peak.safetensors`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    /// After which epoch.
    pub epoch: usize,
    /// Its depth.
    pub depth: Depth,
    /// Its guiding score on the images that guide growth, percent.
    pub val_accuracy: f64,
}

/// The objective of a result that names none.
fn classes() -> String {
    "classes".into()
}
