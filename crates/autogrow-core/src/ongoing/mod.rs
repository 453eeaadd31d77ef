//! A run in progress: its position, its best network, its clock, and who watches. How an epoch is
//! trained, when all of it is saved, and how a run ends are files of their own.

mod clock;
mod decisions;
mod ending;
mod epoch;
mod saving;

use crate::data::DataSet;
use crate::growth::{Depth, Evidence, Growth, floor};
use crate::job::Job;
use crate::network::{Network, StateDict};
use crate::random::{Purpose, generator};
use crate::run::{Checkpoint, Event, Origin, State, Watch};
use crate::training::{Learner, Scores};
use crate::{Error, Result};
use burn::tensor::Device;
use clock::Clock;
pub use ending::Found;
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// A run in progress.
pub(crate) struct Run<'a> {
    job: Job<'a>,
    watch: &'a mut dyn Watch,
    state: State,
    best: Option<Best>,
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
        let learner = Learner::new(network, &config.training, &config.plugin, device)?;
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
        let Checkpoint { state, blueprint, learner, best, origin: _ } = checkpoint;
        let device = job.device.clone().autodiff();
        let build = |device: &Device| {
            // Every weight is overwritten, so it does not matter how they are drawn.
            Network::new(blueprint.clone(), &mut generator(0, Purpose::Seed, 0), device)
        };
        let grown = state.adapting.as_ref().map(|adapting| &adapting.grown[..]);
        let adapting = job.initializer()?.adapts().zip(grown);
        let network = build(&device)?;
        let (training, plugins) = (&job.config.training, &job.config.plugin);
        let learner = Learner::restore(network, learner, adapting, training, plugins, device)?;
        let learner = learner.with_ranks(job.ranks);
        let mut run = Self::new(job, watch, state)?;
        if let Some(state) = best {
            let network = state.clone().load_into(build(job.device)?, Path::new("checkpoint"))?;
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
            origin: Origin::of(job.config, job.data)?,
            floor: floor(&job.config.rules())?.map(|floor| floor.found),
            clock: Clock::start(state.seconds),
            state,
        })
    }

    /// Brings `growth` to where the run is.
    pub(crate) fn replay(&self, growth: &mut Growth) {
        for &score in &self.state.guiding[..self.state.decided] {
            growth.epoch(Evidence::of_score(score));
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
        Evidence::of_score(self.state.guiding.last().copied().unwrap_or(0.0))
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

    /// The network as it is evaluated, the same on all ranks.
    fn evaluated(&self, learner: &Learner) -> Result<Network> {
        self.job.ranks.with_statistics_of_first(learner.evaluated(), self.job.device)
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
