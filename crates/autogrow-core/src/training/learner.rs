//! [`Learner`]: a network with its optimiser, and one epoch of training.

use super::average::Average;
use super::clip;
use super::gradients;
use super::inference::checked;
use super::mixing::Mixing;
use super::objective::{Objective, objective};
use super::optimizer::OptimizerKind;
use super::pass::{Halt, Passes};
use super::readback::Readback;
use super::schedule::warm_up;
use super::tally::{Scores, Tally};
use crate::config::TrainingConfig;
use crate::data::{Batch, Pass, Split};
use crate::network::{
    Adapt, Initializer, Network, StateDict, identities, train_only, trainable_ids, with_identities,
};
use crate::random::{Purpose, generator};
use crate::ranks::Ranks;
use crate::registry::find;
use crate::settings::PluginSettings;
use crate::{Error, Result};
use burn::module::{Module, ParamId};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::{Bytes, Device};
use rand::RngCore;
use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::path::Path;

/// One epoch to train.
pub struct Epoch<'a> {
    /// The images.
    pub split: &'a dyn Split,
    /// Number of the epoch in the whole run, from 1.
    pub number: usize,
    /// Fixes order and augmentation.
    pub seed: u64,
    /// Step size, once the run is warm: see `training.warmup_epochs`.
    pub learning_rate: f64,
    /// Steps of it that were taken before, by a process that was interrupted, and what they came
    /// to.
    pub resumed: (usize, Tally),
    /// Steps that it has at most, those included; none: as many as the images make.
    pub most_steps: Option<usize>,
    /// Told after each step; an error ends the epoch, and so does a break, as if that step had been
    /// its last.
    pub on_step: &'a mut dyn FnMut(&Learner, &Step) -> Result<ControlFlow<()>>,
}

/// A step that was taken.
#[derive(Clone, Debug)]
pub struct Step {
    /// Number within the epoch, from 1.
    pub number: usize,
    /// Steps of the epoch.
    pub of: usize,
    /// Loss before it.
    pub loss: f64,
    /// What the epoch came to so far.
    pub tally: Tally,
}

/// A network while it is trained.
pub struct Learner {
    network: Network,
    objective: Box<dyn Objective>,
    optimizer: ModuleOptimizer,
    average: Option<Average>,
    /// What AdamInit has put aside while it trains the newest gates alone.
    aside: Option<Aside>,
    training: TrainingConfig,
    plugins: PluginSettings,
    device: Device,
    ranks: Ranks,
    /// Images that a step needs at least.
    least: usize,
}

struct Aside {
    optimizer: ModuleOptimizer,
    trainable: HashSet<ParamId>,
}

impl Learner {
    /// `network` lives on `device`, an autodiff device; the optimiser has no state yet.
    ///
    /// # Errors
    /// [`Error::Unknown`] where no such optimiser or objective is registered; what they find wrong
    /// with their settings.
    pub fn new(
        network: Network,
        training: &TrainingConfig,
        plugins: &PluginSettings,
        device: Device,
    ) -> Result<Self> {
        let average = (training.average > 0.0).then(|| Average::of(&network, training.average, 0));
        Ok(Self {
            objective: objective(training, plugins)?,
            optimizer: optimizer(training, plugins)?,
            average,
            aside: None,
            least: network.least_batch(),
            training: training.clone(),
            plugins: plugins.clone(),
            device,
            ranks: Ranks::single(),
            network,
        })
    }

    /// The same learner as one of several ranks, each of which has one like it.
    pub fn with_ranks(self, ranks: &Ranks) -> Self {
        Self { ranks: ranks.clone(), ..self }
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What it minimises.
    pub fn objective(&self) -> &dyn Objective {
        &*self.objective
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
    /// [`Error::Diverged`] before a loss that is not a number changes anything; data errors;
    /// [`Error::Ranks`] where a rank is lost.
    pub fn epoch(mut self, epoch: &mut Epoch<'_>) -> Result<(Self, Scores)> {
        let batch_size = self.training.batch_size;
        let of = epoch.split.len().div_ceil(batch_size);
        let (taken, mut tally) = std::mem::take(&mut epoch.resumed);
        let share = self.ranks.share();
        let pass = Pass { batch_size, seed: Some(epoch.seed), skip: taken, share };
        let numbers = taken + 1..=epoch.most_steps.unwrap_or(usize::MAX);
        for (number, batch) in numbers.zip(epoch.split.batches(pass)) {
            let batch = batch.and_then(|batch| self.checked(batch));
            let batch = self.mixed(self.ranks.agree(batch)?, epoch.seed, number);
            // Behind this step, of the whole run.
            let done = (epoch.number.saturating_sub(1)) as f64 + number as f64 / of as f64;
            let rate = epoch.learning_rate * warm_up(self.training.warmup_epochs, done);
            let loss;
            (self, loss) = self.step(batch, rate, &mut tally).map_err(|halt| {
                let (epoch, step) = (epoch.number, number);
                match halt {
                    Halt::NotFinite(what) => {
                        Error::Diverged { epoch, step, what, checkpoint: None }
                    }
                    Halt::Failed(error) => error,
                }
            })?;
            // No image of it could be read.
            let Some(loss) = loss else { continue };
            let step = Step { number, of, loss, tally: tally.clone() };
            if (epoch.on_step)(&self, &step)?.is_break() {
                break;
            }
        }
        let scores = tally.scores(&*self.objective);
        Ok((self, scores))
    }

    /// A batch of the training images, if it is such as the network can be trained on.
    fn checked(&self, batch: Batch) -> Result<Batch> {
        checked(batch, &self.network, &*self.objective, self.training.batch_size)
    }

    /// The batch as it is trained on: mixed as a function of the epoch's seed and its number, each rank
    /// its share with itself.
    fn mixed(&self, batch: Batch, seed: u64, number: usize) -> Batch {
        let Some(mixing) = Mixing::of(&self.training) else { return batch };
        let blueprint = self.network.blueprint();
        let mut rng = generator(seed, Purpose::Mixing, number);
        mixing.mix(&batch, blueprint.image, blueprint.classes, &mut rng)
    }

    /// One optimisation step on this rank's share of a batch; returns the loss before it, or none
    /// where no rank has an image. Where that or a gradient is not finite, says so and steps
    /// nowhere, on any rank.
    fn step(
        mut self,
        batch: Batch,
        learning_rate: f64,
        tally: &mut Tally,
    ) -> Result<(Self, Option<f64>), Halt> {
        let passes = Passes {
            network: &self.network,
            objective: &*self.objective,
            device: &self.device,
            ranks: &self.ranks,
            micro_batch: self.training.micro_batch,
            batch_size: self.training.batch_size,
            sync_batch_norm: self.training.sync_batch_norm && self.ranks.are_several(),
            least: self.least,
        };
        let Some(mut backward) = passes.gradients(batch)? else {
            return Ok((self, None));
        };
        let own = std::mem::take(&mut backward.gradients);
        let gradients = gradients::sum(&self.ranks, &self.network, own, &self.device)?;
        let longest = self.training.clip_norm;
        let mut readback = Readback::default();
        readback.add(backward.unread());
        readback.add(clip::looks(&self.network, &gradients, longest > 0.0));
        let numbers = readback.read();
        let (loss, taken) = passes.tell(&backward, &numbers, tally)?;
        let looks = &numbers[taken..];
        let sums = if longest > 0.0 { looks.len() / 2 } else { looks.len() };
        if !looks[..sums].iter().all(|sum| sum.is_finite()) {
            return Err(Halt::NotFinite("a gradient is not finite".into()));
        }
        let gradients = match longest > 0.0 {
            true => clip::clipped(&self.network, gradients, &looks[sums..], longest),
            false => gradients,
        };
        self.network = self.optimizer.step(learning_rate, self.network, gradients);
        if let Some(average) = &mut self.average {
            average.update(&self.network);
        }
        Ok((self, Some(loss)))
    }

    /// Takes over the parameters of the first rank.
    ///
    /// # Errors
    /// [`Error::Ranks`] where a rank is lost.
    pub(crate) fn follow_first(mut self) -> Result<Self> {
        self.network = self.ranks.with_parameters_of_first(self.network)?;
        Ok(self)
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
        self.network.stack(sub_network, initializer, rng, &self.device)?;
        if let Some(average) = &mut self.average {
            average.begin(&self.network);
        }
        if self.training.reset_states {
            self.optimizer = optimizer(&self.training, &self.plugins)?;
        }
        Ok(())
    }

    /// Begins AdamInit on the sub-modules just stacked on `sub_networks`, which names one as often as
    /// it got one: everything but the scale and shift of their gates stands still, and an Adam without state takes over. Says whether
    /// there is any gate; without, nothing is changed.
    pub fn begin_adapting(mut self, adapt: Adapt, sub_networks: &[usize]) -> (Self, bool) {
        let mut trained = HashSet::new();
        for &sub_network in sub_networks {
            let stacked = sub_networks.iter().filter(|&&other| other == sub_network).count();
            for gate in self.network.gates(sub_network, stacked) {
                trained.insert(gate.scale.id);
                trained.extend(gate.shift.map(|shift| shift.id));
            }
        }
        if trained.is_empty() {
            return (self, false);
        }
        let trainable = trainable_ids(&self.network);
        self.network = train_only(self.network, &trained);
        let optimizer = std::mem::replace(&mut self.optimizer, adam(adapt));
        self.aside = Some(Aside { optimizer, trainable });
        (self, true)
    }

    /// Whether AdamInit is in progress.
    pub fn is_adapting(&self) -> bool {
        self.aside.is_some()
    }

    /// Ends AdamInit: everything trains again, by the optimiser from before, with its momentum.
    pub fn end_adapting(mut self) -> Self {
        if let Some(aside) = self.aside.take() {
            self.network = train_only(self.network, &aside.trainable);
            self.optimizer = aside.optimizer;
        }
        self
    }

    /// All that training has made, to be put back by [`Learner::restore`].
    ///
    /// # Errors
    /// [`Error::Run`] where the state of the optimiser cannot be written down.
    pub fn record(&self) -> Result<LearnerRecord> {
        let bytes = |optimizer: &ModuleOptimizer| match optimizer.into_bytes() {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(error) => Err(Error::run("optimizer", error.to_string())),
        };
        let average = self.average.as_ref().map(|average| average.apply(self.network.valid()));
        Ok(LearnerRecord {
            weights: StateDict::of(&self.network)?,
            identities: identities(&self.network)?,
            optimizer: bytes(&self.optimizer)?,
            aside: self.aside.as_ref().map(|aside| bytes(&aside.optimizer)).transpose()?,
            average: average.as_ref().map(StateDict::of).transpose()?,
            averaged_steps: self.average.as_ref().map_or(0, Average::steps),
        })
    }

    /// The learner that [`Learner::record`] was asked of. `network` is freshly built at its depth;
    /// `adapting` is an AdamInit in progress and the sub-networks that it is about.
    ///
    /// # Errors
    /// [`Error::Run`] where the record does not fit the network.
    pub fn restore(
        network: Network,
        record: LearnerRecord,
        adapting: Option<(Adapt, &[usize])>,
        training: &TrainingConfig,
        plugins: &PluginSettings,
        device: Device,
    ) -> Result<Self> {
        let place = Path::new("checkpoint");
        let load = |optimizer: ModuleOptimizer, bytes: Vec<u8>| {
            let loaded = optimizer.from_bytes(Bytes::from_bytes_vec(bytes));
            loaded.map_err(|error| Error::run(place, format!("optimizer: {error}")))
        };
        let network = record.weights.load_into(network, place)?;
        let network = with_identities(network, &record.identities)?;
        let mut learner = Self::new(network, training, plugins, device)?;
        if let (Some(average), Some(values)) = (&mut learner.average, record.average) {
            let averaged = values.load_into(learner.network.valid().train(), place)?;
            *average = Average::of(&averaged, training.average, record.averaged_steps);
        }
        match record.aside {
            None => learner.optimizer = load(learner.optimizer, record.optimizer)?,
            Some(aside) => {
                learner.optimizer = load(learner.optimizer, aside)?;
                if let Some((adapt, grown)) = adapting {
                    (learner, _) = learner.begin_adapting(adapt, grown);
                }
                learner.optimizer = load(learner.optimizer, record.optimizer)?;
            }
        }
        Ok(learner)
    }
}

/// A learner's numbers, without the configuration they came about under.
#[derive(Clone, Debug)]
pub struct LearnerRecord {
    /// Parameters and running statistics.
    pub weights: StateDict,
    /// Identities of parameters, by which optimisers keep their state.
    pub identities: BTreeMap<String, u64>,
    /// State of the optimiser at work, in Burn's format.
    pub optimizer: Vec<u8>,
    /// State of the optimiser that AdamInit has put aside.
    pub aside: Option<Vec<u8>>,
    /// Moving averages of the parameters, where they are kept.
    pub average: Option<StateDict>,
    /// Steps that they are of.
    pub averaged_steps: u64,
}

fn optimizer(training: &TrainingConfig, plugins: &PluginSettings) -> Result<ModuleOptimizer> {
    (find::<OptimizerKind>(&training.optimizer)?.build)(training, plugins)
}

/// The optimiser of AdamInit.
fn adam(adapt: Adapt) -> ModuleOptimizer {
    let penalty = adapt.weight_decay as f32;
    let decay = (penalty > 0.0).then_some(WeightDecayConfig { penalty });
    AdamConfig::new().with_epsilon(1e-8).with_weight_decay(decay).init()
}
