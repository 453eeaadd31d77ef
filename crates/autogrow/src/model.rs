//! [`Model`]: a trained network with all that its file tells of it.

use crate::dataset::{Pixels, Prepared, split_of};
use crate::{device, threads};
use autogrow_core::network::{ModelInfo, Network, StateDict};
use autogrow_core::run::{ModelFile, publish};
use autogrow_core::training::infer;
use autogrow_core::{Error, Result};
use burn::tensor::Device;
use std::path::Path;

/// What errors name in place of a file.
const PLACE: &str = "the model";

/// A trained network, and how what it takes is prepared and what it gives is called.
#[derive(Clone, Debug)]
pub struct Model {
    network: Network,
    info: ModelInfo,
    device: Device,
}

impl Model {
    pub(crate) fn new(network: Network, info: ModelInfo, device: Device) -> Self {
        Self { network, info, device }
    }

    /// The model of a run folder or a file, to compute on the device called `device`.
    ///
    /// # Errors
    /// [`Error::Run`] where there is none, or it is damaged or does not tell its network;
    /// [`Error::Device`] where the device is not there.
    pub fn read(path: impl AsRef<Path>, device: &str) -> Result<Self> {
        Self::of_file(ModelFile::read(path.as_ref())?, device)
    }

    /// The model that [`Model::to_bytes`] was asked of.
    ///
    /// # Errors
    /// As [`Model::read`].
    pub fn from_bytes(bytes: &[u8], device: &str) -> Result<Self> {
        Self::of_file(ModelFile::from_bytes(bytes, Path::new(PLACE))?, device)
    }

    /// A model that was read, built.
    ///
    /// # Errors
    /// As [`Model::read`].
    pub fn of_file(file: ModelFile, device: &str) -> Result<Self> {
        let device = device::open(device)?;
        let (network, info) = file.build(&device)?;
        Ok(Self { network, info, device })
    }

    /// The network, in evaluation mode.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What its file tells.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The bytes of its file: safetensors with PyTorch's names, and all else inside.
    ///
    /// # Errors
    /// [`Error::Run`] where the format refuses, which it does for no network.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        StateDict::of(&self.network)?.to_safetensors_with(&self.info)
    }

    /// Writes its file, from which `autogrow predict` needs nothing else.
    ///
    /// # Errors
    /// [`Error::Run`] where the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        publish(path.as_ref(), &self.to_bytes()?)
    }

    /// Outputs `[images, outputs]`, row-major, of images `[channels, height, width]` or rows
    /// `[columns, 1, 1]` as they stand in the data: class scores, standardised values or log odds.
    /// Computed on so many threads, 0 for all.
    ///
    /// # Errors
    /// [`Error::Data`] where the images are not such as the network takes.
    pub fn outputs(&self, pixels: &Pixels, image: [usize; 3], threads: usize) -> Result<Vec<f32>> {
        let [channels, height, width] = self.info.architecture.image;
        let prepared = Prepared {
            preprocessing: self.info.preprocessing.clone(),
            table: self.info.table.clone(),
        };
        let takes = match (pixels, &prepared.preprocessing, &prepared.table) {
            (Pixels::Bytes(_), Some(of), _) => [channels, of.size[0], of.size[1]],
            (_, _, Some(table)) => [table.inputs().len(), 1, 1],
            _ => [channels, height, width],
        };
        if image != takes {
            let [[c, h, w], [c2, h2, w2]] = [image, takes];
            let problem = format!("has images of {c}x{h}x{w}, the model takes {c2}x{h2}x{w2}");
            return Err(Error::data("data in memory", problem)
                .with_hint("prepare them as the images that it was trained on"));
        }
        let made = if prepared.table.is_some() { takes } else { [channels, height, width] };
        let split = split_of(made, pixels, &prepared)?;
        let mut outputs = Vec::with_capacity(split.len() * self.info.outputs.len());
        // A network belongs to one thread at a time.
        let (network, device, all) = (self.network.clone(), &self.device, &mut outputs);
        threads::pool(threads)?.install(move || {
            infer(&network, &*split, None, device, &mut |numbers, _| {
                all.extend_from_slice(numbers);
                Ok(())
            })
        })?;
        Ok(outputs)
    }
}
