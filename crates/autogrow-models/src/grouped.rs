//! The block of ResNeXt (Xie et al. 2017): a bottleneck whose 3x3 convolution works in groups.

use crate::layers::{grouped_conv, on_every_pixel};
use crate::shortcut::{Projection, projection, skip, trace_skip};
use autogrow_core::network::{
    AnySubModule, Builder, Gate, SeedNetwork, Stem, SubModule, SubModuleKind, Traced,
};
use autogrow_kernels::{Activation, FeatureMap, Skip};
use burn::module::Module;
use burn::nn::{BatchNorm, conv::Conv2d};

/// Output channels divided by the width of the sub-network.
const EXPANSION: usize = 4;
/// Groups at most: the 32 of ResNeXt-50.
const CARDINALITY: usize = 32;
/// Channels of a group at least.
const GROUP: usize = 4;

/// `relu(bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x)))))))) + shortcut(x))`; the grouped `conv2` has
/// twice the sub-network's width, as in ResNeXt-50 32x4d.
#[derive(Module, Debug)]
pub struct Grouped {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    conv3: Conv2d,
    bn3: BatchNorm,
    shortcut: Option<Projection>,
}

/// The most groups, up to 32, that share `channels` evenly, at least four each where that can be.
fn groups(channels: usize) -> usize {
    let most = CARDINALITY.min(channels / GROUP);
    (1..=most).rev().find(|groups| channels.is_multiple_of(*groups)).unwrap_or(1)
}

impl Grouped {
    /// A block with random weights.
    pub fn new(builder: &mut Builder<'_>) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        let (inner, channels_out) = (2 * width, width * EXPANSION);
        Self {
            conv1: builder.conv([channels_in, inner], 1, 1),
            bn1: builder.norm(inner),
            conv2: grouped_conv(builder, [inner, inner], 3, stride, groups(inner)),
            bn2: builder.norm(inner),
            conv3: builder.conv([inner, channels_out], 1, 1),
            bn3: builder.norm(channels_out),
            shortcut: projection(builder, channels_out),
        }
    }
}

impl SubModule for Grouped {
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

    fn describe(&self, input: Traced) -> Option<Traced> {
        let map = input.conv("conv1", &self.conv1).batch_norm("bn1", &self.bn1).relu();
        let map = map.conv("conv2", &self.conv2).batch_norm("bn2", &self.bn2).relu();
        let map = map.conv("conv3", &self.conv3).batch_norm("bn3", &self.bn3);
        let skip = trace_skip(&self.shortcut, &input, map.shape()[0], self.conv2.stride[0]);
        Some(map.add(&skip).relu())
    }

    fn macs(&self, before: [usize; 2], after: [usize; 2]) -> u64 {
        let mut reduced = vec![&self.conv2.weight, &self.conv3.weight];
        reduced.extend(self.shortcut.as_ref().map(|(conv, _)| &conv.weight));
        on_every_pixel(&[&self.conv1.weight], before) + on_every_pixel(&reduced, after)
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "grouped",
        origin: env!("CARGO_PKG_NAME"),
        summary: "ResNeXt's bottleneck with a 3x3 convolution in up to 32 groups",
        residual: true,
        channels: |width, _| width * EXPANSION,
        layers: 3,
        build: |builder| Ok(AnySubModule::new(Grouped::new(builder))),
    },
    SeedNetwork {
        name: "grouped3resnet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "ResNeXt for small images: 64, 128, 256 channels",
        sub_module: "grouped",
        sub_networks: 3,
        width: 16,
        stem: Stem::Small,
    },
    SeedNetwork {
        name: "grouped4resnet-imagenet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "3-4-6-3 is ResNeXt-50 32x4d",
        sub_module: "grouped",
        sub_networks: 4,
        width: 64,
        stem: Stem::ImageNet,
    },
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn groups_share_channels_evenly() {
        assert_eq!([128, 1024, 32, 16, 18, 6, 2].map(groups), [32, 32, 8, 4, 3, 1, 1]);
    }
}
