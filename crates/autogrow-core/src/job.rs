//! [`Job`]: what a run is made of.

use crate::config::{Augment, Numbers, TrainingConfig};
use crate::data::{DataSet, TableInput};
use crate::growth::{Depth, Growth, Guide};
use crate::init_from::begin_with;
use crate::initializer::InitializerKind;
use crate::network::{Blueprint, Initializer, ModelInfo, Network, Size};
use crate::random::{Purpose, generator};
use crate::ranks::Ranks;
use crate::registry::find;
use crate::training::{Objective, objective};
use crate::{Error, Resolved, Result};
use burn::tensor::Device;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Steps that averages span at least: an epoch of tiny data has too few to average out noise.
const LEAST_SPAN: usize = 20;

/// Settings, data, where it is computed, and with whom.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The settings.
    pub config: &'a Resolved,
    /// The images.
    pub data: &'a DataSet,
    /// The plain device, not its autodiff twin.
    pub device: &'a Device,
    /// The processes that train together; [`Ranks::single`] for one on its own.
    pub ranks: &'a Ranks,
}

impl Job<'_> {
    /// Algorithm 1 at its start, within what networks may cost.
    ///
    /// # Errors
    /// As [`Growth::new`].
    pub(crate) fn growth(&self) -> Result<Growth> {
        let growth = Growth::new(&self.config.rules())?;
        let limits = self.config.growth.clone();
        if !limits.limits_cost() {
            return Ok(growth);
        }
        let (seed, device) = (self.blueprint(), self.device.clone());
        let known = RefCell::new(BTreeMap::new());
        let fits = move |depth: &Depth| {
            *known.borrow_mut().entry(depth.to_string()).or_insert_with(|| {
                // What cannot be built cannot be grown to.
                let size = Size::of(Blueprint { depth: depth.clone(), ..seed.clone() }, &device);
                size.is_ok_and(|size| limits.allows(size.macs, size.parameters as u64))
            })
        };
        Ok(growth.within(fits))
    }

    /// The architecture of the seed network.
    pub fn blueprint(&self) -> Blueprint {
        let (config, data) = (self.config, self.data);
        Blueprint::seed(&config.network, config.compat, data.image, data.outputs.len())
    }

    /// What a model file says of a network of this job, at the depth of the seed.
    pub fn model_info(&self) -> ModelInfo {
        ModelInfo::new(self.blueprint(), self.config, self.data)
    }

    /// How a network of this job is trained: section `[training]`, with averages where the guide
    /// asks for them. Those span about an epoch, the growing net's memory of itself.
    pub(crate) fn training(&self) -> TrainingConfig {
        let mut training = self.config.training.clone();
        if self.config.growth.guide == Guide::Averaged && training.average == 0.0 {
            let steps = self.data.train.len().div_ceil(training.batch_size);
            training.average = 1.0 - 1.0 / steps.max(LEAST_SPAN) as f64;
        }
        training
    }

    /// Nothing, if growth may begin with the seed network.
    fn check_limits(&self) -> Result<()> {
        let growth = &self.config.growth;
        if !growth.limits_cost() {
            return Ok(());
        }
        let Size { macs, parameters } = Size::of(self.blueprint(), self.device)?;
        let costs = [
            ("growth.max_macs", growth.max_macs, macs),
            ("growth.max_parameters", growth.max_parameters, parameters as u64),
        ];
        for (key, most, cost) in costs {
            if most > 0 && cost > most {
                let problem = format!("= {most} is less than what the seed network has: {cost}");
                return Err(Error::config(key, problem)
                    .with_hint("allow more, or begin narrower: --set network.width"));
            }
        }
        Ok(())
    }

    /// What is minimised.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) where the data have something else than it asks for;
    /// what it finds wrong with its settings.
    pub fn objective(&self) -> Result<Box<dyn Objective>> {
        let config = self.config;
        let objective = objective(&config.training, &config.plugin)?;
        self.data.outputs.suit(objective.task(), &config.data.name)?;
        Ok(objective)
    }

    /// The initializer of new sub-modules.
    ///
    /// # Errors
    /// What it finds wrong with its settings.
    pub(crate) fn initializer(&self) -> Result<Box<dyn Initializer>> {
        let kind = find::<InitializerKind>(&self.config.growth.initializer)?;
        (kind.build)(self.config.compat, &self.config.plugin)
    }

    /// Refuses batches of one image for a network in which a channel of an image is a single value
    /// somewhere: a batch norm cannot learn from one.
    fn refuse_small_batches(&self, network: &Network) -> Result<()> {
        let training = &self.config.training;
        let key = match (training.batch_size, training.micro_batch) {
            _ if network.least_batch() < 2 => return Ok(()),
            (1, _) => "training.batch_size",
            (_, 1) => "training.micro_batch",
            _ => return Ok(()),
        };
        Err(Error::config(key, "= 1: the batch norms of this network cannot learn from one image")
            .with_hint("it is at least 2; 16 or more is usual"))
    }

    /// Refuses to leave out residual branches of a network that has none.
    fn refuse_drop_path(&self, network: &Network) -> Result<()> {
        let rate = self.config.training.drop_path;
        if rate == 0.0 || network.has_paths(self.device) {
            return Ok(());
        }
        let problem = format!(
            "= {rate}: the sub-modules of {} have no residual branch that could be left out",
            self.config.network.name
        );
        Err(Error::config("training.drop_path", problem).with_hint("--set training.drop_path=0"))
    }

    /// Refuses settings of the data that its images or rows have nothing for.
    fn refuse_unsuited_data(&self) -> Result<()> {
        let (config, set) = (&self.config.data, self.data);
        let [_, height, width] = set.image;
        let (augment, erasing) = (config.augment, config.erasing);
        let cutmix = self.config.training.cutmix;
        let has_operations = matches!(augment, Augment::Trivial | Augment::Rand);
        let (key, problem, hint) = if has_operations && set.preprocessing.is_none() {
            let problem = format!("works on pictures, and the data set {} has none", config.name);
            ("data.augment", problem, "--set data.augment=standard")
        } else if erasing > 0.0 && height * width == 1 {
            let problem = format!("= {erasing}: there is no box in images of one pixel");
            ("data.erasing", problem, "--set data.erasing=0")
        } else if cutmix > 0.0 && height * width == 1 {
            let problem = format!("= {cutmix}: there is no box in images of one pixel");
            ("training.cutmix", problem, "--set training.cutmix=0; training.mixup does without one")
        } else if config.numbers == Numbers::Pieces
            && !set.table.as_ref().is_some_and(TableInput::has_pieces)
        {
            let name = &config.name;
            let problem =
                format!("= pieces: no column of the data set {name} can be cut into pieces");
            ("data.numbers", problem, "--set data.numbers=standard")
        } else {
            return Ok(());
        };
        Err(Error::config(key, problem).with_hint(hint))
    }

    /// The seed network on `device`, random or with the weights that `training.init_from` names.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) where the images do not suit the network or the
    /// objective,
    /// [`Error::Run`](crate::Error::Run) where the weights do not.
    pub fn seed_network(&self, device: &Device) -> Result<Network> {
        self.objective()?;
        let network = self.drawn(self.config.network.depth.clone(), device)?;
        self.check_limits()?;
        self.refuse_small_batches(&network)?;
        self.refuse_drop_path(&network)?;
        self.refuse_unsuited_data()?;
        let weights = &self.config.training.init_from;
        if weights.as_os_str().is_empty() {
            if self.config.training.frozen_parts() > 0 {
                tracing::warn!(
                    "training.stage_rates freezes parts whose weights are random; training.init_from names a \
                     file of weights"
                );
            }
            return Ok(network);
        }
        begin_with(network, weights)
    }

    /// A network of some depth as the run's seed draws it.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) where the images do not suit it.
    pub(crate) fn drawn(&self, depth: Depth, device: &Device) -> Result<Network> {
        let mut rng = generator(self.config.run.seed, Purpose::Seed, 0);
        Network::new(Blueprint { depth, ..self.blueprint() }, &mut rng, device)
    }
}
