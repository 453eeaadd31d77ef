//! Stems: what comes before the first sub-network, registered by name like what is stacked on it.

use super::{AnySubModule, Builder, SubModule, WeightInit};
use crate::Result;
use autogrow_kernels::{Activation, FeatureMap, Skip};
use burn::module::Module;
use burn::nn::{BatchNorm, PaddingConfig2d, conv::Conv2d};

/// A kind of stem, registered with `inventory`.
#[derive(Debug)]
pub struct StemKind {
    /// Name that [`SeedNetwork`](super::SeedNetwork)s refer to.
    pub name: &'static str,
    /// Crate that registers it: `env!("CARGO_PKG_NAME")`.
    pub origin: &'static str,
    /// One line for `autogrow list`.
    pub summary: &'static str,
    /// Height and width of its input, divided by those of its output.
    pub reduction: usize,
    /// Whether it sees all numbers of an input as channels of one pixel, as of a row of a table.
    /// Sub-networks have nothing to reduce then.
    pub flat: bool,
    /// Whether the network is drawn and named as torchvision's: convolutions from a normal
    /// distribution, all scales of batch norms 1, `downsample` and `fc` in the state dict.
    pub torchvision: bool,
    /// Builds one with random weights, from [`Builder::channels_in`] channels of an image to
    /// [`Builder::width`]. Exports record it from [`SubModule::forward`].
    pub build: fn(&mut Builder<'_>) -> Result<AnySubModule>,
}

crate::kind!(StemKind, "stem", "");

impl StemKind {
    /// Stride of sub-module `j` of sub-network `i`: the first one of each sub-network but the
    /// first halves the resolution.
    pub(super) fn stride(&self, i: usize, j: usize) -> usize {
        if !self.flat && i > 0 && j == 0 { 2 } else { 1 }
    }

    /// `[channels, height, width]` of an image as the stem sees it.
    pub(crate) fn input(&self, image: [usize; 3]) -> [usize; 3] {
        if self.flat { [image.iter().product(), 1, 1] } else { image }
    }

    pub(super) fn weight_init(&self) -> WeightInit {
        if self.torchvision { WeightInit::KaimingNormal } else { WeightInit::KaimingUniform }
    }
}

/// `relu(bn1(conv1(x)))`, and a max pool of 3x3 and stride 2 behind it where there is one.
#[derive(Module, Debug)]
struct Convolution {
    conv1: Conv2d,
    bn1: BatchNorm,
    #[module(skip)]
    pool: bool,
}

impl Convolution {
    fn build(
        builder: &mut Builder<'_>,
        [kernel, stride, padding]: [usize; 3],
        pool: bool,
    ) -> Result<AnySubModule> {
        let width = builder.width;
        let conv1 = builder.conv([builder.channels_in, width], kernel, stride);
        let padding = PaddingConfig2d::Explicit(padding, padding, padding, padding);
        let conv1 = Conv2d { padding, ..conv1 };
        Ok(AnySubModule::new(Self { conv1, bn1: builder.norm(width), pool }))
    }
}

impl SubModule for Convolution {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let map = input.conv(&self.conv1).norm(&self.bn1, Skip::None, Activation::Relu);
        if self.pool { map.max_pool(3, 2, 1) } else { map }
    }
}

macro_rules! patches {
    ($name:literal, $size:literal) => {
        StemKind {
            name: $name,
            origin: env!("CARGO_PKG_NAME"),
            summary: concat!($size, "x", $size, " pixels each become one, or a token"),
            reduction: $size,
            flat: false,
            torchvision: false,
            build: |builder| Convolution::build(builder, [$size, $size, 0], false),
        }
    };
}

crate::register! {
    StemKind {
        name: "small",
        origin: env!("CARGO_PKG_NAME"),
        summary: "3x3 convolution at full resolution, for images of about 32x32",
        reduction: 1,
        flat: false,
        torchvision: false,
        build: |builder| Convolution::build(builder, [3, 1, 1], false),
    },
    StemKind {
        name: "imagenet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "7x7 convolution and 3x3 max pool, each of stride 2, for 224x224",
        reduction: 4,
        flat: false,
        torchvision: true,
        build: |builder| Convolution::build(builder, [7, 2, 3], true),
    },
    patches!("patches4", 4),
    patches!("patches16", 16),
    StemKind {
        name: "flat",
        origin: env!("CARGO_PKG_NAME"),
        summary: "a linear layer on all numbers of an input, for rows of a table",
        reduction: 1,
        flat: true,
        torchvision: false,
        build: |builder| Convolution::build(builder, [1, 1, 0], false),
    },
}
