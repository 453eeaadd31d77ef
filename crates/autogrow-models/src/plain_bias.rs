//! The plain sub-module without batch norm, one convolution with a bias: one of the layers that the
//! authors' released code grows. Nothing closes a branch here, so no initializer preserves the
//! network's function: each growth changes it.

use autogrow_core::network::{AnySubModule, Builder, SeedNetwork, SubModule, SubModuleKind};
use autogrow_kernels::{Activation, FeatureMap, with_bias};
use burn::module::Module;
use burn::nn::conv::Conv2d;

/// `relu(conv1(x))`, with a bias.
#[derive(Module, Debug)]
pub struct PlainBias {
    conv1: Conv2d,
}

impl PlainBias {
    /// A layer with random weights.
    pub fn new(builder: &mut Builder<'_>) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        let conv1 = builder.conv([channels_in, width], 3, stride);
        Self { conv1: with_bias(conv1, builder.rng) }
    }
}

impl SubModule for PlainBias {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        input.conv(&self.conv1).act(Activation::Relu)
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "plain-bias",
        origin: env!("CARGO_PKG_NAME"),
        summary: "one 3x3 convolution with bias, no batch norm, no shortcut",
        residual: false,
        channels: |width, _| width,
        layers: 1,
        build: |builder| Ok(AnySubModule::new(PlainBias::new(builder))),
    },
    SeedNetwork {
        name: "plainbias3net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "plain3net without batch norms in its sub-networks",
        sub_module: "plain-bias",
        sub_networks: 3,
        width: 16,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
}
