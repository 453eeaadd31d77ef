//! A run while it goes on: its clock, its position, its best network, who watches, and how all of
//! that is put into a checkpoint and taken up again.

use crate::config::Config;
use crate::data::DataSet;
use crate::growth::{Decision, Depth, Growth, Kind, floor, replay};
use crate::initializer::Adapt;
use crate::network::{Blueprint, Network, StateDict};
use crate::random::{Purpose, derive, generator};
use crate::ranks::Ranks;
use crate::run::{
    AdaptingState, Checkpoint, EpochRecord, Event, Origin, Outcome, Phase, State, Watch,
    check_finite, read_weights,
};
use crate::training::{Epoch, Learner, Scores, Step, Tally, evaluate};
use crate::{Error, Result};
use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::time::Instant;

/// A run in progress.
pub(crate) struct Run<'a> {
    config: &'a Config,
    data: &'a DataSet,
    device: &'a Device,
    ranks: &'a Ranks,
    watch: &'a mut dyn Watch,
    state: State,
    best: Option<Network>,
    /// `best` as a checkpoint keeps it.
    best_state: Option<StateDict>,
    origin: Origin,
    floor: Option<Depth>,
    /// Trainable parameters of the found network.
    parameters: usize,
    /// When this process took up the run, and how long others had worked on it.
    started: (Instant, f64),
    saved: Instant,
}

impl<'a> Run<'a> {
    /// Builds the seed network and tells that it is about to be trained.
    pub(crate) fn start(
        config: &'a Config,
        data: &'a DataSet,
        device: &'a Device,
        ranks: &'a Ranks,
        watch: &'a mut dyn Watch,
    ) -> Result<(Learner, Self)> {
        let training_device = device.clone().autodiff();
        let network = seed_network(config, data, &training_device)?;
        let network = ranks.with_parameters_of_first(network)?;
        let mut run = Self::new(config, data, device, ranks, watch, State::start())?;
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
        let learner = Learner::new(network, &config.training, training_device).with_ranks(ranks);
        run.snapshot(&learner)?;
        run.save(&learner)?;
        Ok((learner, run))
    }

    /// Takes up a run where a checkpoint left it.
    pub(crate) fn resume(
        config: &'a Config,
        data: &'a DataSet,
        device: &'a Device,
        ranks: &'a Ranks,
        watch: &'a mut dyn Watch,
        checkpoint: Checkpoint,
    ) -> Result<(Learner, Self)> {
        let Checkpoint { state, blueprint, learner, best, origin: _ } = checkpoint;
        let training_device = device.clone().autodiff();
        let build = |device: &Device| {
            // Every weight is overwritten, so it does not matter how they are drawn.
            Network::new(blueprint.clone(), &mut generator(0, Purpose::Seed, 0), device)
        };
        let grown = state.adapting.as_ref().map(|a| a.grown.clone()).unwrap_or_default();
        let network = build(&training_device)?;
        let learner =
            Learner::restore(network, learner, &grown, &config.training, training_device)?;
        let learner = learner.with_ranks(ranks);
        let mut run = Self::new(config, data, device, ranks, watch, state)?;
        if let Some(best) = &best {
            let network = build(device)?;
            run.best = Some(best.clone().load_into(network, Path::new("checkpoint"))?);
            run.parameters = learner.network().parameters();
        }
        run.best_state = best;
        run.watch.architecture(learner.network())?;
        if let Some(best) = &run.best {
            run.watch.best(best)?;
        }
        run.watch.event(&Event::Resumed {
            epoch: run.state.epochs,
            depth: learner.network().depth().clone(),
            seconds: run.state.seconds,
            step: run.state.step,
        })?;
        Ok((learner, run))
    }

    fn new(
        config: &'a Config,
        data: &'a DataSet,
        device: &'a Device,
        ranks: &'a Ranks,
        watch: &'a mut dyn Watch,
        state: State,
    ) -> Result<Self> {
        let floor = floor(&config.growth, config.network.depth.clone(), config.run.seed)?;
        Ok(Self {
            config,
            data,
            device,
            ranks,
            watch,
            best: None,
            best_state: None,
            origin: Origin::of(config, data)?,
            floor: floor.finished.then_some(floor.found),
            parameters: 0,
            started: (Instant::now(), state.seconds),
            saved: Instant::now(),
            state,
        })
    }

    /// Brings `growth` to where the run is.
    pub(crate) fn replay(&self, growth: &mut Growth) {
        for &accuracy in &self.state.guiding[..self.state.decided] {
            growth.epoch(accuracy);
        }
    }

    /// Whether `growth`, replayed, has come to where the run is, with a network of this depth.
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

    /// Validation accuracy of the last growing epoch, percent.
    pub(crate) fn guiding_accuracy(&self) -> f64 {
        self.state.guiding.last().copied().unwrap_or(0.0)
    }

    /// The random numbers of the next growth.
    pub(crate) fn next_growth(&mut self) -> ChaCha8Rng {
        self.state.growths += 1;
        generator(self.config.run.seed, Purpose::Growth, self.state.growths)
    }

    /// Trains and validates one epoch, or what is left of it.
    pub(crate) fn epoch(
        &mut self,
        learner: Learner,
        phase: Phase,
        learning_rate: f64,
        growth: &Growth,
    ) -> Result<Learner> {
        let started = Instant::now();
        let number = self.state.epochs + 1;
        self.state.phase = phase;
        let learning_rate = learning_rate * self.state.rate_scale;
        let (learner, train) = learner.epoch(&mut Epoch {
            split: &*self.data.train,
            number,
            seed: derive(self.config.run.seed, Purpose::Epoch, number),
            learning_rate,
            resumed: (self.state.step, self.state.tally),
            on_step: &mut |learner, step| self.step(learner, step),
        })?;
        self.ranks.check_network(learner.network())?;
        let network = self.evaluated(&learner)?;
        // Asked to stop in here, the run resumes after the last step and validates once more.
        let validation = self.validate(&network, &learner)?;
        if !validation.loss.is_finite() && validation.images > 0 {
            // The last step of the epoch has overflown; what it left must not be saved.
            let (step, what) = (self.state.step, "the validation loss is not finite".into());
            return Err(Error::Diverged { epoch: number, step, what, checkpoint: None });
        }
        self.state.epochs = number;
        self.state.step = 0;
        self.state.tally = Tally::default();
        self.state.last = Some((train, validation));
        match phase {
            Phase::Growing => self.state.guiding.push(validation.top1),
            Phase::FineTuning => self.consider(network, validation)?,
            Phase::Adapting => {
                if let Some(adapting) = &mut self.state.adapting {
                    adapting.epochs += 1;
                }
            }
        }
        let seen = train.images + validation.images;
        self.skipped(self.data.train.len() + self.data.validation.len() - seen, learner.network())?;
        let (waiting, epochs_left) = self.outlook(phase, growth)?;
        self.watch.event(&Event::Epoch {
            epoch: number,
            depth: learner.network().depth().clone(),
            seconds: self.seconds(),
            metrics: EpochRecord {
                phase,
                learning_rate,
                train_loss: train.loss,
                train_accuracy: train.top1,
                val_loss: validation.loss,
                val_accuracy: validation.top1,
                epoch_seconds: started.elapsed().as_secs_f64(),
            },
            waiting,
            epochs_left,
        })?;
        self.snapshot(&learner)?;
        self.save(&learner)?;
        Ok(learner)
    }

    /// Keeps the weights where their turn has come. Before the checkpoint, so that a run which is
    /// taken up again lacks none: what it does twice, it does alike.
    fn snapshot(&mut self, learner: &Learner) -> Result<()> {
        let (epoch, every) = (self.state.epochs, self.config.run.snapshots);
        if every > 0 && epoch.is_multiple_of(every) {
            self.watch.snapshot(epoch, learner.network())?;
        }
        Ok(())
    }

    /// The network as it is evaluated, the same on all ranks.
    fn evaluated(&self, learner: &Learner) -> Result<Network> {
        self.ranks.with_statistics_of_first(learner.evaluated(), self.device)
    }

    fn validate(&mut self, network: &Network, learner: &Learner) -> Result<Scores> {
        let (data, device, ranks) = (self.data, self.device, self.ranks);
        let mut heed = || self.save_if_stopped(learner);
        evaluate(network, &*data.validation, device, ranks, &mut heed)
    }

    /// Tells how many images could not be read, where there are any.
    fn skipped(&mut self, images: usize, network: &Network) -> Result<()> {
        if images == 0 {
            return Ok(());
        }
        let (epoch, depth, seconds) = (self.state.epochs, network.depth().clone(), self.seconds());
        self.watch.event(&Event::Skipped { epoch, depth, seconds, images })
    }

    /// After each step: tells it, and saves where it is time or somebody asks to stop.
    fn step(&mut self, learner: &Learner, step: &Step) -> Result<()> {
        self.watch.step(self.state.epochs + 1, step.number, step.of, step.loss)?;
        self.state.step = step.number;
        self.state.tally = step.tally;
        if self.saved.elapsed().as_secs_f64() > 60.0 * self.config.run.checkpoint_minutes {
            self.save(learner)?;
        }
        self.save_if_stopped(learner)
    }

    fn save_if_stopped(&mut self, learner: &Learner) -> Result<()> {
        let Err(interrupted) = self.heed() else { return Ok(()) };
        self.save(learner)?;
        // Whoever ends first may take the others along.
        self.ranks.barrier()?;
        Err(interrupted)
    }

    /// The error by which the run ends, if somebody asks the first rank to stop.
    fn heed(&self) -> Result<()> {
        let asked = self.watch.stop();
        let own = asked.as_ref().map_or(0, |(signal, _)| *signal);
        let signal = self.ranks.gather(&[f64::from(own)])?[0][0] as u8;
        if signal == 0 {
            return Ok(());
        }
        let run = asked.map(|(_, run)| run).unwrap_or_default();
        Err(Error::Interrupted { signal, run })
    }

    /// What is waited for, and how many epochs there are still to come at least.
    fn outlook(&self, phase: Phase, growth: &Growth) -> Result<(String, usize)> {
        let config = self.config;
        if phase == Phase::FineTuning {
            return Ok((String::new(), config.fine_tune.epochs - self.fine_tuned()));
        }
        // If accuracy never improved again, the policies would end growth here.
        let horizon = 2 * config.growth.patience + 100 * config.growth.interval;
        let flat = std::iter::repeat_n(0.0, horizon);
        let curve = self.state.guiding.iter().copied().chain(flat);
        let depth = config.network.depth.clone();
        let ended = replay(&config.growth, depth, config.run.seed, curve)?;
        let growing = ended.growing_epochs.saturating_sub(self.state.guiding.len());
        Ok((growth.waiting(), growing + config.fine_tune.epochs))
    }

    /// Tells a decision.
    pub(crate) fn decided(&mut self, kind: Kind, subnet: usize, network: &Network) -> Result<()> {
        let (epoch, depth, seconds) = (self.state.epochs, network.depth().clone(), self.seconds());
        let event = match kind {
            Kind::Grow => {
                self.watch.architecture(network)?;
                let (parameters, macs) = (network.parameters(), network.macs()?);
                Event::Grew { epoch, depth, seconds, subnet, parameters, macs }
            }
            Kind::Stop => Event::Stopped { epoch, depth, seconds, subnet },
            Kind::Cap => Event::Capped { epoch, depth, seconds, subnet },
        };
        self.watch.event(&event)
    }

    /// All decisions of an epoch are carried out.
    pub(crate) fn all_decided(
        &mut self,
        decisions: &[Decision],
        learner: &Learner,
        adapts: bool,
    ) -> Result<()> {
        self.state.decided = self.state.guiding.len();
        let grown = decisions.iter().filter(|decision| decision.kind == Kind::Grow);
        let grown: Vec<_> = grown.map(|decision| decision.subnet).collect();
        if adapts && !grown.is_empty() {
            let accuracy_before = self.state.last.map_or(0.0, |(train, _)| train.top1);
            self.state.adapting = Some(AdaptingState { grown, accuracy_before, epochs: 0 });
        }
        if decisions.is_empty() { Ok(()) } else { self.save(learner) }
    }

    /// The sub-networks on which AdamInit is in progress.
    pub(crate) fn adapting(&self) -> Option<Vec<usize>> {
        self.state.adapting.as_ref().map(|adapting| adapting.grown.clone())
    }

    /// Whether AdamInit is not there yet. At least one epoch is trained.
    pub(crate) fn goes_on_adapting(&self, adapt: Adapt) -> bool {
        let Some(adapting) = &self.state.adapting else { return false };
        let aim = adapting.accuracy_before - adapt.tolerance;
        let reached = self.state.last.is_some_and(|(train, _)| train.top1 >= aim);
        adapting.epochs == 0 || (adapting.epochs < adapt.max_epochs && !reached)
    }

    /// One epoch of AdamInit.
    pub(crate) fn adapting_epoch(&mut self, learner: Learner, rate: f64) -> Result<Learner> {
        let config = self.config;
        let mut growth =
            Growth::new(&config.growth, config.network.depth.clone(), config.run.seed)?;
        self.replay(&mut growth);
        self.epoch(learner, Phase::Adapting, rate, &growth)
    }

    /// AdamInit is over.
    pub(crate) fn adapted(&mut self, learner: &Learner) -> Result<()> {
        self.state.adapting = None;
        self.save(learner)
    }

    /// Growth is over; the network as it is competes with what fine-tuning makes of it.
    pub(crate) fn found(&mut self, learner: &Learner) -> Result<()> {
        if self.best.is_some() {
            return Ok(());
        }
        self.state.phase = Phase::FineTuning;
        self.state.growing_epochs = self.state.epochs;
        self.state.growing_seconds = self.seconds();
        self.parameters = learner.network().parameters();
        self.watch.event(&Event::FineTuning {
            epoch: self.state.epochs,
            depth: learner.network().depth().clone(),
            seconds: self.state.growing_seconds,
            epochs: self.config.fine_tune.epochs,
        })?;
        let network = self.evaluated(learner)?;
        let validation = match self.state.last {
            Some((_, validation)) => validation,
            None => self.validate(&network, learner)?,
        };
        self.consider(network, validation)?;
        self.save(learner)
    }

    /// Fine-tuning epochs that are over.
    pub(crate) fn fine_tuned(&self) -> usize {
        self.state.epochs - self.state.growing_epochs
    }

    /// Keeps `network` where it is better than the best so far.
    fn consider(&mut self, network: Network, validation: Scores) -> Result<()> {
        if self.state.best.is_some_and(|best| validation.top1 <= best.top1) {
            return Ok(());
        }
        self.watch.best(&network)?;
        self.state.best = Some(validation);
        self.best_state = Some(StateDict::of(&network)?);
        self.best = Some(network);
        Ok(())
    }

    /// Keeps the last weights and tests the best network.
    pub(crate) fn finish(mut self, learner: &Learner) -> Result<Outcome> {
        if self.config.run.snapshots > 0 {
            self.watch.snapshot(self.state.epochs, learner.network())?;
        }
        let seconds = self.seconds();
        let (Some(network), Some(validation)) = (self.best.take(), self.state.best) else {
            unreachable!("`found` keeps a first network")
        };
        // The last checkpoint is that of the last epoch: there is nothing to save.
        let mut heed = || self.heed();
        let test = evaluate(&network, &*self.data.test, self.device, self.ranks, &mut heed)?;
        self.skipped(self.data.test.len() - test.images, &network)?;
        let found = network.depth().clone();
        self.watch.event(&Event::Finished {
            epoch: self.state.epochs,
            depth: found.clone(),
            seconds,
            val_accuracy: validation.top1,
            test_accuracy: test.top1,
        })?;
        Ok(Outcome {
            at_floor: self.state.growing_epochs > 0 && self.floor.as_ref() == Some(&found),
            found,
            network: self.config.network.name.clone(),
            data: self.config.data.name.clone(),
            val_accuracy: validation.top1,
            test_accuracy: test.top1,
            growing_epochs: self.state.growing_epochs,
            fine_tuning_epochs: self.fine_tuned(),
            growing_seconds: self.state.growing_seconds,
            fine_tuning_seconds: seconds - self.state.growing_seconds,
            parameters: self.parameters,
            macs: network.macs()?,
            floor: self.floor.clone(),
        })
    }

    /// The first rank saves for all.
    fn save(&mut self, learner: &Learner) -> Result<()> {
        if !self.ranks.is_first() {
            return Ok(());
        }
        self.state.seconds = self.seconds();
        self.saved = Instant::now();
        let checkpoint = Checkpoint {
            state: self.state.clone(),
            blueprint: learner.network().blueprint().clone(),
            learner: learner.record()?,
            best: self.best_state.clone(),
            origin: self.origin.clone(),
        };
        self.watch.checkpoint(&checkpoint)?;
        let milliseconds = 1e3 * self.saved.elapsed().as_secs_f64();
        tracing::debug!("checkpoint after epoch {} took {milliseconds:.1} ms", self.state.epochs);
        Ok(())
    }

    fn seconds(&self) -> f64 {
        let (started, before) = self.started;
        before + started.elapsed().as_secs_f64()
    }
}

/// The seed network, random or with the weights that `training.init_from` names.
///
/// # Errors
/// [`Error::Config`] where the images do not suit the network, [`Error::Run`] where the weights do
/// not.
pub fn seed_network(config: &Config, data: &DataSet, device: &Device) -> Result<Network> {
    let blueprint = Blueprint::seed(&config.network, config.compat, data.image, data.classes.len());
    let mut rng = generator(config.run.seed, Purpose::Seed, 0);
    let network = Network::new(blueprint, &mut rng, device)?;
    let weights = &config.training.init_from;
    if weights.as_os_str().is_empty() {
        return Ok(network);
    }
    let (state, _) = read_weights(weights)?;
    check_finite(&state, weights)?;
    state.load_into(network, weights)
}
