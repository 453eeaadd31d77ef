//! A basic residual block behind a learned switch: one number, 0 to begin with, that multiplies the
//! branch (SkipInit, De and Smith 2020; ReZero, Bachlechner et al. 2021).

use crate::shortcut::{Projection, projection, shortcut};
use autogrow_core::network::{AnySubModule, Builder, Gate, SeedNetwork, SubModule, SubModuleKind};
use autogrow_kernels::{Activation, FeatureMap, Skip};
use burn::module::{Module, Param};
use burn::nn::{BatchNorm, conv::Conv2d};
use burn::tensor::Tensor;

/// `relu(switch * bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))`.
#[derive(Module, Debug)]
pub struct Switched {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    switch: Param<Tensor<1>>,
    shortcut: Option<Projection>,
}

impl Switched {
    /// A block with random weights, switched off.
    pub fn new(builder: &mut Builder<'_>) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        Self {
            conv1: builder.conv([channels_in, width], 3, stride),
            bn1: builder.norm(width),
            conv2: builder.conv([width, width], 3, 1),
            bn2: builder.norm(width),
            switch: Param::from_tensor(Tensor::zeros([1], builder.device)),
            shortcut: projection(builder, width),
        }
    }
}

impl SubModule for Switched {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let map = input.conv(&self.conv1).norm(&self.bn1, Skip::None, Activation::Relu);
        let map = map.conv(&self.conv2).norm(&self.bn2, Skip::None, Activation::Identity);
        let shortcut =
            shortcut(&self.shortcut, &input, map.dims()[1], self.conv1.stride[0]).to_features();
        let branch = map.to_features();
        let switch = branch.parameter(&self.switch, [1, 1, 1, 1]);
        FeatureMap::from_features(((branch * switch).drop_path() + shortcut).relu())
    }

    fn gates(&mut self) -> Vec<Gate<'_>> {
        vec![Gate::from(&mut self.switch)]
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "switched",
        origin: env!("CARGO_PKG_NAME"),
        summary: "basic block behind a learned switch that begins at 0",
        residual: true,
        channels: |width, _| width,
        layers: 2,
        build: |builder| Ok(AnySubModule::new(Switched::new(builder))),
    },
    SeedNetwork {
        name: "switched3resnet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "basic3resnet with switches: 16, 32, 64 channels",
        sub_module: "switched",
        sub_networks: 3,
        width: 16,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
}
