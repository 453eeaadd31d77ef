//! [`TrainingLoss`]: the loss of a network at any point of its space.

use super::Space;
use crate::Result;
use crate::data::{Pass, Split};
use crate::network::{Blueprint, Network, StateDict, train_only};
use crate::random::{Purpose, generator};
use crate::training::{Objective, TargetTensor};
use crate::transfer::{read, upload};
use burn::tensor::{Device, Tensor, TensorData};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The mean loss of some training images, as a function of the parameters alone: batch
/// norms normalise with the statistics of the images, as in training (see the module above).
pub struct TrainingLoss {
    space: Space,
    network: Network,
    /// The network that the space is of.
    like: StateDict,
    path: PathBuf,
    objective: Box<dyn Objective>,
    /// Images, their targets, and how many they are.
    batches: Vec<(Tensor<4>, TargetTensor, usize)>,
}

impl TrainingLoss {
    /// For the network `like` of this architecture, on the first images that a pass over
    /// `split` with this seed yields, in batches of about `batch_size`, all of a size: `images`
    /// of them, rounded up to whole batches. `device` is
    /// the plain device, not its autodiff twin; `path`, the network's file, is for errors.
    ///
    /// # Errors
    /// Data errors; as [`Network::new`].
    pub fn new(
        (blueprint, like, path): (&Blueprint, StateDict, &Path),
        objective: Box<dyn Objective>,
        split: &dyn Split,
        (images, batch_size, seed): (usize, usize, u64),
        device: &Device,
    ) -> Result<Self> {
        // Norms use the statistics of a batch on the training device alone. Nothing is trained.
        let device = device.clone().autodiff();
        let mut rng = generator(0, Purpose::Seed, 0);
        let network = Network::new(blueprint.clone(), &mut rng, &device)?;
        let network = train_only(network, &HashSet::new());
        let images = images.min(split.len()).max(1);
        let count = images.div_ceil(batch_size.max(1));
        let pass = Pass { batch_size: images.div_ceil(count), seed: Some(seed), ..Pass::default() };
        let [channels, height, width] = blueprint.image;
        let mut batches = Vec::new();
        for batch in split.batches(pass).take(count) {
            let batch = batch?;
            batch.check_images(blueprint.image, pass.batch_size)?;
            batch.targets.check(objective.task(), blueprint.classes)?;
            let count = batch.len();
            if count == 0 {
                continue;
            }
            let targets = TargetTensor::new(&batch.targets, &device);
            let data = TensorData::new(batch.images, [count, channels, height, width]);
            batches.push((upload(data, &device), targets, count));
        }
        let (space, path) = (Space::of(&like), path.into());
        Ok(Self { space, network, like, path, objective, batches })
    }

    /// The space that the loss is a function on.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// How many images it is the mean over.
    pub fn images(&self) -> usize {
        self.batches.iter().map(|(.., count)| count).sum()
    }

    /// The loss at a point; far out it may be infinite or not a number.
    ///
    /// # Errors
    /// None that is known of: points of the space fit the network.
    pub fn at(&self, point: &[f32]) -> Result<f64> {
        let network = self.network(point)?;
        let mut sum = 0.0;
        for (images, targets, count) in &self.batches {
            let outputs = network.forward(images.clone());
            let loss = read(self.objective.loss(outputs, targets)).iter::<f64>().sum::<f64>();
            sum += loss * *count as f64;
        }
        forget(&self.batches[0].0.device());
        Ok(sum / self.images().max(1) as f64)
    }

    /// The network at a point. Nothing of it is trained: what is kept for a backward pass that never
    /// comes would be kept for ever.
    fn network(&self, point: &[f32]) -> Result<Network> {
        let state = self.space.network(point, &self.like);
        let network = state.load_into(self.network.clone(), &self.path)?;
        Ok(train_only(network, &HashSet::new()))
    }
}

/// Lets the autodiff device drop what it has kept for backward passes that never came: it looks for
/// that in a backward pass alone.
fn forget(device: &Device) {
    let one = Tensor::<1>::ones([1], device).require_grad();
    drop((one * 2.0).backward());
}
