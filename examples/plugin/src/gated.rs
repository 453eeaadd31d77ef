//! A sub-module: a residual block that weighs its channels, with the gate of
//! Squeeze-and-Excitation (Hu et al. 2018) between its two convolutions.

use autogrow_core::network::{AnySubModule, Builder, Gate, SeedNetwork, SubModule, SubModuleKind};
use autogrow_kernels::{Activation, FeatureMap, Skip, linear};
use burn::module::Module;
use burn::nn::{BatchNorm, Linear, conv::Conv2d};

/// Channels for each number that they are squeezed into.
const REDUCTION: usize = 4;

/// `relu(bn2(conv2(weigh(relu(bn1(conv1(x)))))) + x)`; where the shape changes, every second pixel
/// of x stands for x, with channels of zeros beside its own.
#[derive(Module, Debug)]
pub struct Gated {
    conv1: Conv2d,
    bn1: BatchNorm,
    weigh: Weigh,
    conv2: Conv2d,
    bn2: BatchNorm,
}

/// Multiplies each channel by a number between 0 and 1 that depends on the means of all channels.
#[derive(Module, Debug)]
struct Weigh {
    squeeze: Linear,
    excite: Linear,
}

impl Gated {
    /// A block with random weights.
    pub fn new(builder: &mut Builder<'_>) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        Self {
            conv1: builder.conv([channels_in, width], 3, stride),
            bn1: builder.norm(width),
            weigh: Weigh::new(width, builder),
            conv2: builder.conv([width, width], 3, 1),
            bn2: builder.norm(width),
        }
    }
}

impl Weigh {
    fn new(channels: usize, builder: &mut Builder<'_>) -> Self {
        let squeezed = channels.div_ceil(REDUCTION);
        Self {
            squeeze: linear([channels, squeezed], builder.rng, builder.device),
            excite: linear([squeezed, channels], builder.rng, builder.device),
        }
    }

    /// Keeps the shape.
    fn forward(&self, map: FeatureMap) -> FeatureMap {
        let [batch, channels, ..] = map.dims();
        let squeezed = map.global_average().linear(&self.squeeze).relu();
        let weights = squeezed.linear(&self.excite).sigmoid();
        let weighed = map.to_features() * weights.reshape([batch, channels, 1, 1]);
        FeatureMap::from_features(weighed)
    }
}

impl SubModule for Gated {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let map = input.conv(&self.conv1).norm(&self.bn1, Skip::None, Activation::Relu);
        let map = self.weigh.forward(map).conv(&self.conv2);
        let shortcut = input.subsample_and_pad(self.conv1.stride[0], map.dims()[1]);
        map.norm(&self.bn2, Skip::Identity(shortcut), Activation::Relu)
    }

    // With scale and shift 0 the branch adds nothing: ZeroInit preserves the network's function.
    fn gates(&mut self) -> Vec<Gate<'_>> {
        vec![Gate::from(&mut self.bn2)]
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "gated",
        origin: env!("CARGO_PKG_NAME"),
        summary: "residual block that weighs its channels inside",
        residual: true,
        channels: |width, _| width,
        layers: 2,
        build: |builder| Ok(AnySubModule::new(Gated::new(builder))),
    },
    SeedNetwork {
        name: "gated3net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "basic3resnet with weighed channels: 16, 32, 64",
        sub_module: "gated",
        sub_networks: 3,
        width: 16,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
}
