//! The plain sub-module: one 3x3 convolution without a shortcut.

use autogrow_core::network::{AnySubModule, Builder, SubModule, SubModuleKind};
use autogrow_kernels::{Activation, FeatureMap, Skip};
use burn::module::Module;
use burn::nn::{BatchNorm, conv::Conv2d};

/// `relu(bn1(conv1(x)))`.
#[derive(Module, Debug)]
pub struct Plain {
    conv1: Conv2d,
    bn1: BatchNorm,
}

impl Plain {
    /// A layer with random weights.
    pub fn new(builder: &mut Builder<'_>) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        Self { conv1: builder.conv([channels_in, width], 3, stride), bn1: builder.norm(width) }
    }
}

impl SubModule for Plain {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        input.conv(&self.conv1).norm(&self.bn1, Skip::None, Activation::Relu)
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "plain",
        origin: env!("CARGO_PKG_NAME"),
        summary: "one 3x3 convolution, no shortcut; initializers leave it alone",
        residual: false,
        channels: |width, _| width,
        layers: 1,
        build: |builder| Ok(AnySubModule::new(Plain::new(builder))),
    },
}
