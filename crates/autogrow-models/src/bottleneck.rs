//! The bottleneck residual block: 1x1, 3x3, 1x1 convolutions; the outer ones change the number of
//! channels so that the inner one works on a quarter of them.

use crate::layers::grouped_conv;
use crate::shortcut::{Projection, projection, skip};
use autogrow_core::network::{AnySubModule, Builder, Gate, SubModule, SubModuleKind};
use autogrow_kernels::{Activation, FeatureMap, Skip};
use burn::module::Module;
use burn::nn::{BatchNorm, conv::Conv2d};

/// Output channels divided by the width of the sub-network.
pub(crate) const EXPANSION: usize = 4;

/// `relu(bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x)))))))) + shortcut(x))`, stride on the 3x3
/// convolution as in torchvision.
#[derive(Module, Debug)]
pub struct Bottleneck {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    conv3: Conv2d,
    bn3: BatchNorm,
    shortcut: Option<Projection>,
}

impl Bottleneck {
    /// A block with random weights, whose 3x3 convolution has `inner` channels in `groups`.
    pub fn new(builder: &mut Builder<'_>, inner: usize, groups: usize) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        let channels_out = width * EXPANSION;
        Self {
            conv1: builder.conv([channels_in, inner], 1, 1),
            bn1: builder.norm(inner),
            conv2: grouped_conv(builder, [inner, inner], 3, stride, groups),
            bn2: builder.norm(inner),
            conv3: builder.conv([inner, channels_out], 1, 1),
            bn3: builder.norm(channels_out),
            shortcut: projection(builder, channels_out),
        }
    }
}

impl SubModule for Bottleneck {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let map = input.conv(&self.conv1).norm(&self.bn1, Skip::None, Activation::Relu);
        let map = map.conv(&self.conv2).norm(&self.bn2, Skip::None, Activation::Relu);
        let map = map.conv(&self.conv3);
        let skip = skip(&self.shortcut, &input, map.dims()[1], self.conv2.stride[0]);
        map.norm(&self.bn3, skip, Activation::Relu)
    }

    fn gates(&mut self) -> Vec<Gate<'_>> {
        vec![Gate::from(&mut self.bn3)]
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "bottleneck",
        origin: env!("CARGO_PKG_NAME"),
        summary: "residual block of 1x1, 3x3 and 1x1 convolutions, 4 times as wide outside",
        residual: true,
        channels: |width, _| width * EXPANSION,
        layers: 3,
        build: |builder| {
            let width = builder.width;
            Ok(AnySubModule::new(Bottleneck::new(builder, width, 1)))
        },
    },
}
