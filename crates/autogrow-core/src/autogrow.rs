//! Algorithm 1 of the paper (section 3.1) from end to end: train, stop, grow, and fine-tune what
//! was found. What is decided is decided in [`crate::growth`]; what is computed, in
//! [`crate::training`]; what is kept, by whoever watches.

use crate::Result;
use crate::config::Config;
use crate::data::DataSet;
use crate::growth::{Depth, Growth, Kind, floor, replay};
use crate::initializer::{Initializer, InitializerKind};
use crate::network::{Blueprint, Network, StateDict};
use crate::random::{Purpose, derive, generator};
use crate::run::{EpochRecord, Event, Outcome, Phase, Watch, read};
use crate::training::{Epoch, Learner, Schedule, Scores, evaluate};
use burn::tensor::Device;
use std::time::Instant;

/// Discovers the depth of a network on `data` and trains what it found. `config` is resolved (see
/// [`Config::resolve`]); `device` is the plain device, not its autodiff twin.
///
/// # Errors
/// Whatever can go wrong with data, device, files or the loss; see [`crate::Error`].
pub fn autogrow(
    config: &Config,
    data: &DataSet,
    device: &Device,
    watch: &mut dyn Watch,
) -> Result<Outcome> {
    let seed = config.run.seed;
    let (mut learner, mut run) = Run::start(config, data, device, watch)?;

    let mut growth = Growth::new(&config.growth, config.network.depth.clone(), seed)?;
    let initializer = (crate::registry::find::<InitializerKind>(&config.growth.initializer)?.build)(
        config.compat,
    );
    let schedule = Schedule::growing(
        config.training.schedule,
        config.training.learning_rate,
        config.growth.interval,
    );
    let mut growths = 0;

    // Algorithm 1: as long as a sub-network is in subNetList ...
    while !growth.finished() {
        // ... train; every K epochs the policies decide: delete grownSub, grow growingSub.
        let rate = schedule.rate(growth.epochs());
        let (train, validation);
        (learner, train, validation) = run.epoch(learner, Phase::Growing, rate, Some(&growth))?;
        let decisions = growth.epoch(validation.top1);

        let mut grown = Vec::new();
        for decision in &decisions {
            if decision.kind == Kind::Grow {
                let mut rng = generator(seed, Purpose::Growth, growths);
                learner.stack(decision.subnet, &*initializer, &mut rng)?;
                growths += 1;
                grown.push(decision.subnet);
            }
            run.decided(decision.kind, decision.subnet, learner.network())?;
        }
        learner = run.adapt(learner, &*initializer, &grown, train.top1)?;
    }

    // The depth is found: fine-tune for N epochs, from the last weights, momentum kept.
    run.found(&learner)?;
    let schedule = Schedule {
        initial: config.training.learning_rate,
        period: config.fine_tune.epochs,
        milestones: config.fine_tune.milestones.clone(),
    };
    for epoch in 0..config.fine_tune.epochs {
        let validation;
        (learner, _, validation) =
            run.epoch(learner, Phase::FineTuning, schedule.rate(epoch), None)?;
        run.consider(&learner, validation)?;
    }
    run.finish()
}

/// A run while it goes on: its clock, its epochs, its best model, and who watches.
struct Run<'a> {
    config: &'a Config,
    data: &'a DataSet,
    device: &'a Device,
    watch: &'a mut dyn Watch,
    started: Instant,
    epochs: usize,
    /// Validation accuracies of the growing epochs: what the policies have seen.
    guiding: Vec<f64>,
    floor: Option<Depth>,
    growing_epochs: usize,
    growing_seconds: f64,
    /// Trainable parameters of the found network.
    parameters: usize,
    /// Scores of the last epoch.
    validation: Option<Scores>,
    best: Option<(Scores, Network)>,
}

impl<'a> Run<'a> {
    fn start(
        config: &'a Config,
        data: &'a DataSet,
        device: &'a Device,
        watch: &'a mut dyn Watch,
    ) -> Result<(Learner, Self)> {
        let started = Instant::now();
        let training_device = device.clone().autodiff();
        let network = seed_network(config, data, &training_device)?;
        let floor = floor(&config.growth, config.network.depth.clone(), config.run.seed)?;
        let floor = floor.finished.then_some(floor.found);
        watch.architecture(&network)?;
        watch.event(&Event::Started {
            epoch: 0,
            depth: network.depth().clone(),
            seconds: 0.0,
            network: config.network.name.clone(),
            data: config.data.name.clone(),
            seed: config.run.seed,
            parameters: network.parameters(),
            macs: network.macs()?,
            floor: floor.clone(),
        })?;
        let run = Self {
            config,
            data,
            device,
            watch,
            started,
            epochs: 0,
            guiding: Vec::new(),
            floor,
            growing_epochs: 0,
            growing_seconds: 0.0,
            parameters: 0,
            validation: None,
            best: None,
        };
        Ok((Learner::new(network, &config.training, training_device), run))
    }

    /// Trains and validates one epoch; returns both scores. `growth` is given while growing.
    fn epoch(
        &mut self,
        learner: Learner,
        phase: Phase,
        learning_rate: f64,
        growth: Option<&Growth>,
    ) -> Result<(Learner, Scores, Scores)> {
        let started = Instant::now();
        let number = self.epochs + 1;
        let watch = &mut *self.watch;
        let (learner, train) = learner.epoch(&mut Epoch {
            split: &*self.data.train,
            number,
            seed: derive(self.config.run.seed, Purpose::Epoch, number),
            learning_rate,
            on_step: &mut |step, steps, loss| watch.step(number, step, steps, loss),
        })?;
        let validation = evaluate(&learner.evaluated(), &*self.data.validation, self.device)?;
        self.epochs = number;
        self.validation = Some(validation);
        if phase == Phase::Growing {
            self.guiding.push(validation.top1);
        }
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
        Ok((learner, train, validation))
    }

    /// What is waited for, and how many epochs there are still to come at least.
    fn outlook(&self, phase: Phase, growth: Option<&Growth>) -> Result<(String, usize)> {
        let config = self.config;
        let fine_tuning = config.fine_tune.epochs;
        if phase == Phase::FineTuning {
            let done = self.epochs - self.growing_epochs;
            return Ok((String::new(), fine_tuning.saturating_sub(done)));
        }
        // If accuracy never improved again, the policies would end growth here.
        let horizon = 2 * config.growth.patience + 100 * config.growth.interval;
        let flat = std::iter::repeat_n(0.0, horizon);
        let curve = self.guiding.iter().copied().chain(flat);
        let depth = config.network.depth.clone();
        let ended = replay(&config.growth, depth, config.run.seed, curve)?;
        let growing = ended.growing_epochs.saturating_sub(self.guiding.len());
        Ok((growth.map(Growth::waiting).unwrap_or_default(), growing + fine_tuning))
    }

    fn decided(&mut self, kind: Kind, subnet: usize, network: &Network) -> Result<()> {
        let (epoch, depth, seconds) = (self.epochs, network.depth().clone(), self.seconds());
        let event = match kind {
            Kind::Grow => {
                self.watch.architecture(network)?;
                Event::Grew { epoch, depth, seconds, subnet, parameters: network.parameters() }
            }
            Kind::Stop => Event::Stopped { epoch, depth, seconds, subnet },
            Kind::Cap => Event::Capped { epoch, depth, seconds, subnet },
        };
        self.watch.event(&event)
    }

    /// AdamInit, where the initializer asks for it: trains the newest batch norms alone until the
    /// training accuracy is as good as before the growth.
    fn adapt(
        &mut self,
        learner: Learner,
        initializer: &dyn Initializer,
        grown: &[usize],
        accuracy_before: f64,
    ) -> Result<Learner> {
        let Some(adapt) = initializer.adapts() else { return Ok(learner) };
        let (mut learner, adapting) = learner.begin_adapting(grown);
        let Some(adapting) = adapting else { return Ok(learner) };
        for _ in 0..adapt.max_epochs {
            let train;
            (learner, train, _) =
                self.epoch(learner, Phase::Adapting, adapt.learning_rate, None)?;
            if train.top1 >= accuracy_before - adapt.tolerance {
                break;
            }
        }
        Ok(learner.end_adapting(adapting))
    }

    /// Growth is over; the network as it is competes with what fine-tuning makes of it.
    fn found(&mut self, learner: &Learner) -> Result<()> {
        self.growing_epochs = self.epochs;
        self.growing_seconds = self.seconds();
        self.parameters = learner.network().parameters();
        let epochs = self.config.fine_tune.epochs;
        self.watch.event(&Event::FineTuning {
            epoch: self.epochs,
            depth: learner.network().depth().clone(),
            seconds: self.growing_seconds,
            epochs,
        })?;
        let network = learner.evaluated();
        let validation = match self.validation {
            Some(validation) => validation,
            None => evaluate(&network, &*self.data.validation, self.device)?,
        };
        self.best = Some((validation, network));
        self.publish_best()
    }

    /// Keeps the network where it is better than the best so far.
    fn consider(&mut self, learner: &Learner, validation: Scores) -> Result<()> {
        if self.best.as_ref().is_some_and(|(best, _)| validation.top1 <= best.top1) {
            return Ok(());
        }
        self.best = Some((validation, learner.evaluated()));
        self.publish_best()
    }

    fn publish_best(&mut self) -> Result<()> {
        match &self.best {
            Some((_, network)) => self.watch.best(network),
            None => Ok(()),
        }
    }

    fn finish(self) -> Result<Outcome> {
        let seconds = self.seconds();
        let Some((validation, network)) = self.best else {
            unreachable!("`found` keeps a first network")
        };
        let test = evaluate(&network, &*self.data.test, self.device)?;
        let found = network.depth().clone();
        let grew = self.growing_epochs > 0;
        self.watch.event(&Event::Finished {
            epoch: self.epochs,
            depth: found.clone(),
            seconds,
            val_accuracy: validation.top1,
            test_accuracy: test.top1,
        })?;
        Ok(Outcome {
            at_floor: grew && self.floor.as_ref() == Some(&found),
            found,
            network: self.config.network.name.clone(),
            data: self.config.data.name.clone(),
            val_accuracy: validation.top1,
            test_accuracy: test.top1,
            growing_epochs: self.growing_epochs,
            fine_tuning_epochs: self.epochs - self.growing_epochs,
            growing_seconds: self.growing_seconds,
            fine_tuning_seconds: seconds - self.growing_seconds,
            parameters: self.parameters,
            macs: network.macs()?,
            floor: self.floor,
        })
    }

    fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

/// The seed network, random or with the weights that `training.init_from` names.
///
/// # Errors
/// [`crate::Error::Config`] where the images do not suit the network, [`crate::Error::Run`] where
/// the weights do not.
pub fn seed_network(config: &Config, data: &DataSet, device: &Device) -> Result<Network> {
    let blueprint = Blueprint::seed(&config.network, config.compat, data.image, data.classes.len());
    let mut rng = generator(config.run.seed, Purpose::Seed, 0);
    let network = Network::new(blueprint, &mut rng, device)?;
    let weights = &config.training.init_from;
    if weights.as_os_str().is_empty() {
        return Ok(network);
    }
    StateDict::from_safetensors(&read(weights)?, weights)?.load_into(network, weights)
}
