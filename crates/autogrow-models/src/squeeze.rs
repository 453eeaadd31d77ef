//! The basic block of SE-ResNet: Squeeze-and-Excitation (Hu et al. 2018) weighs the channels of the
//! residual branch by what the whole image shows.

use crate::shortcut::{Projection, projection, shortcut};
use autogrow_core::network::{AnySubModule, Builder, Gate, SeedNetwork, SubModule, SubModuleKind};
use autogrow_kernels::{Activation, FeatureMap, Features, Skip, linear};
use burn::module::Module;
use burn::nn::{BatchNorm, Linear, conv::Conv2d};

/// Channels for each number that they are squeezed into.
const REDUCTION: usize = 16;

/// `relu(se(bn2(conv2(relu(bn1(conv1(x)))))) + shortcut(x))`.
#[derive(Module, Debug)]
pub struct Squeeze {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    se: Excitation,
    shortcut: Option<Projection>,
}

/// A number between 0 and 1 for each channel, from the means of all channels.
#[derive(Module, Debug)]
struct Excitation {
    fc1: Linear,
    fc2: Linear,
}

impl Excitation {
    fn new(builder: &mut Builder<'_>, channels: usize) -> Self {
        let squeezed = channels.div_ceil(REDUCTION);
        Self {
            fc1: linear([channels, squeezed], builder.rng, builder.device),
            fc2: linear([squeezed, channels], builder.rng, builder.device),
        }
    }

    fn forward(&self, map: &FeatureMap) -> Features<4> {
        let [batch, channels, ..] = map.dims();
        let squeezed = map.global_average().linear(&self.fc1).relu();
        let weights = squeezed.linear(&self.fc2).sigmoid();
        map.to_features() * weights.reshape([batch, channels, 1, 1])
    }
}

impl Squeeze {
    /// A block with random weights.
    pub fn new(builder: &mut Builder<'_>) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        Self {
            conv1: builder.conv([channels_in, width], 3, stride),
            bn1: builder.norm(width),
            conv2: builder.conv([width, width], 3, 1),
            bn2: builder.norm(width),
            se: Excitation::new(builder, width),
            shortcut: projection(builder, width),
        }
    }
}

impl SubModule for Squeeze {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let map = input.conv(&self.conv1).norm(&self.bn1, Skip::None, Activation::Relu);
        let map = map.conv(&self.conv2).norm(&self.bn2, Skip::None, Activation::Identity);
        let shortcut = shortcut(&self.shortcut, &input, map.dims()[1], self.conv1.stride[0]);
        FeatureMap::from_features(
            (self.se.forward(&map).drop_path() + shortcut.to_features()).relu(),
        )
    }

    fn gates(&mut self) -> Vec<Gate<'_>> {
        vec![Gate::from(&mut self.bn2)]
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "squeeze",
        origin: env!("CARGO_PKG_NAME"),
        summary: "basic block whose branch goes through squeeze-and-excitation",
        residual: true,
        channels: |width, _| width,
        layers: 2,
        build: |builder| Ok(AnySubModule::new(Squeeze::new(builder))),
    },
    SeedNetwork {
        name: "squeeze3resnet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "SE-ResNet for small images: 16, 32, 64 channels",
        sub_module: "squeeze",
        sub_networks: 3,
        width: 16,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
    SeedNetwork {
        name: "squeeze4resnet-imagenet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "2-2-2-2 is SE-ResNet-18, 3-4-6-3 SE-ResNet-34",
        sub_module: "squeeze",
        sub_networks: 4,
        width: 64,
        stem: "imagenet",
        head: "linear",
        image: 224,
        recipe: None,
    },
}
