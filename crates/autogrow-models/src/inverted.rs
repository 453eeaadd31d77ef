//! The inverted residual of MobileNetV2 (Sandler et al. 2018): 1x1 to six times the channels, a 3x3
//! convolution of each channel for itself, 1x1 back, and no ReLU on what is added. A network of
//! such blocks ends with a norm and a ReLU of its own.

use crate::layers::{ClosingBatchNorm, grouped_conv};
use autogrow_core::network::{AnySubModule, Builder, Gate, SeedNetwork, SubModule, SubModuleKind};
use autogrow_kernels::{Activation, FeatureMap, Skip};
use burn::module::Module;
use burn::nn::{BatchNorm, conv::Conv2d};

/// Channels inside for each one outside.
const EXPANSION: usize = 6;

/// `bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x)))))))) + x`; where shape changes, without x.
#[derive(Module, Debug)]
pub struct Inverted {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    conv3: Conv2d,
    bn3: BatchNorm,
    keeps_shape: bool,
}

impl Inverted {
    /// A block with random weights.
    pub fn new(builder: &mut Builder<'_>) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        let inner = channels_in * EXPANSION;
        Self {
            conv1: builder.conv([channels_in, inner], 1, 1),
            bn1: builder.norm(inner),
            conv2: grouped_conv(builder, [inner, inner], 3, stride, inner),
            bn2: builder.norm(inner),
            conv3: builder.conv([inner, width], 1, 1),
            bn3: builder.norm(width),
            keeps_shape: stride == 1 && channels_in == width,
        }
    }
}

impl SubModule for Inverted {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let map = input.conv(&self.conv1).norm(&self.bn1, Skip::None, Activation::Relu);
        let map = map.conv(&self.conv2).norm(&self.bn2, Skip::None, Activation::Relu);
        let skip = if self.keeps_shape { Skip::Identity(input) } else { Skip::None };
        map.conv(&self.conv3).norm(&self.bn3, skip, Activation::Identity)
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
        name: "inverted",
        origin: env!("CARGO_PKG_NAME"),
        summary: "MobileNetV2's inverted residual with a depthwise 3x3 convolution",
        residual: true,
        channels: |width, _| width,
        layers: 3,
        build: |builder| Ok(AnySubModule::new(Inverted::new(builder))),
    },
    SeedNetwork {
        name: "inverted3resnet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "MobileNetV2 for small images: 16, 32, 64 channels",
        sub_module: "inverted",
        sub_networks: 3,
        width: 16,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
    SeedNetwork {
        name: "inverted4resnet-imagenet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "MobileNetV2 for 224x224: 24 to 192 channels",
        sub_module: "inverted",
        sub_networks: 4,
        width: 24,
        stem: "imagenet",
        head: "linear",
        image: 224,
        recipe: None,
    },
}
