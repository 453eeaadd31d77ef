//! The run folder: everything of a run, and nothing of it anywhere else.

use super::{Event, Outcome, Watch, storage};
use crate::config::Config;
use crate::network::{Blueprint, Network, StateDict};
use crate::random::{Purpose, generator};
use crate::{Error, Result};
use burn::tensor::Device;
use std::fs::File;
use std::path::{Path, PathBuf};

const METRICS: &str = "epoch,phase,depth,learning_rate,train_loss,train_accuracy,val_loss,\
                       val_accuracy,seconds";

/// A run folder that is being written.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    journal: File,
    metrics: File,
    /// `steps.csv`, where it was asked for.
    steps: Option<File>,
}

impl RunFolder {
    /// Makes the folder, with `config.toml` in it.
    ///
    /// # Errors
    /// [`Error::Run`] where there is something already, or nothing can be written.
    pub fn create(path: &Path, config: &Config) -> Result<Self> {
        storage::create_folder(path)?;
        let text = toml::to_string(config)
            .map_err(|error| Error::run(path.join("config.toml"), error.to_string()))?;
        storage::publish(&path.join("config.toml"), text.as_bytes())?;
        let mut metrics = storage::create(&path.join("metrics.csv"))?;
        storage::append(&mut metrics, path, METRICS)?;
        let mut steps = None;
        if config.run.log_steps {
            let file = steps.insert(storage::create(&path.join("steps.csv"))?);
            storage::append(file, path, "epoch,step,loss")?;
        }
        let journal = storage::create(&path.join("journal.jsonl"))?;
        Ok(Self { path: path.to_path_buf(), journal, metrics, steps })
    }

    /// The first of `<parent>/<stem>-1`, `-2`, ... that does not exist.
    pub fn numbered(parent: &Path, stem: &str) -> PathBuf {
        let mut number = 1;
        loop {
            let path = parent.join(format!("{stem}-{number}"));
            if !path.exists() {
                return path;
            }
            number += 1;
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `result.json`.
    ///
    /// # Errors
    /// [`Error::Run`].
    pub fn finish(&self, outcome: &Outcome) -> Result<()> {
        self.publish_json("result.json", outcome)
    }

    fn publish_json(&self, name: &str, value: &impl serde::Serialize) -> Result<()> {
        let path = self.path.join(name);
        let mut text = serde_json::to_string_pretty(value)
            .map_err(|error| Error::run(&path, error.to_string()))?;
        text.push('\n');
        storage::publish(&path, text.as_bytes())
    }
}

impl Watch for RunFolder {
    fn event(&mut self, event: &Event) -> Result<()> {
        if let Event::Epoch { epoch, depth, metrics: row, .. } = event {
            let line = format!(
                "{epoch},{},{depth},{},{},{},{},{},{:.3}",
                row.phase.name(),
                row.learning_rate,
                row.train_loss,
                row.train_accuracy,
                row.val_loss,
                row.val_accuracy,
                row.epoch_seconds
            );
            storage::append(&mut self.metrics, &self.path.join("metrics.csv"), &line)?;
        }
        let path = self.path.join("journal.jsonl");
        let line =
            serde_json::to_string(event).map_err(|error| Error::run(&path, error.to_string()))?;
        storage::append(&mut self.journal, &path, &line)
    }

    fn step(&mut self, epoch: usize, step: usize, _: usize, loss: f64) -> Result<()> {
        match &mut self.steps {
            Some(file) => {
                let line = format!("{epoch},{step},{loss}");
                storage::append(file, &self.path.join("steps.csv"), &line)
            }
            None => Ok(()),
        }
    }

    fn best(&mut self, network: &Network) -> Result<()> {
        let bytes = StateDict::of(network)?.to_safetensors()?;
        storage::publish(&self.path.join("model.safetensors"), &bytes)
    }

    fn architecture(&mut self, network: &Network) -> Result<()> {
        self.publish_json("network.json", network.blueprint())
    }
}

/// The best model of a run folder, or a model file with its `network.json` beside it, for
/// evaluation on `device`.
///
/// # Errors
/// [`Error::Run`] where there is no model, or one that is damaged.
pub fn load_model(model: &Path, device: &Device) -> Result<Network> {
    let weights =
        if model.is_dir() { model.join("model.safetensors") } else { model.to_path_buf() };
    if !weights.exists() {
        return Err(Error::run(model, "holds no model")
            .with_hint("a run writes model.safetensors once its depth is found"));
    }
    let architecture = weights.with_file_name("network.json");
    let blueprint: Blueprint = serde_json::from_slice(&storage::read(&architecture)?)
        .map_err(|error| Error::run(&architecture, format!("is damaged ({error})")))?;
    let state = StateDict::from_safetensors(&storage::read(&weights)?, &weights)?;
    // Every weight is overwritten, so it does not matter how they are drawn.
    let network = Network::new(blueprint, &mut generator(0, Purpose::Seed, 0), device)?;
    state.load_into(network, &weights)
}
