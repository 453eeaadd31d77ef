//! What the tests that cross crates share, and plugins that come through the same door as any
//! user's. The first is a pre-activation-free residual block of one convolution, `tiny`, as `tiny2net`.

pub mod medley;
pub mod program;

use autogrow_core::network::{AnySubModule, Builder, Gate, SeedNetwork, SubModule, SubModuleKind};
use autogrow_kernels::{Activation, FeatureMap, Skip};
use burn::module::Module;
use burn::nn::{BatchNorm, conv::Conv2d};

/// `relu(bn(conv(x)) + x)`, where shape changes without the shortcut; computed on plain NCHW
/// tensors for a part, as a plugin may.
#[derive(Module, Debug)]
pub struct Tiny {
    conv: Conv2d,
    bn: BatchNorm,
    keeps_shape: bool,
}

impl Tiny {
    fn new(builder: &mut Builder<'_>) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        Self {
            conv: builder.conv([channels_in, width], 3, stride),
            bn: builder.norm(width),
            keeps_shape: stride == 1 && channels_in == width,
        }
    }
}

impl SubModule for Tiny {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let skip = if self.keeps_shape {
            Skip::Identity(FeatureMap::from_nchw(input.to_nchw()))
        } else {
            Skip::None
        };
        input.conv(&self.conv).norm(&self.bn, skip, Activation::Relu)
    }

    fn gates(&mut self) -> Vec<Gate<'_>> {
        vec![Gate::from(&mut self.bn)]
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "tiny",
        origin: env!("CARGO_PKG_NAME"),
        summary: "one convolution with a shortcut",
        residual: true,
        channels: |width, _| width,
        layers: 1,
        build: |builder| Ok(AnySubModule::new(Tiny::new(builder))),
    },
    SeedNetwork {
        name: "tiny2net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "two sub-networks of tiny sub-modules",
        sub_module: "tiny",
        sub_networks: 2,
        width: 8,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
}
