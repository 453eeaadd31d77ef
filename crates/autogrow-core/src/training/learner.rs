//! [`Learner`]: a network with its optimiser, and one epoch of training.

use super::average::Average;
use super::loss::{Scores, Tally, cross_entropy};
use crate::config::TrainingConfig;
use crate::data::{Batch, Pass, Split};
use crate::initializer::Initializer;
use crate::network::{Network, train_only, trainable_ids};
use crate::{Error, Result};
use burn::module::{Module, ParamId};
use burn::optim::{AdamConfig, GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngCore;
use std::collections::HashSet;

/// Images of one forward pass of an evaluation.
const EVALUATION_BATCH: usize = 500;

/// One epoch to train.
pub struct Epoch<'a> {
    /// The images.
    pub split: &'a dyn Split,
    /// Number of the epoch in the whole run, from 1.
    pub number: usize,
    /// Fixes order and augmentation.
    pub seed: u64,
    /// Step size.
    pub learning_rate: f64,
    /// Told after each step: step from 1, of how many, loss.
    pub on_step: &'a mut dyn FnMut(usize, usize, f64) -> Result<()>,
}

/// A network while it is trained.
pub struct Learner {
    network: Network,
    optimizer: ModuleOptimizer,
    average: Option<Average>,
    training: TrainingConfig,
    device: Device,
}

impl Learner {
    /// `network` lives on `device`, an autodiff device; the optimiser has no state yet.
    pub fn new(network: Network, training: &TrainingConfig, device: Device) -> Self {
        Self {
            network,
            optimizer: training.optimizer.build(training),
            average: (training.average > 0.0).then(|| Average::new(training.average)),
            training: training.clone(),
            device,
        }
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// An independent copy for evaluation: batch norms use running statistics; parameters are
    /// their moving averages where those are kept.
    pub fn evaluated(&self) -> Network {
        let network = self.network.valid();
        match &self.average {
            Some(average) => average.apply(network),
            None => network,
        }
    }

    /// Trains one epoch. The scores are of the images as they came, before each step.
    ///
    /// Takes the learner by value: the optimiser then holds the only handle to each parameter and
    /// can work in place.
    ///
    /// # Errors
    /// [`Error::Diverged`] before a loss that is not a number changes anything; data errors.
    pub fn epoch(mut self, epoch: &mut Epoch<'_>) -> Result<(Self, Scores)> {
        let batch_size = self.training.batch_size;
        let steps = epoch.split.len().div_ceil(batch_size);
        let mut tally = Tally::default();
        let pass = Pass { batch_size, seed: Some(epoch.seed) };
        for (step, batch) in (1..).zip(epoch.split.batches(pass)) {
            let loss;
            (self, loss) = self.step(batch?, epoch.learning_rate, &mut tally);
            if !loss.is_finite() {
                return Err(Error::Diverged { epoch: epoch.number, step, loss });
            }
            (epoch.on_step)(step, steps, loss)?;
        }
        Ok((self, tally.scores()))
    }

    /// One optimisation step; returns the loss before it. Where that is not finite, nothing is
    /// changed.
    fn step(mut self, batch: Batch, learning_rate: f64, tally: &mut Tally) -> (Self, f64) {
        let size = batch.labels.len();
        let mut accumulator = GradientsAccumulator::new();
        let mut mean_loss = 0.0;
        for Batch { images, labels } in batch.parts(self.training.micro_batch) {
            // The mean over the batch is the mean over parts weighted by their size.
            let part = labels.len() as f64 / size as f64;
            let logits = self.network.forward(self.tensor(images, labels.len()));
            let loss = cross_entropy(logits.clone(), &labels);
            let value = f64::from(loss.clone().into_scalar::<f32>());
            if !value.is_finite() {
                return (self, value);
            }
            mean_loss += part * value;
            tally.add(value, logits.inner(), &labels);
            let loss = if part == 1.0 { loss } else { loss * part };
            let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
            accumulator.accumulate(&self.network, gradients);
        }
        self.network = self.optimizer.step(learning_rate, self.network, accumulator.grads());
        if let Some(average) = &mut self.average {
            average.update(&self.network);
        }
        (self, mean_loss)
    }

    fn tensor(&self, images: Vec<f32>, count: usize) -> Tensor<4> {
        let [channels, height, width] = self.network.blueprint().image;
        let shape = [count, channels, height, width];
        Tensor::from_data(TensorData::new(images, shape), &self.device)
    }

    /// Stacks one sub-module on a sub-network and initialises it. All other parameters keep their
    /// values and their momentum, unless `training.reset_states` asks otherwise.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn stack(
        &mut self,
        sub_network: usize,
        initializer: &dyn Initializer,
        rng: &mut dyn RngCore,
    ) -> Result<()> {
        self.network.stack(sub_network, rng, &self.device)?;
        if let Some(norm) = self.network.last_norm(sub_network) {
            initializer.initialize(norm, rng);
        }
        if self.training.reset_states {
            self.optimizer = self.training.optimizer.build(&self.training);
        }
        Ok(())
    }

    /// Begins AdamInit on the sub-modules just stacked on `sub_networks`: everything but the scale
    /// and shift of their last batch norms stands still, and an Adam without state takes over.
    /// None where there is no such batch norm.
    pub fn begin_adapting(mut self, sub_networks: &[usize]) -> (Self, Option<Adapting>) {
        let mut trained = HashSet::new();
        for &sub_network in sub_networks {
            if let Some(norm) = self.network.last_norm(sub_network) {
                trained.extend([norm.gamma.id, norm.beta.id]);
            }
        }
        if trained.is_empty() {
            return (self, None);
        }
        let trainable = trainable_ids(&self.network);
        self.network = train_only(self.network, &trained);
        let adam = AdamConfig::new().with_epsilon(1e-8).init();
        let optimizer = std::mem::replace(&mut self.optimizer, adam);
        (self, Some(Adapting { optimizer, trainable }))
    }

    /// Ends AdamInit: everything trains again, by the optimiser from before, with its momentum.
    pub fn end_adapting(mut self, adapting: Adapting) -> Self {
        self.network = train_only(self.network, &adapting.trainable);
        self.optimizer = adapting.optimizer;
        self
    }
}

/// What AdamInit has put aside.
pub struct Adapting {
    optimizer: ModuleOptimizer,
    trainable: HashSet<ParamId>,
}

/// Scores of a network in evaluation mode (see [`Learner::evaluated`]) on a split.
///
/// # Errors
/// Data errors.
pub fn evaluate(network: &Network, split: &dyn Split, device: &Device) -> Result<Scores> {
    let [channels, height, width] = network.blueprint().image;
    let mut tally = Tally::default();
    for batch in split.batches(Pass { batch_size: EVALUATION_BATCH, seed: None }) {
        let Batch { images, labels } = batch?;
        let shape = [labels.len(), channels, height, width];
        let images = Tensor::from_data(TensorData::new(images, shape), device);
        let logits = network.forward(images);
        let loss = cross_entropy(logits.clone(), &labels).into_scalar::<f32>();
        tally.add(f64::from(loss), logits, &labels);
    }
    Ok(tally.scores())
}
