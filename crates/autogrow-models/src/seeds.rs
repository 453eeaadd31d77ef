//! The seed networks: Basic3ResNet, Basic4ResNet, Bottleneck4ResNet, Plain3Net and Plain4Net for
//! small images, and those of four sub-networks with the ImageNet stem.

use autogrow_core::network::SeedNetwork;

macro_rules! seeds {
    ($($name:literal, $sub_module:literal, $sub_networks:literal, $width:literal, $stem:literal, $image:literal, $summary:literal;)*) => {
        $(autogrow_core::register! {
            SeedNetwork {
                name: $name,
                origin: env!("CARGO_PKG_NAME"),
                summary: $summary,
                sub_module: $sub_module,
                sub_networks: $sub_networks,
                width: $width,
                stem: $stem,
                head: "linear",
                image: $image,
                recipe: None,
            },
        })*
    };
}

seeds! {
    "basic3resnet", "basic", 3, 16, "small", 32, "the CIFAR ResNet: 16, 32, 64 channels";
    "basic4resnet", "basic", 4, 64, "small", 32, "64 to 512 channels, for small images";
    "bottleneck4resnet", "bottleneck", 4, 64, "small", 32, "256 to 2048 channels, for small images";
    "plain3net", "plain", 3, 16, "small", 32, "basic3resnet without shortcuts";
    "plain4net", "plain", 4, 64, "small", 32, "basic4resnet without shortcuts";
    "basic4resnet-imagenet", "basic", 4, 64, "imagenet", 224, "2-2-2-2 is ResNet-18, 3-4-6-3 ResNet-34";
    "bottleneck4resnet-imagenet", "bottleneck", 4, 64, "imagenet", 224, "3-4-6-3 is ResNet-50";
    "plain4net-imagenet", "plain", 4, 64, "imagenet", 224, "basic4resnet-imagenet without shortcuts";
}
