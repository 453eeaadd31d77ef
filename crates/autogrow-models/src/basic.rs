//! The basic residual block: two convolutions and a shortcut around them.

use crate::shortcut::{Projection, projection, skip};
use autogrow_core::network::{AnySubModule, Builder, Gate, SubModule, SubModuleKind};
use autogrow_kernels::{Activation, FeatureMap, Skip};
use burn::module::Module;
use burn::nn::{BatchNorm, conv::Conv2d};

/// `relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))`, as a residual MLP has it, too.
#[derive(Module, Debug)]
pub struct Basic {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    shortcut: Option<Projection>,
}

impl Basic {
    /// A block with random weights; both convolutions are of `kernel` x `kernel`.
    pub fn new(builder: &mut Builder<'_>, kernel: usize) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        Self {
            conv1: builder.conv([channels_in, width], kernel, stride),
            bn1: builder.norm(width),
            conv2: builder.conv([width, width], kernel, 1),
            bn2: builder.norm(width),
            shortcut: projection(builder, width),
        }
    }
}

impl SubModule for Basic {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let map = input.conv(&self.conv1).norm(&self.bn1, Skip::None, Activation::Relu);
        let map = map.conv(&self.conv2);
        let skip = skip(&self.shortcut, &input, map.dims()[1], self.conv1.stride[0]);
        map.norm(&self.bn2, skip, Activation::Relu)
    }

    fn gates(&mut self) -> Vec<Gate<'_>> {
        vec![Gate::from(&mut self.bn2)]
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "basic",
        origin: env!("CARGO_PKG_NAME"),
        summary: "residual block of two 3x3 convolutions",
        residual: true,
        channels: |width, _| width,
        layers: 2,
        build: |builder| Ok(AnySubModule::new(Basic::new(builder, 3))),
    },
}
