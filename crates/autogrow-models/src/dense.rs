//! The layer of DenseNet (Huang et al. 2017): it adds channels and leaves those that it reads as
//! they are. A sub-network's channels so grow with its depth, and what follows, the next
//! sub-network's transition or the classifier, reads the new ones by weights of their own. ZeroInit
//! sets those to 0, which preserves the network's function.
//!
//! Each sub-network begins with `width` channels, to which a layer adds half as many: a growth rate
//! that doubles with the width, as in CondenseNet (Huang et al. 2018).

use crate::layers::ClosingBatchNorm;
use autogrow_core::network::{AnySubModule, Builder, SeedNetwork, SubModule, SubModuleKind};
use autogrow_kernels::{Activation, FeatureMap};
use burn::module::Module;
use burn::nn::{BatchNorm, conv::Conv2d};

/// x and `conv1(relu(bn1(x)))`, side by side; of the first layer behind a reduction, x is what
/// the transition gives.
#[derive(Module, Debug)]
pub struct Dense {
    transition: Option<Transition>,
    bn1: BatchNorm,
    conv1: Conv2d,
}

/// `conv(mean of 2x2 pixels(relu(bn(x))))`. DenseNet takes the mean last; as both are linear, the
/// function is the same and the convolution a quarter of the work.
#[derive(Module, Debug)]
struct Transition {
    bn: BatchNorm,
    conv: Conv2d,
}

/// Channels that a layer adds.
fn growth_rate(width: usize) -> usize {
    width.div_ceil(2)
}

impl Dense {
    /// A layer with random weights.
    pub fn new(builder: &mut Builder<'_>) -> Self {
        let (width, reduces) = (builder.width, builder.stride == 2);
        let transition = reduces.then(|| Transition {
            bn: builder.norm(builder.channels_in),
            conv: builder.conv([builder.channels_in, width], 1, 1),
        });
        let channels_in = if reduces { width } else { builder.channels_in };
        Self {
            transition,
            bn1: builder.norm(channels_in),
            conv1: builder.conv([channels_in, growth_rate(width)], 3, 1),
        }
    }
}

impl Transition {
    fn forward(&self, input: &FeatureMap) -> FeatureMap {
        let pooled = input.norm(&self.bn, Activation::Relu).average_pool(2);
        pooled.conv(&self.conv).act(Activation::Identity)
    }
}

impl SubModule for Dense {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let input = match &self.transition {
            Some(transition) => transition.forward(&input),
            None => input,
        };
        let active = input.norm(&self.bn1, Activation::Relu);
        let new = active.conv(&self.conv1).act(Activation::Identity);
        FeatureMap::concat(&[input, new])
    }

    fn closing(&self, builder: &mut Builder<'_>) -> Option<AnySubModule> {
        ClosingBatchNorm::of(builder)
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "dense",
        origin: env!("CARGO_PKG_NAME"),
        summary: "DenseNet's 3x3 convolution, which adds channels; transitions between sub-networks",
        residual: true,
        channels: |width, depth| width + depth * growth_rate(width),
        layers: 1,
        build: |builder| Ok(AnySubModule::new(Dense::new(builder))),
    },
    SeedNetwork {
        name: "dense3net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "DenseNet for small images, growth rates 8, 16, 32",
        sub_module: "dense",
        sub_networks: 3,
        width: 16,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
    SeedNetwork {
        name: "dense4net-imagenet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "DenseNet for 224x224, growth rates 16 to 128",
        sub_module: "dense",
        sub_networks: 4,
        width: 32,
        stem: "imagenet",
        head: "linear",
        image: 224,
        recipe: None,
    },
}
