//! What a model file says of itself, in the metadata of safetensors: with it, the file alone is
//! enough to evaluate, predict and export.

use super::Blueprint;
use crate::config::Config;
use crate::data::{DataSet, Outputs, Preprocessing, TableInput};
use crate::{Error, Result};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The one key of the metadata.
pub(super) const METADATA: &str = "autogrow";
/// Version of what is written here. A program reads its own and older ones.
const FORMAT: u32 = 3;
/// Version of models of values and labels that are not told of tables.
const FORMAT_OF_VALUES: u32 = 2;
/// Version of models that tell classes apart, which programs of before there were others read.
const FORMAT_OF_CLASSES: u32 = 1;
/// The objective of a file that names none.
const CLASSES: &str = "classes";

/// A model without its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    format: u32,
    /// What the network is built from.
    pub architecture: Blueprint,
    /// Name of the data set it was trained on.
    pub data: String,
    /// What the network gives: `classes`, `values` or `labels`.
    #[serde(flatten)]
    pub outputs: Outputs,
    /// How pictures are prepared; none where the data set does not tell.
    pub preprocessing: Option<Preprocessing>,
    /// How rows of tables are prepared, where it was trained on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableInput>,
    /// Name of the objective that it was trained for.
    #[serde(default = "classes", skip_serializing_if = "is_classes")]
    pub objective: String,
    /// Epochs of training after which it was kept, where it is a snapshot on a run's way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<usize>,
}

impl ModelInfo {
    /// Of a network trained by `config` on `data`.
    pub fn new(architecture: Blueprint, config: &Config, data: &DataSet) -> Self {
        let objective = config.training.objective.clone();
        Self {
            // Programs that do not know of tables would scale each by itself.
            format: match (&data.table, &data.outputs) {
                (Some(_), _) => FORMAT,
                (None, Outputs::Classes(_)) => FORMAT_OF_CLASSES,
                (None, Outputs::Values(_) | Outputs::Labels(_)) => FORMAT_OF_VALUES,
            },
            architecture,
            data: config.data.name.clone(),
            outputs: data.outputs.clone(),
            preprocessing: data.preprocessing.clone(),
            table: data.table.clone(),
            objective,
            epoch: None,
        }
    }

    /// Of a network of which nothing else is known.
    pub fn bare(architecture: Blueprint) -> Self {
        let classes = (0..architecture.classes).map(|class| class.to_string()).collect();
        Self {
            format: FORMAT_OF_CLASSES,
            outputs: Outputs::Classes(classes),
            architecture,
            data: String::new(),
            preprocessing: None,
            table: None,
            objective: CLASSES.into(),
            epoch: None,
        }
    }

    /// The same for a network of another architecture.
    pub fn of(&self, architecture: Blueprint) -> Self {
        Self { architecture, ..self.clone() }
    }

    pub(super) fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::run("metadata", error.to_string()))
    }

    /// What the safetensors file `bytes` says of itself; nothing where another program wrote it.
    ///
    /// # Errors
    /// [`Error::Run`] where it is damaged, contradicts itself or is of a newer version.
    pub fn of_safetensors(bytes: &[u8], path: &Path) -> Result<Option<Self>> {
        let damaged = |what: &str| Error::run(path, format!("its metadata is damaged ({what})"));
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| {
            Error::run(path, format!("is not a safetensors file ({error})"))
                .with_hint("models are read from safetensors, and from .pt files of torch.save")
        })?;
        let Some(text) = header.metadata().as_ref().and_then(|entries| entries.get(METADATA))
        else {
            return Ok(None);
        };
        // A newer format may have other fields, so its number is read first.
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let version: Version =
            serde_json::from_str(text).map_err(|error| damaged(&error.to_string()))?;
        if version.format > FORMAT {
            let format = version.format;
            let problem = format!("has format {format}; this program reads up to {FORMAT}");
            return Err(Error::run(path, problem).with_hint("use the newer autogrow that wrote it"));
        }
        let info: Self = serde_json::from_str(text).map_err(|error| damaged(&error.to_string()))?;
        info.check().map_err(|problem| damaged(&problem))?;
        Ok(Some(info))
    }

    fn check(&self) -> Result<(), String> {
        let Blueprint { classes, image: [channels, height, width], .. } = self.architecture;
        if self.outputs.len() != classes {
            let (names, task) = (self.outputs.len(), self.outputs.task().name());
            return Err(format!("{names} names for {classes} {task}"));
        }
        if let Outputs::Values(values) = &self.outputs
            && let Some(value) = values.iter().find(|value| !value.is_sensible())
        {
            return Err(format!("no mean and deviation of {}", value.name));
        }
        if let Some(table) = &self.table {
            table.check(self.architecture.image)?;
        }
        let Some(Preprocessing { size, shorter_side, mean, std }) = &self.preprocessing else {
            return Ok(());
        };
        let longest = size[0].max(size[1]);
        let fits = size[0] <= height
            && size[1] <= width
            && size[0] > 0
            && size[1] > 0
            && shorter_side
                .is_none_or(|side| (longest..=longest.saturating_mul(2)).contains(&side));
        let numbers = mean.len() == channels && std.len() == channels;
        let sensible = mean.iter().all(|mean| mean.is_finite())
            && std.iter().all(|&std| std.is_finite() && std > 0.0);
        if !(fits && numbers && sensible) {
            return Err(format!("preprocessing does not suit {channels}x{height}x{width} images"));
        }
        Ok(())
    }
}

fn classes() -> String {
    CLASSES.into()
}

fn is_classes(objective: &str) -> bool {
    objective == CLASSES
}
