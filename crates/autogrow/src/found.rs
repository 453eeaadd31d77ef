//! [`Found`]: what a run has found, as a value; [`Progress`]: an epoch of it.

use crate::model::Model;
use autogrow_core::data::Outputs;
use autogrow_core::growth::Depth;
use autogrow_core::network::{ModelInfo, Network};
use autogrow_core::run::{Checkpoint, EpochRecord, Event, Outcome};
use autogrow_core::{Error, Resolved, Result};
use burn::tensor::Device;
use std::fmt;
use std::path::Path;

/// Who is told of epochs.
pub(crate) type OnEpoch = Box<dyn FnMut(&Progress) + Send>;

/// An epoch of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Number in the whole run, from 1.
    pub epoch: usize,
    /// The network that was trained.
    pub depth: Depth,
    /// Phase, step size, losses, accuracies, time.
    pub metrics: EpochRecord,
    /// Seconds since the run began.
    pub seconds: f64,
    /// Epochs still to come if the accuracy never improves again; none where that is not known.
    pub epochs_left: Option<usize>,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, depth, metrics, .. } = self;
        write!(
            f,
            "epoch {epoch:>3}  {:<11}  {depth}  loss {:.4}  training {:.2} %  validation {:.2} %",
            metrics.phase.name(),
            metrics.train_loss,
            metrics.train_accuracy,
            metrics.val_accuracy,
        )
    }
}

/// What a run has found.
#[derive(Debug)]
pub struct Found {
    /// The depth.
    pub depth: Depth,
    /// The best network on the validation images, in evaluation mode: `forward` gives class scores
    /// `[batch, classes]` of images `[batch, channels, height, width]`.
    pub network: Network,
    /// On the validation images, percent.
    pub validation_accuracy: f64,
    /// On the test images, percent.
    pub test_accuracy: f64,
    /// Every epoch, in order.
    pub history: Vec<Progress>,
    /// Everything that happened, growths among it, in order.
    pub events: Vec<Event>,
    /// Cost, sizes, the depth floor.
    pub outcome: Outcome,
    /// Whether the run has come to its end; see [`AutoGrow::run_or_part`](crate::AutoGrow::run_or_part).
    pub is_complete: bool,
    /// The network as growth left it, where the run has come so far.
    pub(crate) grown: Option<Checkpoint>,
    pub(crate) config: Resolved,
    pub(crate) info: ModelInfo,
    pub(crate) device: Device,
}

impl Found {
    /// Writes the network as safetensors, with PyTorch's names, and with classes and preprocessing
    /// inside, so that `autogrow predict` needs nothing else.
    ///
    /// # Errors
    /// [`Error::Run`] where the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.model().save(path)
    }

    /// The network with all that its model file tells.
    pub fn model(&self) -> Model {
        let info = self.info.of(self.network.blueprint().clone());
        Model::new(self.network.clone(), info, self.device.clone())
    }

    /// What the network gives, in order: the classes of the training data, values or labels.
    pub fn outputs(&self) -> &Outputs {
        &self.info.outputs
    }
}

/// An event that is an epoch, as progress.
pub(crate) fn progress(event: &Event) -> Option<Progress> {
    let Event::Epoch { epoch, depth, seconds, metrics, epochs_left, .. } = event else {
        return None;
    };
    Some(Progress {
        epoch: *epoch,
        depth: depth.clone(),
        metrics: metrics.clone(),
        seconds: *seconds,
        epochs_left: *epochs_left,
    })
}

/// The error of a run that was cancelled, where there is no folder to resume from.
pub(crate) fn without_folder(error: Error) -> Error {
    match error {
        Error::Interrupted { .. } => Error::Cancelled,
        other => other,
    }
}
