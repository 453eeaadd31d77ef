//! What commands on models have in common: finding out what a model is.

use super::no_better::baselines_of;
use super::relabelled::relabelled;
use super::{open_data, open_data_of};
use crate::output::Output;
use crate::settings::{Loaded, Settings};
use autogrow::config::Config;
use autogrow::data::{Baselines, DataSet, Preprocessing};
use autogrow::network::{Blueprint, ModelInfo, Network, SeedNetwork};
use autogrow::run::{ModelFile, Outcome, read};
use autogrow::{Error, Resolved, Result, registry};
use burn::tensor::Device;
use std::path::{Path, PathBuf};

/// Means and deviations of ImageNet's photographs, which most networks for photographs were
/// trained with.
const PHOTOGRAPHS: [[f32; 3]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];

/// A model that was opened.
pub(super) struct Model {
    pub(super) network: Network,
    pub(super) info: ModelInfo,
    pub(super) loaded: Loaded,
    /// Resolved, for the model's network and data set.
    pub(super) config: Resolved,
    pub(super) device: Device,
    /// The run folder it is in.
    pub(super) run: Option<PathBuf>,
}

impl Model {
    /// Opens a run folder or a file of weights.
    pub(super) fn open(model: &Path, settings: &Settings) -> Result<Self> {
        let folder = if model.is_dir() { Some(model) } else { model.parent() };
        // The snapshots of a run lie in a folder of their own within its folder.
        let folder = match folder {
            Some(folder) if folder.ends_with("snapshots") => folder.parent(),
            folder => folder,
        };
        let is_run = |folder: &&Path| {
            ["config.toml", "network.json"].iter().all(|file| folder.join(file).is_file())
        };
        let run = folder.filter(is_run).map(Path::to_path_buf);
        // The run's own configuration says which data the model was made for.
        let loaded = match &run {
            Some(folder) => settings.load_over_file(&folder.join("config.toml"))?,
            None => settings.load()?,
        };
        let mut config = loaded.config.clone();
        let mut file = ModelFile::read(model)?;
        if file.info.is_none() && settings.names_network() {
            let size = assumed_size(&config, &loaded).map_err(|error| loaded.locate(error))?;
            file.assume(&config.network, size).map_err(|error| loaded.locate(error))?;
        }
        // Where nothing is known, `build` says what is missing.
        if let Some(info) = &file.info {
            refuse_contradiction(&info.architecture, &config, settings, &file.path)?;
        }
        let path = file.path.clone();
        let device = super::open_device(&config, &loaded)?;
        let (network, info) = file.build(&device).map_err(|error| match error {
            // A name in the file that is not registered is the file's fault.
            Error::Unknown { .. } => Error::run(&path, error.to_string())
                .with_hint("use the binary with the plugin that brings it"),
            Error::Config { .. } => Error::run(&path, error.to_string()),
            error => error,
        })?;
        let architecture = &info.architecture;
        config.network.name.clone_from(&architecture.network);
        config.network.depth = architecture.depth.clone();
        config.network.width = architecture.width;
        if info.table.is_none() {
            config.data.size = architecture.image[1];
        }
        // Nothing grows here, so no limit of growth matters.
        config.growth.max_depth = None;
        config.training.objective.clone_from(&info.objective);
        if !loaded.is_set("data.name") && !info.data.is_empty() {
            config.data.name.clone_from(&info.data);
        }
        let config = Resolved::of(config).map_err(|error| loaded.locate(error))?;
        Ok(Self { network, info, loaded, config, device, run })
    }

    /// The data set that `config`, the model's or much like it, names. It must suit the network.
    pub(super) fn data(&self, config: &Config, model: &Path) -> Result<DataSet> {
        let data = open_data_of(&self.info, config).map_err(|error| self.loaded.locate(error))?;
        self.check_suits(&data, model)?;
        self.by_name(data, model)
    }

    /// The data set with its classes in the model's order, which are known by name.
    ///
    /// # Errors
    /// [`Error::Run`] about `model` where they are others.
    fn by_name(&self, data: DataSet, model: &Path) -> Result<DataSet> {
        // A file that another program wrote says nothing of classes.
        let (Some(own), Some(theirs)) = (self.info.outputs.classes(), data.outputs.classes())
        else {
            return Ok(data);
        };
        if self.info.data.is_empty() || own == theirs {
            return Ok(data);
        }
        let place = |class: &String| own.iter().position(|own| own == class);
        let Some(places) = theirs.iter().map(place).collect::<Option<Vec<_>>>() else {
            let problem = format!(
                "tells apart the classes {}; {} has {}",
                listed(own),
                self.config.data.name,
                listed(theirs)
            );
            return Err(Error::run(model, problem)
                .with_hint("classes are known by their names, which have to be the same"));
        };
        Ok(relabelled(data, &self.info.outputs, &places))
    }

    /// Whether the images of a data set are such as the network takes.
    ///
    /// # Errors
    /// [`Error::Run`] about `model` where they are not.
    fn check_suits(&self, data: &DataSet, model: &Path) -> Result<()> {
        let architecture = &self.info.architecture;
        if self.suits(data) {
            return Ok(());
        }
        let ([c, h, w], [c2, h2, w2]) = (architecture.image, data.image);
        let problem = format!(
            "was made for {} {} of {c}x{h}x{w} images; {} has {} {} of {c2}x{h2}x{w2}",
            architecture.classes,
            self.info.outputs.task().name(),
            self.config.data.name,
            data.outputs.len(),
            data.outputs.task().name()
        );
        Err(Error::run(model, problem)
            .with_hint("name the data set it was trained on: --data NAME"))
    }

    fn suits(&self, data: &DataSet) -> bool {
        let architecture = &self.info.architecture;
        architecture.image == data.image
            && architecture.classes == data.outputs.len()
            && self.info.outputs.task() == data.outputs.task()
    }

    /// Lets the data set that somebody has named tell what the model file does not.
    pub(super) fn complete(&mut self) {
        // Values and labels are told by the file alone, as are the units of values.
        let is_complete = self.info.preprocessing.is_some()
            || self.info.table.is_some()
            || self.info.outputs.classes().is_none();
        if is_complete || !self.loaded.is_set("data.name") {
            return;
        }
        match open_data(&self.config) {
            Ok(data) if self.suits(&data) => {
                if data.table.is_some() {
                    let dir = self.config.data.dir.display();
                    tracing::warn!(
                        "the model file holds no columns: they are measured anew on {dir}"
                    );
                }
                let architecture = self.info.architecture.clone();
                self.info = ModelInfo::new(architecture, &self.config, &data);
            }
            Ok(_) => tracing::warn!("{} does not suit the network", self.config.data.name),
            Err(error) => tracing::warn!("{error}"),
        }
    }

    /// How pictures are prepared.
    ///
    /// # Errors
    /// Where neither the file nor a data set tells, and they are not photographs.
    pub(super) fn preprocessing(&self, output: &Output) -> Result<Preprocessing> {
        let [channels, height, width] = self.info.architecture.image;
        if ![1, 3].contains(&channels) {
            let problem = format!("has images of {channels} channels; pictures have 1 or 3");
            return Err(Error::run("the model", problem)
                .with_hint("evaluate it on its data set: --data NAME --split test"));
        }
        if let Some(preprocessing) = &self.info.preprocessing {
            return Ok(preprocessing.clone());
        }
        if [height, width] == [1, 1] {
            let problem = "takes rows of a table, and its file does not tell of which columns";
            return Err(Error::run("the model", problem)
                .with_hint("train it again: this autogrow keeps the columns in the model file"));
        }
        let [mean, std] = PHOTOGRAPHS.map(|numbers| numbers.to_vec());
        if channels != mean.len() {
            let problem = "is not set, and the model does not say how pictures are prepared";
            return Err(Error::config("data.name", problem)
                .with_hint("name the data set it was trained on: --data NAME"));
        }
        output.warn("the model does not say how pictures are prepared; they are normalised as photographs of ImageNet");
        Ok(Preprocessing { size: [height, width], shorter_side: None, mean, std })
    }

    /// Scores of simple models on the test images, where the model is one of a finished run.
    pub(super) fn baselines(&self) -> Option<Baselines> {
        self.outcome()?;
        baselines_of(self.run.as_ref()?)
    }

    /// What the run came to, where the model is one of a finished run.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        // A snapshot on the way is not the model that was tested.
        if self.info.epoch.is_some() {
            return None;
        }
        let bytes = read(&self.run.as_ref()?.join("result.json")).ok()?;
        let outcome: Outcome = serde_json::from_slice(&bytes).ok()?;
        (outcome.found == self.info.architecture.depth).then_some(outcome)
    }
}

/// Names, the first of many.
fn listed(names: &[String]) -> String {
    const LISTED: usize = 20;
    let first = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        ..=LISTED => first,
        count => format!("{first}, ... ({count})"),
    }
}

/// What is said of the network on the command line must be so.
fn refuse_contradiction(
    architecture: &Blueprint,
    config: &Config,
    settings: &Settings,
    path: &Path,
) -> Result<()> {
    let Blueprint { network, depth, .. } = architecture;
    let (named, given) = (&config.network.name, &config.network.depth);
    let problem = if settings.names_network() && network != named {
        format!("holds {network}, not {named}")
    } else if settings.gives_depth() && depth != given {
        format!("has the depth {depth}, not {given}")
    } else {
        return Ok(());
    };
    Err(Error::run(path, problem)
        .with_hint("leave --network and --depth out where the file says what it holds"))
}

/// Height and width of the images of weights that do not tell: those of the data set that was
/// named, else what is usual for the network.
fn assumed_size(config: &Config, loaded: &Loaded) -> Result<[usize; 2]> {
    let seed = registry::find::<SeedNetwork>(&config.network.name)?;
    if loaded.is_set("data.name") {
        let [_, height, width] = open_data(config)?.image;
        return Ok([height, width]);
    }
    Ok([seed.picture_size(&config.data); 2])
}
