//! The block of ResNeXt (Xie et al. 2017): a bottleneck whose 3x3 convolution works in groups.

use crate::bottleneck::{Bottleneck, EXPANSION};
use autogrow_core::network::{AnySubModule, SeedNetwork, SubModuleKind};

/// Groups at most: the 32 of ResNeXt-50.
const CARDINALITY: usize = 32;
/// Channels of a group at least.
const GROUP: usize = 4;

/// The most groups, up to 32, that share `channels` evenly, at least four each where that can be.
fn groups(channels: usize) -> usize {
    let most = CARDINALITY.min(channels / GROUP);
    (1..=most).rev().find(|groups| channels.is_multiple_of(*groups)).unwrap_or(1)
}

autogrow_core::register! {
    SubModuleKind {
        name: "grouped",
        origin: env!("CARGO_PKG_NAME"),
        summary: "ResNeXt's bottleneck with a 3x3 convolution in up to 32 groups",
        residual: true,
        channels: |width, _| width * EXPANSION,
        layers: 3,
        // Twice the sub-network's width, as in ResNeXt-50 32x4d.
        build: |builder| {
            let inner = 2 * builder.width;
            Ok(AnySubModule::new(Bottleneck::new(builder, inner, groups(inner))))
        },
    },
    SeedNetwork {
        name: "grouped3resnet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "ResNeXt for small images: 64, 128, 256 channels",
        sub_module: "grouped",
        sub_networks: 3,
        width: 16,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
    SeedNetwork {
        name: "grouped4resnet-imagenet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "3-4-6-3 is ResNeXt-50 32x4d",
        sub_module: "grouped",
        sub_networks: 4,
        width: 64,
        stem: "imagenet",
        head: "linear",
        image: 224,
        recipe: None,
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
