//! [`Blueprint`]: everything a network is built from, kept in `network.json`; and
//! [`SeedNetwork`], the registered families it refers to by name.

use super::sub_module::{Builder, NormInit, SubModuleKind, WeightInit};
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
    /// What comes before the first sub-network.
    pub stem: Stem,
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
            0 => self.stem.image_size(),
            size => size,
        }
    }
}

/// What comes before the first sub-network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stem {
    /// 3x3 convolution at full resolution, for images of about 32x32.
    Small,
    /// 7x7 convolution and 3x3 max pool, each of stride 2, for 224x224.
    ImageNet,
    /// Every patch becomes one pixel, or token, by a convolution of its size and stride.
    Patches {
        /// Height and width of a patch.
        patch: usize,
        /// Height and width of the images it is made for.
        image: usize,
    },
    /// A linear layer on all numbers of an input at once, for rows of a table: an image of one
    /// pixel, which no sub-network reduces further.
    Vector,
}

impl Stem {
    /// Height and width of the images it is made for.
    pub fn image_size(self) -> usize {
        match self {
            Self::Small => 32,
            Self::ImageNet => 224,
            Self::Patches { image, .. } => image,
            Self::Vector => 1,
        }
    }

    /// Kernel, stride and padding of its convolution.
    pub(super) fn convolution(self) -> [usize; 3] {
        match self {
            Self::Small => [3, 1, 1],
            Self::ImageNet => [7, 2, 3],
            Self::Patches { patch, .. } => [patch, patch, 0],
            Self::Vector => [1, 1, 0],
        }
    }

    /// Stride of sub-module `j` of sub-network `i`: the first one of each sub-network but the
    /// first halves the resolution.
    pub(super) fn stride(self, i: usize, j: usize) -> usize {
        if self != Self::Vector && i > 0 && j == 0 { 2 } else { 1 }
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

    pub(super) fn stem(&self) -> Result<Stem> {
        Ok(self.seed_network()?.stem)
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

    /// The image as the stem sees it: `[channels, height, width]`.
    pub(crate) fn input(&self, stem: Stem) -> [usize; 3] {
        match stem {
            Stem::Vector => [self.image.iter().product(), 1, 1],
            _ => self.image,
        }
    }

    /// The smallest height or width of which every reduction leaves something to reduce.
    pub(crate) fn smallest_image(&self) -> Result<usize> {
        let halvings = self.depth.sub_networks() - 1;
        Ok(match self.stem()? {
            Stem::Small => 1 << halvings,
            Stem::ImageNet => 1 << (halvings + 2),
            Stem::Patches { patch, .. } => patch << halvings,
            Stem::Vector => 1,
        })
    }

    /// What sub-module `j` of sub-network `i` is built with; where `j` is the depth of the last
    /// one, what closes the network.
    pub(crate) fn builder<'a>(
        &self,
        i: usize,
        j: usize,
        (stem, kind): (Stem, &SubModuleKind),
        rng: &'a mut dyn RngCore,
        device: &'a Device,
    ) -> Builder<'a> {
        let imagenet = stem == Stem::ImageNet;
        Builder {
            channels_in: self.channels(i, j, kind),
            width: self.width << i,
            stride: stem.stride(i, j),
            shortcut: self.shortcut,
            weight_init: if imagenet {
                WeightInit::KaimingNormal
            } else {
                WeightInit::KaimingUniform
            },
            norm_init: match self.compat {
                Compat::Code if !imagenet => NormInit::Uniform,
                _ => NormInit::Ones,
            },
            rng,
            device,
        }
    }
}
