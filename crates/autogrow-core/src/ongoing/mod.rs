//! A run in progress: its position, its best network, its clock, and who watches. How an epoch is
//! trained, when all of it is saved, and how a run ends are files of their own.

mod budget;
mod clock;
mod cooldown;
mod decisions;
mod ending;
mod epoch;
mod neighbour;
mod peak;
mod saving;

use crate::config::TrainingConfig;
use crate::data::DataSet;
use crate::growth::{Depth, Evidence, Growth, Guide, Place, floor};
use crate::job::Job;
use crate::network::{Adapt, Blueprint, Network, StateDict};
use crate::random::{Purpose, derive, generator};
use crate::run::{Checkpoint, Event, Kept, Origin, Phase, State, Watch};
use crate::training::{Learner, LearnerRecord, Scores, chance, recalibrate};
use crate::{Error, Result};
use autogrow_run::validation::ValidationEpoch;
use burn::tensor::Device;
use clock::Clock;
pub use cooldown::cooldown;
pub use ending::Found;
pub use neighbour::at_depth;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::path::Path;

/// A run in progress.
pub(crate) struct Run<'a> {
    job: Job<'a>,
    watch: &'a mut dyn Watch,
    state: State,
    best: Option<Best>,
    /// The networks that the policy may go back to.
    kept: BTreeMap<Place, Kept>,
    /// What the epochs so far have shown, as the run's `validation.bin` has it.
    validation: Vec<ValidationEpoch>,
    /// What a network scores on the validation images that has learnt nothing.
    chance: Option<f64>,
    origin: Origin,
    floor: Option<Depth>,
    clock: Clock,
}

/// The best network at the found depth so far.
struct Best {
    /// In evaluation mode.
    network: Network,
    /// Its numbers, as a checkpoint keeps them.
    state: StateDict,
    /// Trainable parameters.
    parameters: usize,
}

impl<'a> Run<'a> {
    /// Builds the seed network, tells that it is about to be trained, and saves the beginning.
    pub(crate) fn start(job: Job<'a>, watch: &'a mut dyn Watch) -> Result<(Learner, Self)> {
        let device = job.device.clone().autodiff();
        let config = job.config;
        let network = job.ranks.with_parameters_of_first(job.seed_network(&device)?)?;
        let mut run = Self::new(job, watch, State::start())?;
        run.watch.architecture(&network)?;
        run.watch.event(&Event::Started {
            epoch: 0,
            depth: network.depth().clone(),
            seconds: 0.0,
            network: config.network.name.clone(),
            data: config.data.name.clone(),
            seed: config.run.seed,
            parameters: network.parameters(),
            macs: network.macs()?,
            floor: run.floor.clone(),
        })?;
        let learner = Learner::new(network, &run.job.training(), &config.plugin, device)?;
        let learner = learner.with_ranks(job.ranks);
        run.keep_snapshot(&learner)?;
        run.save(&learner)?;
        Ok((learner, run))
    }

    /// Takes up a run where a checkpoint left it.
    pub(crate) fn resume(
        job: Job<'a>,
        watch: &'a mut dyn Watch,
        checkpoint: Checkpoint,
    ) -> Result<(Learner, Self)> {
        let Checkpoint { state, blueprint, learner, kept, best, validation, origin: _ } =
            checkpoint;
        let grown = state.adapting.as_ref().map(|adapting| &adapting.grown[..]);
        let adapting = job.initializer()?.adapts().zip(grown);
        let learner = restored(job, &blueprint, learner, adapting)?;
        let mut run = Self { kept, validation, ..Self::new(job, watch, state)? };
        if let Some(state) = best {
            let network = built(&blueprint, job.device)?;
            let network = state.clone().load_into(network, Path::new("checkpoint"))?;
            run.watch.best(&network)?;
            run.best = Some(Best { network, state, parameters: learner.network().parameters() });
        }
        run.watch.architecture(learner.network())?;
        run.watch.event(&Event::Resumed {
            epoch: run.state.epochs,
            depth: learner.network().depth().clone(),
            seconds: run.state.seconds,
            step: run.state.step,
        })?;
        Ok((learner, run))
    }

    fn new(job: Job<'a>, watch: &'a mut dyn Watch, state: State) -> Result<Self> {
        Ok(Self {
            job,
            watch,
            best: None,
            kept: BTreeMap::new(),
            validation: Vec::new(),
            // Weights that were trained before have learnt, if not this task yet: there is nothing to be had
            // from beginning anew without them.
            chance: match job.config.training.init_from.as_os_str().is_empty() {
                true => chance(
                    &*job.objective()?,
                    &*job.data.validation,
                    job.data.outputs.len(),
                    job.device,
                )?,
                false => None,
            },
            origin: Origin::of(job.config, job.data)?,
            floor: match job.config.run.max_minutes > 0.0 {
                // Growth may end before it has come to its floor.
                true => None,
                false => floor(&job.config.rules())?.map(|floor| floor.found),
            },
            clock: Clock::start(state.seconds),
            state,
        })
    }

    /// Brings `growth` to where the run is.
    pub(crate) fn replay(&self, growth: &mut Growth) {
        for number in 0..self.state.decided {
            let is_last = self.state.budget.growth_is_over && number + 1 == self.state.decided;
            match is_last {
                true => growth.last_epoch(self.evidence_of(number)),
                false => growth.epoch(self.evidence_of(number)),
            };
        }
    }

    /// Checks that `growth`, replayed, has come to where the run is, with a network of this depth.
    ///
    /// # Errors
    /// [`Error::Run`] where it is elsewhere, because settings have changed since.
    pub(crate) fn check(&self, growth: &Growth, depth: &Depth) -> Result<()> {
        let would = growth.depth();
        if would == depth && (growth.finished() || self.state.best.is_none()) {
            return Ok(());
        }
        let problem = format!("has grown to {depth}; by these settings it would be {would} now");
        Err(Error::run("the run", problem).with_hint("go on with the [growth] that it began with"))
    }

    /// Whether the last growing epoch has been trained but not decided upon.
    pub(crate) fn is_undecided(&self) -> bool {
        self.state.decided < self.state.guiding.len()
    }

    /// What the last growing epoch has shown.
    pub(crate) fn evidence(&self) -> Evidence {
        self.evidence_of(self.state.guiding.len().saturating_sub(1))
    }

    /// What a growing epoch, counted from 0, has shown: its score alone where the run is older than
    /// `validation.bin`.
    fn evidence_of(&self, number: usize) -> Evidence {
        let growing = |epoch: &&ValidationEpoch| epoch.phase == Phase::Growing;
        // Those that are missing are the first ones.
        let behind = self.state.guiding.len() - number;
        match self.validation.iter().rev().filter(growing).nth(behind.saturating_sub(1)) {
            Some(epoch) if behind > 0 => epoch.evidence.clone(),
            _ => Evidence::of_score(self.state.guiding.get(number).copied().unwrap_or(0.0)),
        }
    }

    /// The random numbers of the next growth.
    pub(crate) fn next_growth(&mut self) -> ChaCha8Rng {
        self.state.growths += 1;
        generator(self.job.config.run.seed, Purpose::Growth, self.state.growths)
    }

    /// Fine-tuning epochs that are over.
    pub(crate) fn fine_tuned(&self) -> usize {
        self.state.epochs - self.state.growing_epochs
    }

    /// The network as it is evaluated after `epoch` epochs, the same on all ranks.
    fn evaluated(&self, learner: &Learner, epoch: usize) -> Result<Network> {
        let Job { config, data, device, ranks } = self.job;
        let network = learner.evaluated();
        if config.growth.guide == Guide::Averaged {
            let measured = match ranks.is_first() {
                true => {
                    let seed = derive(config.run.seed, Purpose::Recalibration, epoch);
                    let TrainingConfig { batch_size, micro_batch, .. } = config.training;
                    let batch = if micro_batch == 0 { batch_size } else { micro_batch };
                    let objective = learner.objective();
                    recalibrate(&network, objective, &*data.train, batch, seed, device)
                }
                false => Ok(()),
            };
            ranks.agree(measured)?;
        }
        ranks.with_statistics_of_first(network, device)
    }

    /// Keeps `network` where it is better than the best so far.
    fn keep_if_best(
        &mut self,
        network: Network,
        validation: Scores,
        parameters: usize,
    ) -> Result<()> {
        if self.state.best.is_some_and(|best| validation.score <= best.score) {
            return Ok(());
        }
        self.watch.best(&network)?;
        self.state.best = Some(validation);
        self.best = Some(Best { state: StateDict::of(&network)?, network, parameters });
        Ok(())
    }

    /// Tells how many images could not be read, where there are any.
    fn tell_skipped(&mut self, images: usize, network: &Network) -> Result<()> {
        if images == 0 {
            return Ok(());
        }
        let (epoch, depth) = (self.state.epochs, network.depth().clone());
        let seconds = self.clock.seconds();
        self.watch.event(&Event::Skipped { epoch, depth, seconds, images })
    }

    fn data(&self) -> &'a DataSet {
        self.job.data
    }
}

/// A network on `device` whose weights are about to be overwritten, so that it does not matter how
/// they are drawn.
fn built(blueprint: &Blueprint, device: &Device) -> Result<Network> {
    Network::new(blueprint.clone(), &mut generator(0, Purpose::Seed, 0), device)
}

/// The learner that a record was taken of.
fn restored(
    job: Job<'_>,
    blueprint: &Blueprint,
    record: LearnerRecord,
    adapting: Option<(Adapt, &[usize])>,
) -> Result<Learner> {
    let device = job.device.clone().autodiff();
    let network = built(blueprint, &device)?;
    let (training, plugins) = (&job.training(), &job.config.plugin);
    let learner = Learner::restore(network, record, adapting, training, plugins, device)?;
    Ok(learner.with_ranks(job.ranks))
}
