//! Stems and heads of other crates: registered like those that are built in, and held to the same.

use autogrow_core::config::{Compat, Shortcut};
use autogrow_core::growth::Depth;
use autogrow_core::network::{
    AnyHead, AnySubModule, Blueprint, Builder, HeadKind, Network, SeedNetwork, StateDict, StemKind,
    SubModule,
};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::testing::conform;
use autogrow_kernels::{Activation, FeatureMap, Features, Skip, with_bias};
use autogrow_models as _;
use burn::module::Module;
use burn::nn::{BatchNorm, conv::Conv2d};
use burn::tensor::{Device, Tensor};

/// Two convolutions, of which the first halves the image.
#[derive(Module, Debug)]
struct Twice {
    first: Conv2d,
    bn1: BatchNorm,
    second: Conv2d,
    bn2: BatchNorm,
}

impl SubModule for Twice {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let map = input.conv(&self.first).norm(&self.bn1, Skip::None, Activation::Relu);
        map.conv(&self.second).norm(&self.bn2, Skip::None, Activation::Relu)
    }
}

/// A map of scores for each class, and its mean (Lin, Chen, Yan; 2014).
#[derive(Module, Debug)]
struct ClassMaps {
    conv: Conv2d,
}

impl SubModule<Features<2>> for ClassMaps {
    fn forward(&self, input: FeatureMap) -> Features<2> {
        input.conv(&self.conv).act(Activation::Relu).global_average()
    }
}

fn twice(builder: &mut Builder<'_>) -> Twice {
    let (channels_in, width) = (builder.channels_in, builder.width);
    Twice {
        first: builder.conv([channels_in, width], 3, 2),
        bn1: builder.norm(width),
        second: builder.conv([width, width], 3, 1),
        bn2: builder.norm(width),
    }
}

autogrow_core::register! {
    StemKind {
        name: "twice",
        origin: env!("CARGO_PKG_NAME"),
        summary: "two convolutions, of which the first halves the image",
        reduction: 2,
        flat: false,
        torchvision: false,
        build: |builder| Ok(AnySubModule::new(twice(builder))),
    },
    HeadKind {
        name: "class-maps",
        origin: env!("CARGO_PKG_NAME"),
        summary: "a map of scores for each class, and its mean",
        build: |builder| {
            let conv = builder.conv([builder.channels_in, builder.width], 1, 1);
            Ok(AnyHead::new(ClassMaps { conv: with_bias(conv, builder.rng) }))
        },
    },
    SeedNetwork {
        name: "twice2net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "residual blocks between another stem and another head",
        sub_module: "basic",
        sub_networks: 2,
        width: 8,
        stem: "twice",
        head: "class-maps",
        image: 32,
        recipe: None,
    },
    SeedNetwork {
        name: "nostem2net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "names a stem that no crate registers",
        sub_module: "basic",
        sub_networks: 2,
        width: 8,
        stem: "thrice",
        head: "class-maps",
        image: 32,
        recipe: None,
    },
}

fn build(network: &str, image: [usize; 3]) -> autogrow_core::Result<Network> {
    let blueprint = Blueprint {
        network: network.into(),
        depth: Depth::uniform(2, 1),
        width: 8,
        image,
        classes: 5,
        shortcut: Shortcut::Projection,
        compat: Compat::Paper,
    };
    Network::new(blueprint, &mut generator(7, Purpose::Seed, 0), &Device::flex())
}

#[test]
fn a_network_with_a_stem_and_a_head_of_its_own_conforms() {
    conform("twice2net", &Device::flex()).unwrap();
}

#[test]
fn their_parameters_are_the_networks_own() {
    let network = build("twice2net", [3, 12, 16]).unwrap();
    let scores = network.forward(Tensor::zeros([2, 3, 12, 16], &Device::flex()));
    assert_eq!(scores.dims(), [2, 5]);
    let state = StateDict::of(&network).unwrap();
    let outside: Vec<_> = state.0.keys().filter(|name| !name.starts_with("layer")).collect();
    let expected = ["bn1.bias", "bn1.running_mean", "bn1.running_var", "bn1.weight"];
    assert_eq!(outside[..4], expected);
    assert_eq!(outside[8..], ["conv.bias", "conv.weight", "first.weight", "second.weight"]);
    assert_eq!(state.0["conv.weight"].shape, [5, 16, 1, 1]);
}

#[test]
fn images_have_to_survive_the_stem() {
    let error = build("twice2net", [3, 3, 16]).unwrap_err();
    assert!(error.to_string().contains("needs images of at least 4x4 pixels"), "{error}");
}

#[test]
fn an_unknown_stem_is_named() {
    let error = build("nostem2net", [3, 12, 16]).unwrap_err();
    assert!(error.to_string().contains("`thrice`"), "{error}");
    assert!(error.hint().unwrap().contains("twice"), "{error}");
}
