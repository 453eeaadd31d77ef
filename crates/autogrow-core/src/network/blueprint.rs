//! [`Blueprint`]: everything a network is built from, kept in `network.json`; and
//! [`SeedNetwork`], the registered families it refers to by name.

use super::head::HeadKind;
use super::stem::StemKind;
use super::sub_module::{Builder, NormInit, SubModuleKind};
use crate::Result;
use crate::config::{Compat, DataConfig, NetworkConfig, Shortcut};
use crate::growth::Depth;
use burn::tensor::Device;
use rand::RngCore;
use serde::{Deserialize, Serialize};

/// A family of networks that differ in depth, registered with `inventory`.
#[derive(Clone, Debug)]
pub struct SeedNetwork {
    /// Name in `network.name`.
    pub name: &'static str,
    /// Crate that registers it: `env!("CARGO_PKG_NAME")`.
    pub origin: &'static str,
    /// One line for `autogrow list`.
    pub summary: &'static str,
    /// Name of the sub-module that is stacked.
    pub sub_module: &'static str,
    /// M, the number of sub-networks.
    pub sub_networks: usize,
    /// Width of the first sub-network in channels, doubled by every next one.
    pub width: usize,
    /// Name of the stem, which comes before the first sub-network.
    pub stem: &'static str,
    /// Name of the head, which comes after the last one.
    pub head: &'static str,
    /// Height and width of the images it is made for.
    pub image: usize,
    /// How it is trained unless the paper's settings or others are asked for; none: as the paper trains.
    pub recipe: Option<Recipe>,
}

/// Settings of section `[training]` that a family learns better with than with the paper's. They count
/// under other presets than `paper`, where no optimiser is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// `training.optimizer`, a registered one.
    pub optimizer: &'static str,
    /// `training.learning_rate`, at a batch of 128.
    pub learning_rate: f64,
    /// `training.weight_decay`.
    pub weight_decay: f64,
}

crate::kind!(SeedNetwork, "network", "network.name");

impl SeedNetwork {
    /// The sub-module that is stacked.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] where it is not registered.
    pub fn sub_module_kind(&self) -> Result<&'static SubModuleKind> {
        crate::registry::find(self.sub_module)
    }

    /// Height and width that pictures of any size are made to.
    pub fn picture_size(&self, data: &DataConfig) -> usize {
        match data.size {
            0 => self.image,
            size => size,
        }
    }

    /// What comes before the first sub-network.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] where it is not registered.
    pub fn stem_kind(&self) -> Result<&'static StemKind> {
        crate::registry::find(self.stem)
    }

    /// What comes after the last sub-network.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] where it is not registered.
    pub fn head_kind(&self) -> Result<&'static HeadKind> {
        crate::registry::find(self.head)
    }
}

/// A network's architecture: with the weights beside it, all there is to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// Registered name of the family.
    pub network: String,
    /// Sub-modules of each sub-network.
    pub depth: Depth,
    /// Channels of the first sub-network.
    pub width: usize,
    /// `[channels, height, width]` of an image.
    pub image: [usize; 3],
    /// Number of outputs: classes, values or labels.
    pub classes: usize,
    /// The shortcut where shape changes.
    pub shortcut: Shortcut,
    /// Paper or released code: they draw the batch norms' scales differently.
    pub compat: Compat,
}

impl Blueprint {
    /// The blueprint of the seed that the configuration describes.
    pub fn seed(config: &NetworkConfig, compat: Compat, image: [usize; 3], classes: usize) -> Self {
        Self {
            network: config.name.clone(),
            depth: config.depth.clone(),
            width: config.width,
            image,
            classes,
            shortcut: config.shortcut,
            compat,
        }
    }

    /// The family.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] where it is not registered.
    pub fn seed_network(&self) -> Result<&'static SeedNetwork> {
        crate::registry::find(&self.network)
    }

    pub(super) fn stem(&self) -> Result<&'static StemKind> {
        self.seed_network()?.stem_kind()
    }

    /// Input channels of sub-module `j` of sub-network `i`, or of what follows the sub-network
    /// where `j` is its depth.
    pub(crate) fn channels(&self, i: usize, j: usize, kind: &SubModuleKind) -> usize {
        match (i, j) {
            (0, 0) => self.width,
            (_, 0) => (kind.channels)(self.width << (i - 1), self.depth.as_slice()[i - 1]),
            _ => (kind.channels)(self.width << i, j),
        }
    }

    /// The smallest height or width of which every reduction leaves something to reduce.
    pub(crate) fn smallest_image(&self) -> Result<usize> {
        let stem = self.stem()?;
        let halvings = if stem.flat { 0 } else { self.depth.sub_networks() - 1 };
        Ok(stem.reduction << halvings)
    }

    /// What sub-module `j` of sub-network `i` is built with; where `j` is the depth of the last
    /// one, what closes the network.
    pub(crate) fn builder<'a>(
        &self,
        i: usize,
        j: usize,
        (stem, kind): (&StemKind, &SubModuleKind),
        rng: &'a mut dyn RngCore,
        device: &'a Device,
    ) -> Builder<'a> {
        Builder {
            channels_in: self.channels(i, j, kind),
            width: self.width << i,
            stride: stem.stride(i, j),
            shortcut: self.shortcut,
            weight_init: stem.weight_init(),
            norm_init: match self.compat {
                Compat::Code if !stem.torchvision => NormInit::Uniform,
                _ => NormInit::Ones,
            },
            rng,
            device,
        }
    }
}
