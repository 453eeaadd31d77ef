//! Graphs are recorded from the forward pass, and operations are counted on them. That a graph
//! computes what its network does is in the conformance kit: `families.rs`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::config::{Compat, Shortcut};
use autogrow_core::growth::Depth;
use autogrow_core::network::{
    AnySubModule, Blueprint, Builder, Network, SeedNetwork, SubModule, SubModuleKind,
};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::registry;
use autogrow_core::testing::conform;
use autogrow_kernels::{Activation, FeatureMap, with_bias};
use autogrow_models as _;
use autogrow_tests as _;
use burn::module::Module;
use burn::nn::{PaddingConfig2d, conv::Conv2d};
use burn::tensor::Device;
use burn::tensor::activation::relu;
use std::collections::BTreeSet;

/// Multiply-accumulate operations for 10 classes, with one and with two sub-modules in each
/// sub-network, at the network's own width and image size: from formulas that each sub-module had
/// of its own before operations were counted on graphs.
const MACS: &[(&str, u64, u64)] = &[
    ("basic3resnet", 12_501_632, 26_657_408),
    ("basic4resnet", 253_432_832, 555_422_720),
    ("basic4resnet-imagenet", 888_722_432, 1_813_566_464),
    ("bottleneck4resnet", 442_191_872, 727_404_544),
    ("bottleneck4resnet-imagenet", 1_466_765_312, 2_340_229_120),
    ("convnext3net", 38_298_880, 66_274_560),
    ("convnext4net-imagenet", 1_357_130_496, 2_309_634_048),
    ("dense3net", 4_375_488, 9_815_296),
    ("dense4net-imagenet", 124_038_912, 213_152_768),
    ("encoder1net", 3_867_264, 7_537_280),
    ("encoder1net-imagenet", 434_126_592, 810_446_592),
    ("grouped3resnet", 22_956_544, 37_603_840),
    ("grouped4resnet-imagenet", 1_588_793_344, 2_468_679_680),
    ("inception3net", 8_512_768, 16_991_488),
    ("inception3net-imagenet", 1_966_909_440, 3_628_738_560),
    ("inverted3resnet", 9_523_840, 20_509_312),
    ("inverted4resnet-imagenet", 120_546_624, 214_871_232),
    ("mlp1net", 9_024, 17_216),
    ("plain3net", 5_161_600, 12_239_488),
    ("plain4net", 96_146_432, 247_141_376),
    ("plain4net-imagenet", 407_032_832, 869_454_848),
    ("plainbias3net", 5_161_600, 12_239_488),
    ("preact3resnet", 12_501_632, 26_657_408),
    ("squeeze3resnet", 12_502_304, 26_658_752),
    ("squeeze4resnet-imagenet", 888_765_952, 1_813_653_504),
    ("switched3resnet", 12_501_632, 26_657_408),
    ("tiny2net", 1_106_080, 2_285_728),
    ("vgg3net", 5_161_600, 12_239_488),
    ("vgg5net", 115_025_920, 303_769_600),
];

fn network(name: &str, depth: usize) -> Network {
    let seed = registry::find::<SeedNetwork>(name).unwrap();
    let size = seed.image;
    let blueprint = Blueprint {
        network: name.into(),
        depth: Depth::uniform(seed.sub_networks, depth),
        width: seed.width,
        image: [3, size, size],
        classes: 10,
        shortcut: Shortcut::Projection,
        compat: Compat::Paper,
    };
    Network::new(blueprint, &mut generator(7, Purpose::Seed, 0), &Device::flex()).unwrap()
}

#[test]
fn operations_are_counted() {
    for &(name, one, two) in MACS {
        let count = |depth| network(name, depth).macs().unwrap();
        assert_eq!((count(1), count(2)), (one, two), "{name}");
    }
    let counted: BTreeSet<_> = MACS.iter().map(|&(name, ..)| name).collect();
    let seeds = registry::all::<SeedNetwork>().unwrap();
    let built_in = seeds.iter().filter(|seed| seed.origin == "autogrow-models");
    assert!(built_in.map(|seed| seed.name).all(|name| counted.contains(name)));
}

/// What goes through plain tensors is not known: the convolutions of such a sub-module are counted
/// as if each worked on every pixel of the output.
#[test]
fn a_sub_module_without_a_graph_is_told() {
    let network = network("tiny2net", 1);
    let error = network.graph().unwrap_err();
    assert!(error.to_string().contains("layer1.0 (`tiny`) has no graph: it computes with plain"));
    assert!(error.hint().unwrap().contains("safetensors"), "{error}");
    assert_eq!(error.exit_code(), 2);
    let stem = 3 * 8 * 9 * 32 * 32;
    let blocks = 8 * 8 * 9 * 32 * 32 + 8 * 16 * 9 * 16 * 16;
    assert_eq!(network.macs().unwrap(), stem + blocks + 16 * 10);
}

/// `relu(conv(x))` on plain tensors, and what is said of it.
#[derive(Module, Debug)]
struct Said {
    conv: Conv2d,
    #[module(skip)]
    said: fn(&Conv2d, FeatureMap) -> FeatureMap,
}

impl Said {
    fn build(
        builder: &mut Builder<'_>,
        said: fn(&Conv2d, FeatureMap) -> FeatureMap,
    ) -> autogrow_core::Result<AnySubModule> {
        let conv = builder.conv([builder.channels_in, builder.width], 3, builder.stride);
        Ok(AnySubModule::new(Self { conv: with_bias(conv, builder.rng), said }))
    }
}

impl SubModule for Said {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        FeatureMap::from_nchw(relu(self.conv.forward(input.to_nchw())))
    }

    fn describe(&self, input: FeatureMap) -> FeatureMap {
        (self.said)(&self.conv, input)
    }
}

macro_rules! said {
    ($($network:literal, $kind:literal, $said:expr;)*) => {
        $(autogrow_core::register! {
            SubModuleKind {
                name: $kind,
                origin: env!("CARGO_PKG_NAME"),
                summary: "says something of itself",
                residual: false,
                channels: |width, _| width,
                layers: 1,
                build: |builder| Said::build(builder, $said),
            },
            SeedNetwork {
                name: $network,
                origin: env!("CARGO_PKG_NAME"),
                summary: "says something of itself",
                sub_module: $kind,
                sub_networks: 2,
                width: 8,
                stem: "small",
                head: "linear",
                image: 32,
                recipe: None,
            },
        })*
    };
}

said! {
    "true2net", "true", |conv, input| input.conv(conv).act(Activation::Relu);
    "linear2net", "linear", |conv, input| input.conv(conv).act(Activation::Identity);
    "unbiased2net", "unbiased", |conv, input| {
        input.conv(&Conv2d { bias: None, ..conv.clone() }).act(Activation::Relu)
    };
    "twice2net", "twice", |conv, input| {
        input.conv(conv).act(Activation::Relu).max_pool(3, 2, 1).conv(conv).act(Activation::Relu)
    };
    "dilated2net", "dilated", |conv, input| {
        let padding = PaddingConfig2d::Explicit(2, 2, 2, 2);
        let dilated = Conv2d { dilation: [2, 2], padding, ..conv.clone() };
        input.conv(&dilated).act(Activation::Relu)
    };
}

#[test]
fn the_conformance_kit_holds_what_is_said_against_what_is_done() {
    let finds = |network| conform(network, &Device::flex()).map_err(|failure| failure.0);
    assert_eq!(finds("true2net"), Ok(()));
    // Not recorded, so nothing is said.
    assert_eq!(finds("dilated2net"), Ok(()));
    for (network, finding) in [
        ("linear2net", "its graph computes something else"),
        ("unbiased2net", "its graph does without layer1.0.conv.bias"),
        ("twice2net", "layer2.0: Conv"),
    ] {
        let found = finds(network).unwrap_err();
        assert!(found.contains(finding), "{network}: {found}");
    }
}
