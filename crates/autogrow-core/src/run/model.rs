//! Models on disk: a run folder, or a file of weights that tells its architecture, has it beside
//! it, or is told it.

use crate::config::NetworkConfig;
use crate::growth::Depth;
use crate::network::{Blueprint, ModelInfo, Network, StateDict, WeightFormat};
use crate::random::{Purpose, generator};
use crate::registry;
use crate::{Error, Result};
use autogrow_run::storage::{self, failed};
use burn::tensor::Device;
use std::path::{Path, PathBuf};

/// Bytes of the largest model file that is read: a thousand million numbers.
const LARGEST: u64 = 4 << 30;

/// A model that was read but not built yet.
#[derive(Debug)]
pub struct ModelFile {
    /// The file of the weights.
    pub path: PathBuf,
    /// What is known of it.
    pub info: Option<ModelInfo>,
    state: StateDict,
}

impl ModelFile {
    /// The best model of a run folder, or a file of weights. The architecture comes from the file
    /// itself, or from a `network.json` beside it.
    ///
    /// # Errors
    /// [`Error::Run`] where there is no model, or one that is damaged.
    pub fn read(model: &Path) -> Result<Self> {
        let path =
            if model.is_dir() { model.join("model.safetensors") } else { model.to_path_buf() };
        if !path.exists() {
            return Err(Error::run(model, "holds no model")
                .with_hint("a run writes model.safetensors once its depth is found"));
        }
        let (state, mut info) = read_weights(&path)?;
        let architecture = path.with_file_name("network.json");
        if info.is_none() && architecture.is_file() {
            let blueprint: Blueprint = serde_json::from_slice(&storage::read(&architecture)?)
                .map_err(|error| Error::run(&architecture, format!("is damaged ({error})")))?;
            blueprint.check_sizes(&architecture)?;
            info = Some(ModelInfo::bare(blueprint));
        }
        Ok(Self { path, info, state })
    }

    /// The model in the bytes of a file; `path` is for errors.
    ///
    /// # Errors
    /// [`Error::Run`] where they are damaged.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let (state, info) = weights(bytes, path)?;
        Ok(Self { path: path.to_path_buf(), info, state })
    }

    /// A model of weights of which nothing is known but `info`, if that; `path` is for errors.
    pub fn of_weights(state: StateDict, info: Option<ModelInfo>, path: &Path) -> Self {
        Self { path: path.to_path_buf(), info, state }
    }

    /// Takes the file for weights of the network that `config` names. Its depth, width and numbers
    /// of channels and classes are read off the tensors; `size` is the height and width of its
    /// images.
    ///
    /// # Errors
    /// [`Error::Unknown`] where no such network is registered, [`Error::Run`] where the tensors
    /// are not named as its.
    pub fn assume(&mut self, config: &NetworkConfig, size: [usize; 2]) -> Result<()> {
        let seed = registry::find::<crate::network::SeedNetwork>(&config.name)?;
        let head = if seed.stem_kind()?.torchvision { "fc.weight" } else { "linear.weight" };
        let shape = |name: &str| match self.state.0.get(name) {
            Some(entry) if entry.shape.len() > 1 => Ok(&entry.shape),
            _ => Err(Error::run(&self.path, format!("has no {name}, so is no {}", config.name))
                .with_hint("`autogrow list networks` names the networks there are")),
        };
        let (stem, head) = (shape("conv1.weight")?, shape(head)?);
        let blueprint = Blueprint {
            network: config.name.clone(),
            depth: self.depth(seed.sub_networks)?,
            width: stem[0],
            image: [stem[1], size[0], size[1]],
            classes: head[0],
            shortcut: config.shortcut,
            compat: Default::default(),
        };
        self.info = Some(ModelInfo::bare(blueprint));
        Ok(())
    }

    /// As many sub-modules a sub-network as `layer<i>.<j>` are named.
    ///
    /// # Errors
    /// [`Error::Run`] where a sub-network has none.
    pub fn depth(&self, sub_networks: usize) -> Result<Depth> {
        let mut counts = vec![0; sub_networks];
        for name in self.state.0.keys() {
            let place = name.strip_prefix("layer").and_then(|rest| rest.split_once('.'));
            let Some((i, rest)) = place else { continue };
            let j = rest.split_once('.').and_then(|(j, _)| j.parse::<usize>().ok());
            let count = i.parse().ok().and_then(|i: usize| counts.get_mut(i.checked_sub(1)?));
            if let (Some(count), Some(j)) = (count, j) {
                *count = j.saturating_add(1).max(*count);
            }
        }
        let text: Vec<_> = counts.iter().map(ToString::to_string).collect();
        text.join("-").parse().map_err(|_| {
            let problem =
                format!("has sub-modules {} in {sub_networks} sub-networks", text.join("-"));
            Error::run(&self.path, problem).with_hint("name another network with --network")
        })
    }

    /// The network, for evaluation on `device`, and what is known of it.
    ///
    /// # Errors
    /// [`Error::Run`] where the architecture is not known, or the weights do not fit it or are not
    /// finite.
    pub fn build(self, device: &Device) -> Result<(Network, ModelInfo)> {
        let Some(info) = self.info else {
            return Err(Error::run(&self.path, "does not say of which network its weights are")
                .with_hint("name it with --network, or put its network.json beside it"));
        };
        let network = build(&info.architecture, self.state, &self.path, device)?;
        Ok((network, info))
    }
}

/// Weights in a file, of any format that is registered, and what it says of itself.
///
/// # Errors
/// [`Error::Run`] where it cannot be read or is damaged.
pub(crate) fn read_weights(path: &Path) -> Result<(StateDict, Option<ModelInfo>)> {
    let size = std::fs::metadata(path).map_err(|error| failed(path, "cannot be read", &error))?;
    if size.len() > LARGEST {
        return Err(Error::run(path, format!("is larger than {} GiB", LARGEST >> 30))
            .with_hint("no model is"));
    }
    weights(&storage::read(path)?, path)
}

/// As [`read_weights`], of the bytes of a file.
fn weights(bytes: &[u8], path: &Path) -> Result<(StateDict, Option<ModelInfo>)> {
    for format in registry::all::<WeightFormat>()? {
        if (format.recognises)(bytes) {
            return Ok(((format.read)(bytes, path)?, None));
        }
    }
    let info = ModelInfo::of_safetensors(bytes, path)?;
    Ok((StateDict::from_safetensors(bytes, path)?, info))
}

/// The network that `blueprint` describes, with these weights.
fn build(blueprint: &Blueprint, state: StateDict, path: &Path, device: &Device) -> Result<Network> {
    check_finite(&state, path)?;
    blueprint.check_against(&state, path, device)?;
    // Every weight is overwritten, so it does not matter how they are drawn.
    let network = Network::new(blueprint.clone(), &mut generator(0, Purpose::Seed, 0), device)?;
    state.load_into(network, path)
}

/// Weights from elsewhere may hold anything.
pub(crate) fn check_finite(state: &StateDict, path: &Path) -> Result<()> {
    match state.not_finite() {
        None => Ok(()),
        Some(name) => Err(Error::run(path, format!("{name} holds numbers that are not finite"))
            .with_hint("the training that made it has diverged, or the file is damaged")),
    }
}
