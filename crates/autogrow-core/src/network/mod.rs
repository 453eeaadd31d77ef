//! Networks that grow: a stem, sub-networks that are stacks of sub-modules, a pooled linear head.

mod blueprint;
mod describe;
mod erased;
pub mod floats;
pub mod graph;
mod identity;
mod model_info;
mod names;
mod plausible;
mod shapes;
mod state_dict;
mod sub_module;
mod traced;
mod trainable;
mod weight_format;

use crate::growth::Depth;
use crate::{Error, Result};
use autogrow_kernels::{Activation, FeatureMap, Skip, linear, out_size};
pub use blueprint::{Blueprint, SeedNetwork, Stem};
use burn::module::Module;
use burn::nn::{BatchNorm, Linear, conv::Conv2d};
use burn::tensor::{Device, Tensor};
pub use erased::AnySubModule;
pub use graph::Graph;
pub(crate) use identity::{identities, with_identities};
pub use model_info::ModelInfo;
use rand::RngCore;
pub use state_dict::{StateDict, TensorEntry, is_counter};
pub use sub_module::{Builder, NormInit, SubModule, SubModuleKind, WeightInit};
pub use traced::Traced;
pub use trainable::{train_only, trainable_ids};
pub use weight_format::WeightFormat;

/// A network of `sub_networks.len()` sub-networks; see [`Blueprint`] for what it is built from.
#[derive(Module, Debug)]
pub struct Network {
    #[module(skip)]
    blueprint: Blueprint,
    conv1: Conv2d,
    bn1: BatchNorm,
    layer: Vec<Vec<AnySubModule>>,
    linear: Linear,
}

impl Network {
    /// Builds the network that `blueprint` describes, with random weights drawn from `rng` in the
    /// order stem, sub-modules, head. On an autodiff device it can be trained.
    ///
    /// # Errors
    /// [`Error::Unknown`] where a name is not registered; [`Error::Config`] where the image is too
    /// small for the network.
    pub fn new(blueprint: Blueprint, rng: &mut dyn RngCore, device: &Device) -> Result<Self> {
        let kind = blueprint.seed_network()?.sub_module_kind()?;
        blueprint.check_image()?;
        let width = blueprint.width;
        let (kernel, stride) = blueprint.stem()?.convolution();
        let mut builder = blueprint.builder(0, 0, kind, rng, device);
        let conv1 = builder.conv([blueprint.image[0], width], kernel, stride);
        let bn1 = builder.norm(width);
        let mut layer = Vec::new();
        for (i, &count) in blueprint.depth.as_slice().iter().enumerate() {
            let mut sub_modules = Vec::new();
            for j in 0..count {
                let mut builder = blueprint.builder(i, j, kind, rng, device);
                sub_modules.push((kind.build)(&mut builder)?);
            }
            layer.push(sub_modules);
        }
        let features = blueprint.channels(blueprint.depth.sub_networks() - 1, kind);
        let linear = linear([features, blueprint.classes], rng, device);
        Ok(Self { blueprint, conv1, bn1, layer, linear })
    }

    /// What the network is built from, at its present depth.
    pub fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// The present depth.
    pub fn depth(&self) -> &Depth {
        &self.blueprint.depth
    }

    /// Class scores `[batch, classes]` of normalised images `[batch, channels, height, width]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut map = FeatureMap::from_nchw(images).conv(&self.conv1).norm(
            &self.bn1,
            Skip::None,
            Activation::Relu,
        );
        if self.conv1.kernel_size[0] == 7 {
            map = map.max_pool(3, 2, 1);
        }
        for sub_module in self.layer.iter().flatten() {
            map = sub_module.forward(map);
        }
        self.linear.forward(map.global_average())
    }

    /// Stacks one sub-module with default random weights on a sub-network (counted from 0). Every
    /// other parameter is left as it is, the same tensor under the same id, so an optimiser keeps
    /// its momentum.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn stack(
        &mut self,
        sub_network: usize,
        rng: &mut dyn RngCore,
        device: &Device,
    ) -> Result<()> {
        let kind = self.blueprint.seed_network()?.sub_module_kind()?;
        let above = self.layer[sub_network].len();
        let mut builder = self.blueprint.builder(sub_network, above, kind, rng, device);
        self.layer[sub_network].push((kind.build)(&mut builder)?);
        self.blueprint.depth.stack(sub_network);
        Ok(())
    }

    /// The batch norm that an initializer acts on: the last one of the sub-module on top of a
    /// sub-network. None for plain sub-modules.
    pub fn last_norm(&mut self, sub_network: usize) -> Option<&mut BatchNorm> {
        self.layer[sub_network].last_mut()?.last_norm()
    }

    /// Number of trainable parameters.
    pub fn parameters(&self) -> usize {
        trainable::count(self)
    }

    /// Multiply-accumulate operations of one image's forward pass, convolutions and the linear
    /// layer.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn macs(&self) -> Result<u64> {
        let stem = self.blueprint.stem()?;
        let [mut height, mut width] = [self.blueprint.image[1], self.blueprint.image[2]];
        let (kernel, stride) = stem.convolution();
        let mut halve = |kernel, stride, padding| {
            height = out_size(height, kernel, stride, padding);
            width = out_size(width, kernel, stride, padding);
            [height, width]
        };
        let [h, w] = halve(kernel, stride, kernel / 2);
        let mut macs = (self.conv1.weight.shape().num_elements() * h * w) as u64;
        if stem == Stem::ImageNet {
            halve(3, 2, 1);
        }
        for (i, sub_network) in self.layer.iter().enumerate() {
            for (j, sub_module) in sub_network.iter().enumerate() {
                let stride = self.blueprint.stride(i, j);
                let before = halve(1, 1, 0);
                let after = halve(1, stride, 0);
                macs += sub_module.macs(before, after);
            }
        }
        Ok(macs + self.linear.weight.shape().num_elements() as u64)
    }
}

impl Blueprint {
    fn check_image(&self) -> Result<()> {
        let [channels, height, width] = self.image;
        let smallest = self.smallest_image()?;
        if channels == 0 || height < smallest || width < smallest {
            return Err(Error::config(
                "network.name",
                format!(
                    "= {} needs images of at least {smallest}x{smallest} pixels, the data set has \
                     {height}x{width}",
                    self.network
                ),
            )
            .with_hint("choose a network with fewer sub-networks, or one without `-imagenet`"));
        }
        Ok(())
    }
}
