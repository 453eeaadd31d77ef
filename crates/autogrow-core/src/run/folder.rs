//! The run folder: everything of a run, and nothing of it anywhere else.

use super::checkpoint::{Checkpoint, Checkpoints, load_alone, save_alone};
use super::saver::Saver;
use super::snapshots;
use super::{Event, Outcome, Watch};
use crate::config::Config;
use crate::network::{ModelInfo, Network, StateDict};
use crate::{Error, Result};
use autogrow_run::certificate::Certificate;
use autogrow_run::storage::{self, Log};
use autogrow_run::validation::{MAGIC, ValidationEpoch, read_validation};
use autogrow_run::{Lock, names};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A run folder that is being written, by this process alone.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    _lock: Lock,
    logs: Logs,
    saver: Saver,
    /// What the model file says of the network.
    info: Option<ModelInfo>,
    /// What the run goes on by, until it is written: not before it really goes on.
    config: Option<Config>,
}

/// What lines are appended to.
#[derive(Debug)]
struct Logs {
    journal: Log,
    metrics: Log,
    validation: Log,
    /// A loss a step, where it was asked for.
    steps: Option<Log>,
}

/// A run folder that was opened to go on with.
#[derive(Debug)]
pub struct Resumed {
    /// The folder, its logs as they were at the checkpoint.
    pub folder: RunFolder,
    /// Where to go on; none where the run ended before its first checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// A word on each checkpoint that was passed over because it is damaged.
    pub damaged: Vec<String>,
}

impl RunFolder {
    /// Makes the folder, with `config.toml` in it.
    ///
    /// # Errors
    /// [`Error::Run`] where there is something already, another process is at it, or nothing can
    /// be written.
    pub fn create(path: &Path, config: &Config) -> Result<Self> {
        storage::create_folder(path)?;
        refuse_folder_of_others(path)?;
        let lock = locked(path)?;
        let present = storage::names(path)?;
        if present.iter().any(|name| name == names::CONFIG) {
            return Err(Error::run(path, "holds a run already")
                .with_hint(format!("`autogrow resume {}` goes on with it", path.display())));
        }
        if let Some(name) = present.iter().find(|name| names::OF_RUNS.contains(&name.as_str())) {
            return Err(Error::run(
                path,
                format!("holds `{name}` already, which a run would write"),
            )
            .with_hint("name another folder, or none for one that is numbered by itself"));
        }
        publish_config(path, config)?;
        Self::start(path, config, lock)
    }

    /// Opens the folder of a run that was interrupted, to go on with it by `config`, which is
    /// written down with the next checkpoint.
    ///
    /// # Errors
    /// [`Error::Run`] where another process is at it, the folder cannot be written, or no
    /// checkpoint is whole although there are some.
    pub fn resume(path: &Path, config: &Config) -> Result<Resumed> {
        let lock = locked(path)?;
        let checkpoints = Checkpoints::of(path, config.run.keep)?;
        let (newest, damaged) = checkpoints.newest()?;
        if newest.is_none() && !damaged.is_empty() {
            return Err(Error::run(
                path,
                format!("has no whole checkpoint: {}", damaged.join("; ")),
            )
            .with_hint("move its folder `checkpoints` away to begin the run anew"));
        }
        let Some(newest) = newest else {
            publish_config(path, config)?;
            let folder = Self::start(path, config, lock)?;
            return Ok(Resumed { folder, checkpoint: None, damaged });
        };
        let logs = Logs::reopen(path, &newest.logs)?;
        let checkpoint = with_validation(path, newest.checkpoint)?;
        snapshots::prepare(path, config)?;
        let (path, config) = (path.into(), Some(config.clone()));
        let saver = Saver::new(checkpoints);
        let folder = Self { path, _lock: lock, logs, saver, info: None, config };
        Ok(Resumed { folder, checkpoint: Some(checkpoint), damaged })
    }

    /// Empty logs, no checkpoint.
    fn start(path: &Path, config: &Config, lock: Lock) -> Result<Self> {
        let logs = Logs::create(path, config.run.log_steps)?;
        let saver = Saver::new(Checkpoints::of(path, config.run.keep)?);
        snapshots::prepare(path, config)?;
        let path = path.into();
        Ok(Self { path, _lock: lock, logs, saver, info: None, config: None })
    }

    /// Lets model files say what `info` says: the classes of the run's data set, and how its images
    /// were made.
    pub fn with_info(mut self, info: ModelInfo) -> Self {
        self.info = Some(info);
        self
    }

    /// The first of `<parent>/<stem>-1`, `-2`, ... that does not exist.
    pub fn numbered(parent: &Path, stem: &str) -> PathBuf {
        let path = |number| parent.join(format!("{stem}-{number}"));
        let mut number = 1;
        while path(number).exists() {
            number += 1;
        }
        path(number)
    }

    /// Makes the first of `<parent>/<stem>-1`, `-2`, ... that does not exist; of processes that do so
    /// at once, each gets another.
    ///
    /// # Errors
    /// [`Error::Run`] where it cannot be made.
    pub fn claim(parent: &Path, stem: &str) -> Result<PathBuf> {
        loop {
            let path = Self::numbered(parent, stem);
            if storage::create_new_folder(&path)? {
                return Ok(path);
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The result of the run in the folder `path`, where it has one. A run with a result is not
    /// opened again: that would cut its logs back to its last checkpoint.
    ///
    /// # Errors
    /// [`Error::Run`] where it is damaged.
    pub fn outcome(path: &Path) -> Result<Option<Outcome>> {
        let path = path.join(names::RESULT);
        if !path.exists() {
            return Ok(None);
        }
        let outcome = serde_json::from_slice(&storage::read(&path)?);
        outcome.map(Some).map_err(|error| Error::run(path, format!("is damaged ({error})")))
    }

    /// The result of the run in the folder `path`, which has come to its end.
    ///
    /// # Errors
    /// [`Error::Run`] where there is no run, or it is not finished, or it is damaged.
    pub fn finished(path: &Path) -> Result<Outcome> {
        if !path.join(names::CONFIG).is_file() {
            return Err(Error::run(path, "is not a run folder: it holds no config.toml")
                .with_hint("name the folder of a run that is finished"));
        }
        Self::outcome(path)?.ok_or_else(|| {
            Error::run(path, "is not finished, so there is nothing to certify yet")
                .with_hint(format!("`autogrow resume {}` brings it to its end", path.display()))
        })
    }

    /// The settings of the run in the folder `path`.
    ///
    /// # Errors
    /// [`Error::Run`] where they are missing or damaged.
    pub fn config(path: &Path) -> Result<Config> {
        let path = path.join(names::CONFIG);
        let text = storage::read(&path)?;
        let config = toml::from_str(&String::from_utf8_lossy(&text));
        config.map_err(|error| {
            Error::run(path, error.to_string())
                .with_hint("it is damaged, or a newer autogrow has written it")
        })
    }

    /// Writes down what the depth of the run in the folder `path` is worth.
    ///
    /// # Errors
    /// [`Error::Run`] where it cannot be written.
    pub fn certified(path: &Path, certificate: &Certificate) -> Result<()> {
        publish_json(&path.join(names::CERTIFICATE), certificate)
    }

    /// The network of the run in the folder `path` as growth left it.
    ///
    /// # Errors
    /// [`Error::Run`] where it is missing or damaged.
    pub fn grown(path: &Path) -> Result<Checkpoint> {
        let grown = path.join(names::GROWN);
        if !grown.exists() {
            return Err(Error::run(path, "does not hold the network as growth left it").with_hint(
                "a run keeps it once its depth is found; older ones have to be trained again",
            ));
        }
        load_alone(&grown)
    }

    /// Makes the folder of a run that goes on from a checkpoint of another.
    ///
    /// # Errors
    /// As [`RunFolder::create`].
    pub fn branch(path: &Path, config: &Config, checkpoint: &Checkpoint) -> Result<Self> {
        let mut folder = Self::create(path, config)?;
        folder.checkpoint(checkpoint)?;
        Ok(folder)
    }

    /// Writes `result.json`.
    ///
    /// # Errors
    /// [`Error::Run`].
    pub fn finish(&mut self, outcome: &Outcome) -> Result<()> {
        self.flush()?;
        // First: a run that has a result is not touched again.
        if outcome.peak.is_none() {
            storage::remove_file(&self.path.join(names::PEAK))?;
        }
        self.publish_json(names::RESULT, outcome)
    }

    /// Writes the checkpoint that waits to be written, if there is one.
    fn flush(&mut self) -> Result<()> {
        if self.saver.is_holding() {
            self.logs.sync()?;
            self.saver.flush()?;
        }
        Ok(())
    }

    fn publish_model(&self, name: &str, network: &Network) -> Result<()> {
        let bytes = StateDict::of(network)?.to_safetensors_with(&self.info(network))?;
        storage::publish(&self.path.join(name), &bytes)
    }

    /// What a model file says of `network`.
    fn info(&self, network: &Network) -> ModelInfo {
        let architecture = network.blueprint().clone();
        match &self.info {
            Some(info) => info.of(architecture),
            None => ModelInfo::bare(architecture),
        }
    }

    fn publish_json(&self, name: &str, value: &impl serde::Serialize) -> Result<()> {
        publish_json(&self.path.join(name), value)
    }
}

fn publish_json(path: &Path, value: &impl serde::Serialize) -> Result<()> {
    let mut text =
        serde_json::to_string_pretty(value).map_err(|error| Error::run(path, error.to_string()))?;
    text.push('\n');
    storage::publish(path, text.as_bytes())
}

/// Takes the lock of a run folder.
fn locked(path: &Path) -> Result<Lock> {
    let lock = Lock::take(path)?;
    if !lock.is_held() {
        tracing::warn!(
            "{}: its file system has no locks: see to it that no other process writes this run",
            path.display()
        );
    }
    Ok(lock)
}

/// The configuration with paths that hold wherever the run is gone on with.
fn placed(config: &Config) -> Config {
    let mut config = config.clone();
    for path in [&mut config.data.dir, &mut config.training.init_from] {
        if let Ok(absolute) = std::path::absolute(&*path) {
            *path = absolute;
        }
    }
    config
}

/// Refuses, before anything is written there, a folder that holds folders of something else: pictures of
/// one's own, say, whose folders are classes. What a run has written is told by who has locked it.
fn refuse_folder_of_others(path: &Path) -> Result<()> {
    let present = storage::names(path)?;
    let is_own = |name: &String| names::OF_RUNS.contains(&name.as_str());
    let is_foreign = |name: &&String| {
        !is_own(name) && !name.starts_with('.') && *name != "lost+found" && path.join(name).is_dir()
    };
    match present.iter().find(is_foreign) {
        Some(name) if !present.iter().any(is_own) => {
            Err(Error::run(path, format!("holds the folder `{name}`, which is of no run"))
                .with_hint("name another folder, or none for one that is numbered by itself"))
        }
        _ => Ok(()),
    }
}

/// Writes the configuration, unless it stands there already.
fn publish_config(run: &Path, config: &Config) -> Result<()> {
    let path = run.join(names::CONFIG);
    let text =
        toml::to_string(&placed(config)).map_err(|error| Error::run(&path, error.to_string()))?;
    if path.exists() && storage::read(&path)? == text.as_bytes() {
        return Ok(());
    }
    storage::publish(&path, text.as_bytes())
}

/// A checkpoint with what the epochs before it have shown, as `validation.bin` has it: the file was
/// cut back to where it was then.
fn with_validation(run: &Path, checkpoint: Checkpoint) -> Result<Checkpoint> {
    let path = run.join(names::VALIDATION);
    let validation = read_validation(&path, &storage::read(&path)?)?;
    Ok(Checkpoint { validation, ..checkpoint })
}

/// A `validation.bin` without epochs.
fn new_validation(path: &Path) -> Result<Log> {
    let mut validation = Log::create(path.join(names::VALIDATION))?;
    validation.append(MAGIC)?;
    Ok(validation)
}

impl Logs {
    fn create(path: &Path, steps: bool) -> Result<Self> {
        let journal = Log::create(path.join(names::JOURNAL))?;
        let mut metrics = Log::create(path.join(names::METRICS))?;
        metrics.line(names::METRICS_HEADER)?;
        let validation = new_validation(path)?;
        let steps = steps.then(|| Log::create(path.join(names::STEPS))).transpose()?;
        let mut logs = Self { journal, metrics, validation, steps };
        if let Some(steps) = &mut logs.steps {
            steps.line("epoch,step,loss")?;
        }
        Ok(logs)
    }

    /// As they were when they had these lengths.
    fn reopen(path: &Path, lengths: &BTreeMap<String, u64>) -> Result<Self> {
        let open =
            |name: &str| Log::reopen(path.join(name), lengths.get(name).copied().unwrap_or(0));
        let steps = lengths.contains_key(names::STEPS).then(|| open(names::STEPS)).transpose()?;
        // Runs of before there was such a file go on without their first epochs.
        let validation = match lengths.contains_key(names::VALIDATION) {
            true => open(names::VALIDATION)?,
            false => new_validation(path)?,
        };
        Ok(Self {
            journal: open(names::JOURNAL)?,
            metrics: open(names::METRICS)?,
            validation,
            steps,
        })
    }

    fn lengths(&self) -> BTreeMap<String, u64> {
        let mut lengths = BTreeMap::new();
        lengths.insert(names::JOURNAL.into(), self.journal.length());
        lengths.insert(names::METRICS.into(), self.metrics.length());
        lengths.insert(names::VALIDATION.into(), self.validation.length());
        if let Some(steps) = &self.steps {
            lengths.insert(names::STEPS.into(), steps.length());
        }
        lengths
    }

    /// Makes all of them durable.
    fn sync(&self) -> Result<()> {
        let logs = [&self.journal, &self.metrics, &self.validation];
        logs.into_iter().chain(&self.steps).try_for_each(Log::sync)
    }
}

impl Watch for RunFolder {
    fn event(&mut self, event: &Event) -> Result<()> {
        if let Event::Epoch { epoch, depth, metrics: row, .. } = event {
            self.logs.metrics.line(&format!(
                "{epoch},{},{depth},{},{},{},{},{},{:.3}",
                row.phase.name(),
                row.learning_rate,
                row.train_loss,
                row.train_accuracy,
                row.val_loss,
                row.val_accuracy,
                row.epoch_seconds
            ))?;
        }
        let line = serde_json::to_string(event)
            .map_err(|error| Error::run(self.path.join(names::JOURNAL), error.to_string()))?;
        self.logs.journal.line(&line)
    }

    fn validated(&mut self, epoch: &ValidationEpoch) -> Result<()> {
        self.logs.validation.append(&epoch.to_bytes()?)
    }

    fn step(&mut self, epoch: usize, step: usize, _: usize, loss: f64) -> Result<()> {
        match &mut self.logs.steps {
            Some(steps) => steps.line(&format!("{epoch},{step},{loss}")),
            None => Ok(()),
        }
    }

    fn best(&mut self, network: &Network) -> Result<()> {
        self.publish_model(names::MODEL, network)
    }

    fn peak(&mut self, network: &Network) -> Result<()> {
        self.publish_model(names::PEAK, network)
    }

    fn snapshot(&mut self, epoch: usize, network: &Network) -> Result<()> {
        let mut info = self.info(network);
        info.epoch = Some(epoch);
        let bytes = StateDict::of(network)?.to_safetensors_with(&info)?;
        storage::publish(&snapshots::path(&self.path, epoch), &bytes)
    }

    fn architecture(&mut self, network: &Network) -> Result<()> {
        self.publish_json(names::NETWORK, network.blueprint())
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        if let Some(config) = self.config.take() {
            publish_config(&self.path, &config)?;
        }
        let lengths = self.logs.lengths();
        if !self.saver.is_due() {
            self.saver.hold(checkpoint.clone(), lengths);
            return Ok(());
        }
        self.logs.sync()?;
        self.saver.write(checkpoint, lengths)
    }

    fn grown(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        save_alone(&self.path.join(names::GROWN), checkpoint)
    }

    fn go_back(&mut self) -> Result<Option<Checkpoint>> {
        self.flush()?;
        let (Some(newest), _) = self.saver.newest()? else { return Ok(None) };
        self.logs = Logs::reopen(&self.path, &newest.logs)?;
        with_validation(&self.path, newest.checkpoint).map(Some)
    }

    fn last_checkpoint(&mut self) -> Option<PathBuf> {
        self.flush().ok()?;
        self.saver.newest().ok()?.0.map(|newest| newest.path)
    }
}

/// However a run ends, it goes on from where it was.
impl Drop for RunFolder {
    fn drop(&mut self) {
        if let Err(error) = self.flush() {
            tracing::warn!("the last checkpoint is not written: {error}");
        }
    }
}
