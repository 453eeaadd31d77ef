//! The pre-activation residual block (He et al. 2016, *Identity mappings*), with the batch norm at
//! the end of the branch that PyramidNet adds (Han et al. 2017): initializers act on it, as
//! nothing else closes the branch. What is added is never rectified, so a network of such blocks
//! ends with a norm and a ReLU of its own.

use crate::layers::ClosingBatchNorm;
use crate::shortcut::{Projection, projection, skip};
use autogrow_core::network::{AnySubModule, Builder, Gate, SeedNetwork, SubModule, SubModuleKind};
use autogrow_kernels::{Activation, FeatureMap, Skip};
use burn::module::Module;
use burn::nn::{BatchNorm, conv::Conv2d};

/// `bn3(conv2(relu(bn2(conv1(relu(bn1(x))))))) + shortcut(x)`; a projecting shortcut begins behind
/// the first ReLU.
#[derive(Module, Debug)]
pub struct PreActivation {
    bn1: BatchNorm,
    conv1: Conv2d,
    bn2: BatchNorm,
    conv2: Conv2d,
    bn3: BatchNorm,
    shortcut: Option<Projection>,
}

impl PreActivation {
    /// A block with random weights.
    pub fn new(builder: &mut Builder<'_>) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        Self {
            bn1: builder.norm(channels_in),
            conv1: builder.conv([channels_in, width], 3, stride),
            bn2: builder.norm(width),
            conv2: builder.conv([width, width], 3, 1),
            bn3: builder.norm(width),
            shortcut: projection(builder, width),
        }
    }
}

impl SubModule for PreActivation {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let active = input.norm(&self.bn1, Activation::Relu);
        let map = active.conv(&self.conv1).norm(&self.bn2, Skip::None, Activation::Relu);
        let map = map.conv(&self.conv2);
        let from = if self.shortcut.is_some() { &active } else { &input };
        let skip = skip(&self.shortcut, from, map.dims()[1], self.conv1.stride[0]);
        map.norm(&self.bn3, skip, Activation::Identity)
    }

    fn gates(&mut self) -> Vec<Gate<'_>> {
        vec![Gate::from(&mut self.bn3)]
    }

    fn closing(&self, builder: &mut Builder<'_>) -> Option<AnySubModule> {
        ClosingBatchNorm::of(builder)
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "preact",
        origin: env!("CARGO_PKG_NAME"),
        summary: "residual block of two 3x3 convolutions, norm and ReLU before each",
        residual: true,
        channels: |width, _| width,
        layers: 2,
        build: |builder| Ok(AnySubModule::new(PreActivation::new(builder))),
    },
    SeedNetwork {
        name: "preact3resnet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "basic3resnet with pre-activation: 16, 32, 64 channels",
        sub_module: "preact",
        sub_networks: 3,
        width: 16,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
}
