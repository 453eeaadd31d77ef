//! [`AutoGrow`]: a run, set up and started in one expression.

use crate::cancel::Cancel;
use crate::device;
use crate::found::{Found, OnEpoch, Progress, progress, without_folder};
use crate::partial;
use crate::threads;
use autogrow_core::config::{Augment, Config, DataConfig, GrowthConfig};
use autogrow_core::data::DataSet;
use autogrow_core::growth::Depth;
use autogrow_core::network::SeedNetwork;
use autogrow_core::ranks::Ranks;
use autogrow_core::registry::find;
use autogrow_core::run::{Checkpoint, Event, RunFolder, Watch};
use autogrow_core::training::{precision_on, set_precision, use_convolution};
use autogrow_core::{Error, Job, Resolved, Result, depth_of_weights};
use std::path::{Path, PathBuf};

/// What the data are called where nobody names them.
pub(crate) const MEMORY: &str = "memory";

/// A run that has not begun: a seed network and its settings.
pub struct AutoGrow {
    pub(crate) config: Config,
    /// Whether images a step were set by key.
    pub(crate) batch_size_is_set: bool,
    depth: Option<Depth>,
    /// K.
    interval: Option<usize>,
    on_epoch: Option<OnEpoch>,
    cancel: Cancel,
    folder: Option<PathBuf>,
}

impl AutoGrow {
    /// Of a registered seed network, such as `basic3resnet`, with the settings of preset `standard`.
    pub fn new(network: &str) -> Self {
        let mut config = Config::standard();
        config.network.name = network.into();
        // What the data are called where they are named: in the folder of a run, in model files.
        config.data.name = MEMORY.into();
        let (depth, interval, on_epoch, folder) = (None, None, None, None);
        Self {
            config,
            batch_size_is_set: false,
            depth,
            interval,
            on_epoch,
            cancel: Cancel::default(),
            folder,
        }
        .with_recipe()
    }

    /// Depth to start from [default: one sub-module a sub-network].
    pub fn depth(mut self, depth: Depth) -> Self {
        self.depth = Some(depth);
        self
    }

    /// K, epochs between two growths (`growth.interval`).
    pub fn interval(mut self, epochs: usize) -> Self {
        self.interval = Some(epochs);
        self
    }

    /// The paper's policy `periodic`, and J, epochs without improvement after which it stops
    /// (`growth.patience`).
    pub fn patience(mut self, epochs: usize) -> Self {
        self.config.growth.patience = epochs;
        self.policy("periodic")
    }

    /// N, epochs of fine-tuning (`fine_tune.epochs`).
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.config.fine_tune.epochs = epochs;
        self
    }

    /// Minutes that growing and fine-tuning may take together (`run.max_minutes`); 0: as many as it
    /// takes. With them the result depends on the speed of the machine.
    pub fn minutes(mut self, minutes: f64) -> Self {
        self.config.run.max_minutes = minutes;
        self
    }

    /// A registered growing policy (`growth.policy`) in place of `worth`; guide, amount, interval and
    /// initializer are the paper's then, and so is training but for `none`.
    pub fn policy(mut self, name: &str) -> Self {
        let usual = if name == "worth" { GrowthConfig::worth() } else { GrowthConfig::default() };
        let growth = &mut self.config.growth;
        (growth.guide, growth.amount, growth.interval) =
            (usual.guide, usual.amount, usual.interval);
        growth.initializer = usual.initializer;
        growth.policy = name.into();
        self.train_as(["worth", "none"].contains(&name));
        self
    }

    /// Channels of the first sub-network (`network.width`).
    pub fn width(mut self, channels: usize) -> Self {
        self.config.network.width = channels;
        self
    }

    /// Fixes everything random (`run.seed`).
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.run.seed = seed;
        self
    }

    /// Where it is computed (`run.device`): `auto`, `flex`, `cuda:0`, ...
    pub fn device(mut self, name: &str) -> Self {
        self.config.run.device = name.into();
        self
    }

    /// CPU threads (`run.threads`); 0: all. The result does not depend on them.
    pub fn threads(mut self, threads: usize) -> Self {
        self.config.run.threads = threads;
        self
    }

    /// Sets any key of the configuration.
    pub fn configure(mut self, set: impl FnOnce(&mut Config)) -> Self {
        set(&mut self.config);
        self
    }

    /// Called after each epoch.
    pub fn on_epoch(mut self, call: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.on_epoch = Some(Box::new(call));
        self
    }

    /// Keeps the run in a folder, from which `autogrow resume` and `autogrow report` go on.
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.folder = Some(path.into());
        self
    }

    /// A handle that ends the run from another thread.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Discovers the depth on `data` and trains what was found.
    ///
    /// # Errors
    /// Settings that make no sense, a device that is not there, a loss that is not finite;
    /// [`Error::Cancelled`] after [`Cancel::cancel`].
    pub fn run(self, data: &DataSet) -> Result<Found> {
        self.train(data, false)
    }

    /// As [`AutoGrow::run`], but of a run that is cancelled what there is: the best network so far, or
    /// the one in training while the depth is not found. [`Found::is_complete`] tells.
    ///
    /// # Errors
    /// As [`AutoGrow::run`]; [`Error::Cancelled`] before the first epoch is over.
    pub fn run_or_part(self, data: &DataSet) -> Result<Found> {
        self.train(data, true)
    }

    fn train(self, data: &DataSet, keeps_part: bool) -> Result<Found> {
        let Self { mut config, depth, interval, on_epoch, cancel, folder, .. } = self;
        config.growth.interval = interval.unwrap_or(config.growth.interval);
        let sub_networks = find::<SeedNetwork>(&config.network.name)?.sub_networks;
        config.network.depth = depth
            .or_else(|| depth_of_weights(&config.training.init_from, sub_networks))
            .unwrap_or_else(|| Depth::uniform(sub_networks, 1));
        refuse_augmentation(&config.data)?;
        let config = &Resolved::of(config)?;
        let device = &device::open(&config.run.device)?;
        let precision = precision_on(device, config.training.precision)?;
        let ranks = &Ranks::single();
        let job = Job { config, data, device, ranks };
        // Whatever the images rule out is told before a folder is made.
        job.seed_network(device)?;
        let mut kept = folder.as_deref().map(|path| RunFolder::create(path, config)).transpose()?;
        kept = kept.map(|kept| kept.with_info(job.model_info()));
        let (events, last, grown) = (Vec::new(), None, None);
        let mut history = History { events, on_epoch, cancel, folder, keeps_part, last, grown };
        // A pool of its own: runs side by side do not take each other's threads.
        let pool = threads::pool(config.run.threads)?;
        let choose = || {
            use_convolution(config.training.convolution);
            set_precision(precision);
        };
        let found = pool.install(|| {
            choose();
            let mut watchers: Vec<&mut dyn Watch> = Vec::new();
            watchers.extend(kept.as_mut().map(|kept| kept as &mut dyn Watch));
            watchers.push(&mut history);
            autogrow_core::autogrow(job, &mut watchers, None)
        });
        if let (Err(Error::Interrupted { .. }), Some(last)) = (&found, &history.last) {
            return pool.install(|| {
                choose();
                partial::found(job, last, history.events)
            });
        }
        let is_kept = kept.is_some();
        let found = found.map_err(|error| if is_kept { error } else { without_folder(error) })?;
        if let Some(mut kept) = kept {
            kept.finish(&found.outcome)?;
        }
        let outcome = found.outcome;
        Ok(Found {
            depth: outcome.found.clone(),
            network: found.network,
            validation_accuracy: outcome.val_accuracy,
            test_accuracy: outcome.test_accuracy,
            history: history.events.iter().filter_map(progress).collect(),
            events: history.events,
            outcome,
            is_complete: true,
            grown: history.grown,
            config: config.clone(),
            info: job.model_info(),
            device: device.clone(),
        })
    }
}

/// Refuses augmentation of data in memory, which are trained on as they were given.
fn refuse_augmentation(data: &DataConfig) -> Result<()> {
    let key = match data {
        _ if data.name != MEMORY => return Ok(()),
        _ if matches!(data.augment, Augment::Trivial | Augment::Rand) => "data.augment",
        _ if data.erasing > 0.0 => "data.erasing",
        _ => return Ok(()),
    };
    Err(Error::config(key, "is of data sets that are opened by name, not of data in memory")
        .with_hint("augment them yourself; training.mixup and training.cutmix work on any images"))
}

/// Keeps what happens, and tells the caller of epochs.
struct History {
    events: Vec<Event>,
    on_epoch: Option<OnEpoch>,
    cancel: Cancel,
    folder: Option<PathBuf>,
    keeps_part: bool,
    /// The last checkpoint after the first epoch, where that is kept.
    last: Option<Checkpoint>,
    /// The network as growth left it.
    grown: Option<Checkpoint>,
}

impl Watch for History {
    fn event(&mut self, event: &Event) -> Result<()> {
        if let (Some(call), Some(progress)) = (&mut self.on_epoch, progress(event)) {
            call(&progress);
        }
        self.events.push(event.clone());
        Ok(())
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        if self.keeps_part && checkpoint.state.epochs > 0 {
            self.last = Some(checkpoint.clone());
        }
        Ok(())
    }

    fn grown(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        // What its epochs have shown is not needed to train it on.
        self.grown = Some(Checkpoint { validation: Vec::new(), ..checkpoint.clone() });
        Ok(())
    }

    fn stop(&self) -> Option<(u8, PathBuf)> {
        self.cancel.stop(self.folder.as_deref().unwrap_or(Path::new("")))
    }
}
