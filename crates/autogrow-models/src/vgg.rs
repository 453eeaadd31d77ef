//! The layer of VGG (Simonyan and Zisserman 2015) with batch norm: 3x3 convolutions, and a max pool
//! between sub-networks. It has no shortcut, so no initializer preserves the network's function:
//! each growth changes it.

use crate::layers::Unit;
use autogrow_core::network::{AnySubModule, Builder, SeedNetwork, SubModule, SubModuleKind};
use autogrow_kernels::FeatureMap;
use burn::module::Module;

/// `relu(bn(conv(x)))`, where resolution is halved after a max pool. It pools 3x3 pixels, not 2x2,
/// so that sizes which are odd lose no border.
#[derive(Module, Debug)]
pub struct Vgg {
    features: Unit,
    pools: bool,
}

impl Vgg {
    /// A layer with random weights.
    pub fn new(builder: &mut Builder<'_>) -> Self {
        let channels = [builder.channels_in, builder.width];
        Self { features: Unit::new(builder, channels, 3, 1), pools: builder.stride == 2 }
    }
}

impl SubModule for Vgg {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let input = if self.pools { input.max_pool(3, 2, 1) } else { input };
        self.features.forward(&input)
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "vgg",
        origin: env!("CARGO_PKG_NAME"),
        summary: "one 3x3 convolution, max pools between sub-networks, no shortcut",
        residual: false,
        channels: |width, _| width,
        layers: 1,
        build: |builder| Ok(AnySubModule::new(Vgg::new(builder))),
    },
    SeedNetwork {
        name: "vgg3net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "VGG for small images: 16, 32, 64 channels",
        sub_module: "vgg",
        sub_networks: 3,
        width: 16,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
    SeedNetwork {
        name: "vgg5net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "64 to 1024 channels, for 32x32 to 224x224",
        sub_module: "vgg",
        sub_networks: 5,
        width: 64,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
}
