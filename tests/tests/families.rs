//! Every registered family does what growing, training and resuming build on, and is as large as
//! the published network that it is named after.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::config::{Compat, NetworkConfig, Shortcut, TrainingConfig};
use autogrow_core::data::{Batch, Pass, Split, Targets};
use autogrow_core::growth::Depth;
use autogrow_core::initializer::InitializerKind;
use autogrow_core::network::{Blueprint, Initializer, Network, SeedNetwork, StateDict};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::registry;
use autogrow_core::settings::PluginSettings;
use autogrow_core::testing::conform;
use autogrow_core::training::{Epoch, Learner};
use autogrow_models as _;
use autogrow_tests as _;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

/// One test a family and not one for all, so that each failure is seen.
macro_rules! families {
    ($($test:ident: $network:literal,)*) => {
        $(
            #[test]
            fn $test() {
                conform($network, &Device::flex()).unwrap();
            }
        )*

        const TESTED: &[&str] = &[$($network),*];
    };
}

families! {
    basic: "basic3resnet",
    bottleneck: "bottleneck4resnet",
    convnext: "convnext3net",
    convnext_in_patches: "convnext4net-imagenet",
    dense: "dense3net",
    dense_on_large_images: "dense4net-imagenet",
    encoder: "encoder1net",
    grouped: "grouped3resnet",
    inception: "inception3net",
    inverted: "inverted3resnet",
    medley: "medley2net",
    mlp: "mlp1net",
    plain: "plain3net",
    plain_bias: "plainbias3net",
    preact: "preact3resnet",
    squeeze: "squeeze3resnet",
    switched: "switched3resnet",
    tiny: "tiny2net",
    told: "told2net",
    vgg: "vgg3net",
}

#[test]
fn every_family_is_tested() {
    for seed in registry::all::<SeedNetwork>().unwrap() {
        let of_its_family = |name: &&str| {
            registry::find::<SeedNetwork>(name).unwrap().sub_module == seed.sub_module
        };
        assert!(TESTED.iter().any(of_its_family), "no network of {} is tested", seed.sub_module);
    }
}

/// The fast kernels and Burn's own operations agree on what preserves a function.
#[test]
#[expect(deprecated, reason = "a second opinion")]
fn dense_on_ndarray() {
    conform("dense3net", &Device::ndarray()).unwrap();
}

fn network(name: &str, depth: &str, width: usize, image: [usize; 3], classes: usize) -> Network {
    let config = NetworkConfig {
        name: name.into(),
        depth: depth.parse().unwrap(),
        width,
        shortcut: Shortcut::Projection,
    };
    let blueprint = Blueprint::seed(&config, Compat::Paper, image, classes);
    let device = Device::flex().autodiff();
    Network::new(blueprint, &mut generator(7, Purpose::Seed, 0), &device).unwrap()
}

/// torchvision counts 25,028,904 parameters of ResNeXt-50 32x4d; timm
/// 11,778,592 of legacy_seresnet18.
#[test]
fn published_networks_have_their_size() {
    let size = |name, depth, width| network(name, depth, width, [3, 224, 224], 1000).parameters();
    assert_eq!(size("grouped4resnet-imagenet", "3-4-6-3", 64), 25_028_904);
    assert_eq!(size("squeeze4resnet-imagenet", "2-2-2-2", 64), 11_778_592);
}

#[test]
fn channels_of_dense_sub_networks_grow_with_their_depth() {
    let mut net = network("dense3net", "1-1-1", 16, [1, 12, 12], 5);
    let zero = initializer("zero");
    let shape = |net: &Network, name: &str| StateDict::of(net).unwrap().0[name].shape.clone();
    assert_eq!(shape(&net, "layer2.0.transition.conv.weight"), [32, 24, 1, 1]);
    assert_eq!(shape(&net, "linear.weight"), [5, 96]);
    let before = StateDict::of(&net).unwrap();
    for (sub_network, name, widened) in [
        (0, "layer2.0.transition.conv.weight", vec![32, 32, 1, 1]),
        (2, "linear.weight", vec![5, 128]),
    ] {
        let device = Device::flex().autodiff();
        let macs = net.macs().unwrap();
        net.stack(sub_network, &*zero, &mut generator(1, Purpose::Growth, 0), &device).unwrap();
        assert_eq!(shape(&net, name), widened);
        assert!(net.macs().unwrap() > macs);
    }
    let after = StateDict::of(&net).unwrap();
    for (name, entry) in &before.0 {
        let now = &after.0[name];
        if now.shape == entry.shape {
            assert_eq!(now, entry, "{name}");
        }
    }
    // Old inputs keep their weights, new ones have 0.
    let (old, new) = (&before.0["linear.weight"], &after.0["linear.weight"]);
    for (old, new) in old.values.chunks(96).zip(new.values.chunks(128)) {
        assert_eq!((old, &[0.0; 32][..]), (&new[..96], &new[96..]));
    }
    // A norm of new channels begins as any norm does.
    assert_eq!(after.0["closing.bn.weight"].values[96..], [1.0; 32]);
}

/// Matrices of any size: how a product is cut into blocks depends on its sizes, and so does how it
/// is rounded.
#[test]
fn dense_preserves_its_function_at_any_size() {
    let device = Device::flex().autodiff();
    for (depth, width) in [("1-1-1", 16), ("1-3-9", 21), ("4-9-1", 40), ("2-2-7", 96)] {
        let mut net = network("dense3net", depth, width, [1, 5, 6], 10);
        for _ in 0..3 {
            for (sub_network, batch) in [(0, 1), (1, 3), (2, 37)] {
                let count = batch * 30;
                let pixels: Vec<f32> = (0..count).map(|i| (0.7 * i as f32).sin()).collect();
                let images = Tensor::from_data(TensorData::new(pixels, [batch, 1, 5, 6]), &device);
                let scores = |net: &Network| -> Vec<u32> {
                    let scores = net.valid().forward(images.clone().inner());
                    scores.into_data().iter::<f32>().map(f32::to_bits).collect()
                };
                let before = scores(&net);
                let mut rng = generator(1, Purpose::Growth, 0);
                net.stack(sub_network, &*initializer("zero"), &mut rng, &device).unwrap();
                assert_eq!(before, scores(&net), "{} at width {width}", net.depth());
            }
        }
    }
}

fn initializer(name: &str) -> Box<dyn Initializer> {
    (registry::find::<InitializerKind>(name).unwrap().build)(
        Compat::Paper,
        &PluginSettings::default(),
    )
    .unwrap()
}

/// The same eight images, `steps` times.
struct Same {
    steps: usize,
}

impl Split for Same {
    fn len(&self) -> usize {
        8 * self.steps
    }

    fn batches(&self, _: Pass) -> Box<dyn Iterator<Item = autogrow_core::Result<Batch>> + '_> {
        let images = (0..8 * 3 * 64).map(|i| (0.7 * i as f32).sin()).collect();
        let targets = Targets::Classes((0..8).map(|i| i % 5).collect());
        let batch = Batch { images, targets };
        Box::new(std::iter::repeat_n(batch, self.steps).map(Ok))
    }
}

fn train(learner: Learner, steps: usize) -> Learner {
    let mut epoch = Epoch {
        split: &Same { steps },
        number: 1,
        seed: 0,
        learning_rate: 0.01,
        resumed: Default::default(),
        most_steps: None,
        on_step: &mut |_, _| Ok(std::ops::ControlFlow::Continue(())),
    };
    learner.epoch(&mut epoch).unwrap().0
}

/// A step after a growth with ZeroInit moves the old weights of a widened layer as it would have
/// without the growth: their state is kept, whatever the optimiser, and so are their averages.
#[test]
fn widened_layers_keep_the_state_of_every_optimizer() {
    let device = Device::flex().autodiff();
    for optimizer in ["sgd", "adam", "amsgrad", "adagrad", "adadelta", "rmsprop"] {
        let optimizer = optimizer.to_string();
        let config = TrainingConfig {
            optimizer: optimizer.clone(),
            average: 0.5,
            ..TrainingConfig::default()
        };
        let after = |grow: bool, reset_states: bool| {
            let config = TrainingConfig { reset_states, ..config.clone() };
            let net = network("dense3net", "1-1-1", 8, [3, 8, 8], 5);
            let mut learner = train(
                Learner::new(net, &config, &PluginSettings::default(), device.clone()).unwrap(),
                3,
            );
            if grow {
                for sub_network in [0, 2] {
                    let mut rng = generator(2, Purpose::Growth, 0);
                    learner.stack(sub_network, &*initializer("zero"), &mut rng).unwrap();
                }
            }
            let learner = train(learner, 1);
            let average = learner.evaluated();
            [StateDict::of(learner.network()).unwrap(), StateDict::of(&average).unwrap()]
        };
        let (without, with, lost) = (after(false, false), after(true, false), after(true, true));
        for (without, with) in without.iter().zip(&with) {
            for (name, entry) in &without.0 {
                let columns = entry.shape.get(1).copied().unwrap_or(entry.values.len());
                let now = &with.0[name];
                let wide = now.shape.get(1).copied().unwrap_or(now.values.len());
                let rest: usize = entry.shape.iter().skip(2).product();
                let rows = entry.values.chunks(columns * rest).zip(now.values.chunks(wide * rest));
                for (old, new) in rows {
                    assert_eq!(old, &new[..columns * rest], "{optimizer:?} {name}");
                }
            }
        }
        assert_ne!(without[0].0["conv1.weight"], lost[0].0["conv1.weight"], "{optimizer:?}");
    }
}

#[test]
fn a_row_of_a_table_and_an_image_are_vectors_alike() {
    let depth = Depth::uniform(1, 2).to_string();
    let row = network("mlp1net", &depth, 16, [12, 1, 1], 3);
    let image = network("mlp1net", &depth, 16, [3, 2, 2], 3);
    assert_eq!(row.parameters(), image.parameters());
    assert_eq!(row.macs().unwrap(), image.macs().unwrap());
    assert_eq!(row.macs().unwrap(), 12 * 16 + 2 * 2 * 16 * 16 + 16 * 3);
}
