//! [`Learner`]: a network with its optimiser, and one epoch of training.

use super::average::Average;
use super::clip::{self, Looks};
use super::gradients;
use super::inference::checked;
use super::input::Input;
use super::mixing::Mixing;
use super::objective::{Objective, objective};
use super::optimizer::OptimizerKind;
use super::pass::{Backward, Halt, Passes};
use super::schedule::warm_up;
use super::stages;
use super::taken::{Loss, Taken, Unread};
use super::tally::{Scores, Tally};
use crate::config::TrainingConfig;
use crate::data::{Batch, Pass, RawBatch, RawBatches, RawImages, Split};
use crate::network::{
    Adapt, Initializer, Network, StateDict, identities, train_only, trainable_ids, with_identities,
};
use crate::random::{Purpose, derive, generator};
use crate::ranks::Ranks;
use crate::registry::find;
use crate::settings::PluginSettings;
use crate::{Error, Result};
use autogrow_kernels::is_flex;
use burn::module::{Module, ParamId};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::{Bytes, Device};
use rand::RngCore;
use std::collections::{BTreeMap, HashSet, VecDeque};
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
    /// Told of each step, in order, and given the learner as that step has left it; an error ends the
    /// epoch, and so does a break, as if that step had been its last.
    ///
    /// Where a device computes while the host goes on, a step is told when the next one is under way,
    /// and there is no learner to give. A break then asks for one: no further step begins, and the one
    /// under way is told with the learner, by which it is decided.
    pub on_step: &'a mut OnStep<'a>,
}

/// See [`Epoch::on_step`].
pub type OnStep<'a> = dyn FnMut(Option<&Learner>, &Step) -> Result<ControlFlow<()>> + 'a;

/// A step that was taken, with finite numbers.
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
        let network = network.freeze_first(training.frozen_parts());
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
    /// can work in place. It is given back as all its steps have left it, every one with finite numbers.
    ///
    /// # Errors
    /// [`Error::Diverged`] where a loss or a gradient is not finite, and the learner is gone: it may be a
    /// step further; data errors; [`Error::Ranks`] where a rank is lost.
    pub fn epoch(mut self, epoch: &mut Epoch<'_>) -> Result<(Self, Scores)> {
        let batch_size = self.training.batch_size;
        let of = epoch.split.len().div_ceil(batch_size);
        let (taken, mut tally) = std::mem::take(&mut epoch.resumed);
        let share = self.ranks.share();
        let pass = Pass { batch_size, seed: Some(epoch.seed), skip: taken, share };
        let numbers = taken + 1..=epoch.most_steps.unwrap_or(usize::MAX);
        let (batches, input) = self.input(epoch.split, pass);
        let mut under_way = VecDeque::new();
        'epoch: for (number, batch) in numbers.zip(batches) {
            let batch = batch.and_then(|batch| self.checked(batch));
            let batch = self.mixed(self.ranks.agree(batch)?, epoch.seed, number);
            // Behind this step, of the whole run.
            let done = (epoch.number.saturating_sub(1)) as f64 + number as f64 / of as f64;
            let rate = epoch.learning_rate * warm_up(self.training.warmup_epochs, done);
            let loss;
            let seed = derive(epoch.seed, Purpose::Paths, number);
            (self, loss) = self
                .step(batch, &input, rate, seed, &mut tally)
                .map_err(|halt| halt.at(epoch.number, number))?;
            // No image of it could be read.
            let Some(loss) = loss else { continue };
            under_way.push_back(Taken { number, of, loss });
            let mut allowed = usize::from(self.reads_late());
            while under_way.len() > allowed
                && let Some(taken) = under_way.pop_front()
            {
                let is_newest = under_way.is_empty();
                if self.tell(taken, is_newest, &input, epoch, &mut tally)?.is_break() {
                    if is_newest {
                        break 'epoch;
                    }
                    allowed = 0;
                }
            }
        }
        if let Some(last) = under_way.pop_front() {
            let _ = self.tell(last, true, &input, epoch, &mut tally)?;
        }
        let scores = tally.scores(&*self.objective);
        Ok((self, scores))
    }

    /// Whether the numbers of a step are read while the next one is computed. Flex has computed them
    /// when it is asked; ranks agree on each step before it is taken.
    fn reads_late(&self) -> bool {
        !is_flex(&self.device) && !self.ranks.are_several()
    }

    /// Tells of a step, once its numbers are there.
    fn tell(
        &self,
        taken: Taken,
        is_newest: bool,
        input: &Input,
        epoch: &mut Epoch<'_>,
        tally: &mut Tally,
    ) -> Result<ControlFlow<()>> {
        let Taken { number, of, loss } = taken;
        let loss = match loss {
            Loss::Read(loss) => loss,
            Loss::Unread(mut unread) => unread
                .loss(&self.passes(input), tally)
                .map_err(|halt| halt.at(epoch.number, number))?,
        };
        let step = Step { number, of, loss, tally: tally.clone() };
        (epoch.on_step)(is_newest.then_some(self), &step)
    }

    /// A batch of the training images, if it is such as the network can be trained on.
    fn checked(&self, batch: RawBatch) -> Result<RawBatch> {
        checked(batch, &self.network, &*self.objective, self.training.batch_size)
    }

    /// The batch as it is trained on: mixed as a function of the epoch's seed and its number, each rank
    /// its share with itself.
    fn mixed(&self, batch: RawBatch, seed: u64, number: usize) -> RawBatch {
        match (Mixing::of(&self.training), batch) {
            (Some(mixing), RawBatch { images: RawImages::Normalised(images), targets }) => {
                let blueprint = self.network.blueprint();
                let mut rng = generator(seed, Purpose::Mixing, number);
                let batch = Batch { images, targets };
                mixing.mix(&batch, blueprint.image, blueprint.classes, &mut rng).into()
            }
            (_, batch) => batch,
        }
    }

    /// The batches of a pass, and how they get to the device. What is mixed is mixed by the host.
    fn input<'a>(&self, split: &'a dyn Split, pass: Pass) -> (RawBatches<'a>, Input) {
        let image = self.network.blueprint().image;
        Input::of(split, pass, image, &self.device, Mixing::of(&self.training).is_some())
    }

    fn passes<'a>(&'a self, input: &'a Input) -> Passes<'a> {
        Passes {
            network: &self.network,
            objective: &*self.objective,
            input,
            ranks: &self.ranks,
            micro_batch: self.training.micro_batch,
            batch_size: self.training.batch_size,
            sync_batch_norm: self.training.sync_batch_norm && self.ranks.are_several(),
            drop_path: self.training.drop_path,
            least: self.least,
        }
    }

    /// One optimisation step on this rank's share of a batch, where `seed` fixes what is random in it;
    /// returns the loss before it, or none where no rank has an image. Where that or a gradient is not
    /// finite, says so and steps nowhere, on any rank; where it is read late, whoever reads it.
    fn step(
        mut self,
        batch: RawBatch,
        input: &Input,
        learning_rate: f64,
        seed: u64,
        tally: &mut Tally,
    ) -> Result<(Self, Option<Loss>), Halt> {
        let passes = self.passes(input);
        let Some(Backward { gradients: own, seen }) = passes.gradients(batch, seed)? else {
            return Ok((self, None));
        };
        let gradients = gradients::sum(&self.ranks, &self.network, own, &self.device)?;
        let longest = self.training.clip_norm;
        let Looks { sums, squares } = clip::looks(&self.network, &gradients, longest > 0.0);
        let (gradients, mut loss) = if self.reads_late() {
            let gradients = clip::clipped_unread(&self.network, gradients, squares, longest);
            (gradients, Loss::Unread(Unread::new(seen, sums, Vec::new())))
        } else {
            let mut unread = Unread::new(seen, sums, squares);
            let loss = Loss::Read(unread.loss(&passes, tally)?);
            let gradients = match longest > 0.0 {
                true => clip::clipped(&self.network, gradients, unread.squares()?, longest),
                false => gradients,
            };
            (gradients, loss)
        };
        let factors = &self.training.stage_rates;
        self.network = if factors.is_empty() || self.aside.is_some() {
            self.optimizer.step(learning_rate, self.network, gradients)
        } else {
            let rates = stages::rates(&self.network, learning_rate, factors);
            self.optimizer.step(rates, self.network, gradients)
        };
        if let Some(average) = &mut self.average {
            average.update(&self.network);
        }
        if let Loss::Unread(unread) = &mut loss {
            unread.ask();
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
