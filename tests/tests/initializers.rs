//! Growing keeps what it must keep: ZeroInit the network's function, to the last bit; a growth the
//! other parameters and their momentum. The noisy initializers are as noisy as they claim.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::config::{Compat, Shortcut, TrainingConfig};
use autogrow_core::data::{Batch, Pass, Split, Targets};
use autogrow_core::growth::Depth;
use autogrow_core::initializer::InitializerKind;
use autogrow_core::network::{Blueprint, Gate, Initializer, Network, StateDict};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::registry;
use autogrow_core::settings::PluginSettings;
use autogrow_core::training::{Epoch, Learner};
use autogrow_models as _;
use autogrow_tests as _;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use std::ops::ControlFlow;

fn learner_of(network: Network, training: &TrainingConfig, device: &Device) -> Learner {
    Learner::new(network, training, &PluginSettings::default(), device.clone()).unwrap()
}

fn initializer(name: &str, compat: Compat) -> Box<dyn Initializer> {
    (registry::find::<InitializerKind>(name).unwrap().build)(compat, &PluginSettings::default())
        .unwrap()
}

fn network(
    name: &str,
    depth: &[usize],
    width: usize,
    image: [usize; 3],
    device: &Device,
) -> Network {
    let depth: Vec<_> = depth.iter().map(ToString::to_string).collect();
    let blueprint = Blueprint {
        network: name.into(),
        depth: depth.join("-").parse::<Depth>().unwrap(),
        width,
        image,
        classes: 5,
        shortcut: Shortcut::Projection,
        compat: Compat::Paper,
    };
    Network::new(blueprint, &mut generator(7, Purpose::Seed, 0), device).unwrap()
}

fn images(count: usize, [c, h, w]: [usize; 3], phase: f32, device: &Device) -> Tensor<4> {
    let numbers = (0..count * c * h * w).map(|i| 2.0 * (0.7 * i as f32 + phase).sin()).collect();
    Tensor::from_data(TensorData::new::<f32, _>(numbers, [count, c, h, w]), device)
}

fn bits(logits: Tensor<2>) -> Vec<u32> {
    logits.into_data().iter::<f32>().map(f32::to_bits).collect()
}

fn preserves(device: &Device, case: &Case) -> Result<(), TestCaseError> {
    let training = device.clone().autodiff();
    let mut before = network(case.name, &case.depth, case.width, case.image, &training);
    // Running statistics that mean something: one pass in training mode.
    before.forward(images(4, case.image, 1.0, &training));
    let mut after = before.valid().train();
    before = before.valid().train();
    let zero = initializer("zero", Compat::Paper);
    let mut rng = generator(9, Purpose::Growth, 0);
    after.stack(case.sub_network, &*zero, &mut rng, &training).unwrap();

    let evaluate =
        |net: &Network| bits(net.valid().forward(images(3, case.image, case.phase, device)));
    prop_assert_eq!(evaluate(&before), evaluate(&after), "evaluation mode");
    let train =
        |net: &Network| bits(net.forward(images(3, case.image, case.phase, &training)).inner());
    prop_assert_eq!(train(&before), train(&after), "training mode");
    Ok(())
}

#[derive(Clone, Debug)]
struct Case {
    name: &'static str,
    depth: Vec<usize>,
    sub_network: usize,
    width: usize,
    image: [usize; 3],
    phase: f32,
}

fn cases() -> impl Strategy<Value = Case> {
    let names = [
        ("basic3resnet", 3),
        ("basic4resnet", 4),
        ("bottleneck4resnet", 4),
        ("tiny2net", 2),
        ("switched3resnet", 3),
        ("preact3resnet", 3),
        ("dense3net", 3),
        ("grouped3resnet", 3),
        ("squeeze3resnet", 3),
        ("inverted3resnet", 3),
        ("convnext3net", 3),
        ("mlp1net", 1),
        ("encoder1net", 1),
    ];
    (
        0..names.len(),
        prop::collection::vec(1usize..4, 4),
        0usize..4,
        1usize..10,
        1usize..4,
        8usize..15,
        8usize..15,
        0f32..6.0,
    )
        .prop_map(
            move |(name, depth, sub_network, width, channels, height, breadth, phase)| {
                let (name, subs) = names[name];
                Case {
                    name,
                    depth: depth[..subs].to_vec(),
                    sub_network: sub_network % subs,
                    width,
                    image: [channels, height, breadth],
                    phase,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn zero_init_preserves_the_function_on_flex(case in cases()) {
        preserves(&Device::flex(), &case)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn zero_init_preserves_the_function_on_ndarray(case in cases()) {
        #[expect(deprecated, reason = "a second opinion")]
        let device = Device::ndarray();
        preserves(&device, &case)?;
    }
}

/// A few networks rather than many cases: a device compiles a program for every shape.
#[cfg(feature = "wgpu")]
#[test]
fn zero_init_preserves_the_function_on_wgpu() {
    let device = Device::wgpu(burn::tensor::DeviceKind::default());
    let names = [("basic3resnet", 3), ("preact3resnet", 3), ("dense3net", 3), ("mlp1net", 1)];
    for (name, sub_networks) in names {
        let depth = vec![1; sub_networks];
        let image = [3, 8, 8];
        let case = Case { name, depth, sub_network: sub_networks - 1, width: 4, image, phase: 1.0 };
        preserves(&device, &case).unwrap();
    }
}

#[test]
fn noise_changes_the_function() {
    let device = Device::flex().autodiff();
    let image = [3, 8, 8];
    for name in ["gaussian", "uniform"] {
        let mut net = network("basic3resnet", &[1, 1, 1], 8, image, &device);
        let before = bits(net.forward(images(4, image, 0.0, &device)).inner());
        let noise = initializer(name, Compat::Paper);
        net.stack(1, &*noise, &mut generator(9, Purpose::Growth, 0), &device).unwrap();
        assert_ne!(before, bits(net.forward(images(4, image, 0.0, &device)).inner()), "{name}");
    }
}

#[test]
fn noise_has_the_deviation_it_claims() {
    let device = Device::flex();
    let draw = |name, compat| {
        let mut norm = autogrow_kernels::batch_norm(40_000, &device);
        let gate = Gate::from(&mut norm);
        initializer(name, compat).initialize(gate, &mut generator(5, Purpose::Growth, 0));
        let read = |tensor: Tensor<1>| tensor.into_data().iter::<f32>().map(f64::from).collect();
        (read(norm.gamma.val()), read(norm.beta.val()))
    };
    let moments = |values: &Vec<f64>| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
        (mean, variance.sqrt())
    };
    for name in ["gaussian", "uniform"] {
        let (gamma, beta) = draw(name, Compat::Paper);
        let (mean, deviation) = moments(&gamma);
        assert!(mean.abs() < 0.02 && (deviation - 1.0).abs() < 0.02, "{name}: {mean}, {deviation}");
        assert!(beta.iter().all(|&value| value == 0.0));
    }
    let (gamma, _) = draw("uniform", Compat::Paper);
    let largest = gamma.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    assert!(largest <= 3f64.sqrt() + 1e-6, "{largest}");

    // The released code: U(0, 1), and the shift is drawn too.
    let (gamma, beta) = draw("uniform", Compat::Code);
    for values in [gamma, beta] {
        let (mean, deviation) = moments(&values);
        assert!((mean - 0.5).abs() < 0.01 && (deviation - 1.0 / 12f64.sqrt()).abs() < 0.01);
    }
    let (_, beta) = draw("gaussian", Compat::Code);
    assert!((moments(&beta).1 - 1.0).abs() < 0.02);
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

fn train(learner: Learner, steps: usize, rate: f64) -> Learner {
    let mut epoch = Epoch {
        split: &Same { steps },
        number: 1,
        seed: 0,
        learning_rate: rate,
        resumed: Default::default(),
        most_steps: None,
        on_step: &mut |_, _| Ok(ControlFlow::Continue(())),
    };
    learner.epoch(&mut epoch).unwrap().0
}

/// With ZeroInit the gradients of old parameters are what they were, so a step with momentum
/// moves them exactly as without the growth; with their momentum lost it would not.
#[test]
fn momentum_survives_a_growth() {
    let device = Device::flex().autodiff();
    let after = |grow: bool, reset: bool| {
        let config = TrainingConfig { reset_states: reset, ..TrainingConfig::default() };
        let net = network("basic3resnet", &[1, 1, 1], 8, [3, 8, 8], &device);
        let mut learner = train(learner_of(net, &config, &device), 3, 0.05);
        if grow {
            let mut rng = generator(2, Purpose::Growth, 0);
            learner.stack(1, &*initializer("zero", Compat::Paper), &mut rng).unwrap();
        }
        StateDict::of(train(learner, 1, 0.05).network()).unwrap()
    };
    let (without, with, lost) = (after(false, false), after(true, false), after(true, true));
    for (name, entry) in &without.0 {
        assert_eq!(entry, &with.0[name], "{name}");
    }
    assert_ne!(without.0["conv1.weight"], lost.0["conv1.weight"]);
}

/// AdamInit trains the newest batch norm's scale and shift, and nothing else.
#[test]
fn adam_init_freezes_everything_else() {
    let device = Device::flex().autodiff();
    let net = network("basic3resnet", &[1, 1, 1], 8, [3, 8, 8], &device);
    let mut learner = learner_of(net, &TrainingConfig::default(), &device);
    let mut rng = generator(2, Purpose::Growth, 0);
    learner.stack(0, &*initializer("adam", Compat::Paper), &mut rng).unwrap();
    let before = StateDict::of(learner.network()).unwrap();
    let parameters = learner.network().parameters();
    let (learner, any) =
        learner.begin_adapting(initializer("adam", Compat::Paper).adapts().unwrap(), &[0]);
    assert!(any);
    assert_eq!(learner.network().parameters(), parameters, "frozen ones count");
    let learner = train(learner, 4, 1e-3).end_adapting();
    assert_eq!(learner.network().parameters(), parameters);
    let after = StateDict::of(learner.network()).unwrap();
    for (name, entry) in before.0.iter().filter(|(name, _)| !name.contains("running")) {
        let trained = name.starts_with("layer1.1.bn2.");
        assert_eq!(*entry != after.0[name], trained, "{name}");
    }
}

/// Micro-batches add up to the gradients of the whole batch, as far as batch norm allows: in a
/// network whose batch norms see the same statistics in every part.
#[test]
fn micro_batches_add_up() {
    struct Twice;
    impl Split for Twice {
        fn len(&self) -> usize {
            8
        }
        fn batches(&self, _: Pass) -> Box<dyn Iterator<Item = autogrow_core::Result<Batch>> + '_> {
            let half: Vec<f32> = (0..4 * 3 * 64).map(|i| (0.7 * i as f32).sin()).collect();
            let targets = Targets::Classes(vec![0, 1, 2, 3, 0, 1, 2, 3]);
            Box::new(std::iter::once(Ok(Batch { images: half.repeat(2), targets })))
        }
    }
    let device = Device::flex().autodiff();
    let after = |micro_batch| {
        let config = TrainingConfig { micro_batch, ..TrainingConfig::default() };
        let net = network("basic3resnet", &[1, 1, 1], 8, [3, 8, 8], &device);
        let mut epoch = Epoch {
            split: &Twice,
            number: 1,
            seed: 0,
            learning_rate: 0.1,
            resumed: Default::default(),
            most_steps: None,
            on_step: &mut |_, _| Ok(ControlFlow::Continue(())),
        };
        let (learner, _) = learner_of(net, &config, &device).epoch(&mut epoch).unwrap();
        StateDict::of(learner.network()).unwrap()
    };
    let (whole, halves) = (after(0), after(4));
    for (name, entry) in whole.0.iter().filter(|(name, _)| !name.contains("running")) {
        for (whole, halves) in entry.values.iter().zip(&halves.0[name].values) {
            assert!((whole - halves).abs() < 1e-5, "{name}: {whole} against {halves}");
        }
    }
}

/// Above the first sub-module of a sub-network that reduces nothing is there to copy; above any other
/// the new one is the one below, under identities of its own.
#[test]
fn a_copy_is_the_sub_module_below() {
    let device = Device::flex().autodiff();
    let copy = initializer("copy", Compat::Paper);
    let mut net = network("basic3resnet", &[1, 1, 1], 4, [3, 8, 8], &device);
    net.forward(images(4, [3, 8, 8], 1.0, &device));
    for _ in 0..2 {
        net.stack(1, &*copy, &mut generator(9, Purpose::Growth, 0), &device).unwrap();
    }
    net.stack(0, &*copy, &mut generator(9, Purpose::Growth, 1), &device).unwrap();
    let state = StateDict::of(&net).unwrap();
    let same = |one: &str, other: &str| {
        let of = |prefix: &str| {
            let own = state.0.iter().filter(|(name, _)| name.starts_with(prefix));
            own.map(|(name, entry)| (name[prefix.len()..].to_string(), entry.clone()))
                .filter(|(name, _)| !name.starts_with("shortcut"))
                .collect::<Vec<_>>()
        };
        assert!(!of(one).is_empty(), "{one}");
        of(one) == of(other)
    };
    assert!(same("layer1.0.", "layer1.1."));
    assert!(!same("layer2.0.", "layer2.1."));
    assert!(same("layer2.1.", "layer2.2."));
    let identities = autogrow_core::network::trainable_ids(&net);
    let distinct = state.0.keys().filter(|name| !name.contains("running")).count();
    assert_eq!(identities.len(), distinct);
}
