//! What a model file says of itself, in the metadata of safetensors: with it, the file alone is
//! enough to evaluate, predict and export.

use super::Blueprint;
use crate::data::{DataSet, Preprocessing};
use crate::{Error, Result};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The one key of the metadata.
pub(super) const METADATA: &str = "autogrow";
/// Version of what is written here. A program reads its own and older ones.
const FORMAT: u32 = 1;

/// A model without its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    format: u32,
    /// What the network is built from.
    pub architecture: Blueprint,
    /// Name of the data set it was trained on.
    pub data: String,
    /// Names of the classes, in order.
    pub classes: Vec<String>,
    /// How pictures are prepared; none where the data set does not tell.
    pub preprocessing: Option<Preprocessing>,
    /// Epochs of training after which it was kept, where it is a snapshot on a run's way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<usize>,
}

impl ModelInfo {
    /// Of a network for the images of `data`, the data set called `name`.
    pub fn new(architecture: Blueprint, name: &str, data: &DataSet) -> Self {
        Self {
            format: FORMAT,
            architecture,
            data: name.into(),
            classes: data.classes.clone(),
            preprocessing: data.preprocessing.clone(),
            epoch: None,
        }
    }

    /// Of a network of which nothing else is known.
    pub fn bare(architecture: Blueprint) -> Self {
        Self {
            format: FORMAT,
            classes: (0..architecture.classes).map(|class| class.to_string()).collect(),
            architecture,
            data: String::new(),
            preprocessing: None,
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
        if self.classes.len() != classes {
            return Err(format!("{} names for {classes} classes", self.classes.len()));
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
