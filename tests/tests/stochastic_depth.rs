//! Stochastic depth: which families have it, what it does to training, and that it does nothing else.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::config::{Config, TrainingConfig};
use autogrow_core::data::{DataRequest, DataSet, Task};
use autogrow_core::growth::Depth;
use autogrow_core::initializer::InitializerKind;
use autogrow_core::network::{SeedNetwork, StateDict};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::ranks::Ranks;
use autogrow_core::registry;
use autogrow_core::settings::PluginSettings;
use autogrow_core::training::{Epoch, Learner};
use autogrow_core::{Job, Resolved};
use autogrow_tests::program::Program;
use burn::tensor::{Device, Tensor};
use std::ops::ControlFlow;
use {autogrow_data as _, autogrow_models as _};

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

fn config(network: &str, drop_path: f64) -> Resolved {
    let mut config = Config::default();
    config.network.name = network.into();
    config.network.width = 4;
    let subs = registry::find::<SeedNetwork>(network).unwrap().sub_networks;
    config.network.depth = Depth::uniform(subs, 2);
    config.training = TrainingConfig { drop_path, batch_size: 16, ..config.training };
    config.data.fraction = 0.05;
    Resolved::of(config).unwrap()
}

fn digits(config: &Config) -> DataSet {
    DataSet::open(&DataRequest {
        config: &config.data,
        compat: config.compat,
        plugins: &config.plugin,
        task: Task::Classes,
        seed: 0,
        size: 8,
    })
    .unwrap()
}

/// The learner after so many steps.
fn trained(config: &Resolved, steps: usize) -> (Learner, Vec<f64>) {
    let (data, device) = (digits(config), Device::flex());
    let job = Job { config, data: &data, device: &device, ranks: &Ranks::single() };
    let network = job.seed_network(&device.clone().autodiff()).unwrap();
    let device = device.autodiff();
    let learner = Learner::new(network, &config.training, &config.plugin, device).unwrap();
    let mut losses = Vec::new();
    let mut epoch = Epoch {
        split: &*data.train,
        number: 1,
        seed: 4,
        learning_rate: 0.02,
        resumed: Default::default(),
        most_steps: Some(steps),
        on_step: &mut |_, step| {
            losses.push(step.loss);
            Ok(ControlFlow::Continue(()))
        },
    };
    let learner = learner.epoch(&mut epoch).unwrap().0;
    (learner, losses)
}

/// The loss before the first step is that of the same weights on the same images.
#[test]
fn families_with_shortcuts_leave_out_branches() {
    for network in [
        "basic3resnet",
        "bottleneck4resnet",
        "preact3resnet",
        "switched3resnet",
        "squeeze3resnet",
        "grouped3resnet",
        "inverted3resnet",
        "convnext3net",
        "encoder1net",
        "mlp1net",
        "tiny2net",
    ] {
        // A switch is closed at first: nothing is lost by leaving out what it lets through.
        let step = if network == "switched3resnet" { 2 } else { 1 };
        let loss = |rate| trained(&config(network, rate), step).1[step - 1];
        let (usual, dropped) = (loss(0.0), loss(0.5));
        assert!(dropped.is_finite() && dropped != usual, "{network}: {dropped}");
        assert_eq!(dropped, loss(0.5), "{network}");
    }
}

/// What is frozen computes in training what it computes elsewhere.
#[test]
fn frozen_sub_modules_leave_out_nothing() {
    let loss = |stage_rates: &[f64], rate| {
        let mut config = config("basic3resnet", rate).config().clone();
        config.training.stage_rates = stage_rates.into();
        config.growth.policy = "none".into();
        trained(&Resolved::of(config).unwrap(), 2).1[1]
    };
    let all = [0.0, 0.0, 0.0, 0.0, 1.0];
    assert_eq!(loss(&all, 0.9), loss(&all, 0.0));
    let but_the_last = [0.0, 0.0, 0.0, 1.0, 1.0];
    assert_ne!(loss(&but_the_last, 0.9), loss(&but_the_last, 0.0));
}

#[test]
fn families_without_are_refused() {
    for (network, depth) in [("plain3net", "1-1-1"), ("vgg3net", "1-1-1"), ("dense3net", "1-1-1")] {
        let train = ["train", "never", "--network", network, "--depth", depth];
        let message =
            PROGRAM.fails(2, &[&train[..], &["--set", "training.drop_path=0.1"]].concat());
        assert!(message.contains("have no residual branch"), "{message}");
        assert!(message.contains("hint: --set training.drop_path=0"), "{message}");
    }
    for rate in ["1", "-0.1"] {
        let rate = format!("training.drop_path={rate}");
        let message = PROGRAM.fails(2, &["config", "--set", &rate]);
        assert!(message.contains("from 0 to below 1"), "{message}");
    }
}

/// Evaluation leaves out nothing, and a growth by ZeroInit changes nothing of it.
#[test]
fn evaluation_and_what_zero_init_preserves_are_as_without() {
    let config = config("basic3resnet", 0.5);
    let (mut learner, _) = trained(&config, 3);
    let outputs = |learner: &Learner| -> Vec<f32> {
        let images = Tensor::ones([2, 1, 8, 8], &Device::flex());
        learner.evaluated().forward(images).into_data().iter::<f32>().collect()
    };
    let before = outputs(&learner);
    assert_eq!(before, outputs(&learner));
    let zero = registry::find::<InitializerKind>("zero").unwrap();
    let zero = (zero.build)(config.compat, &PluginSettings::default()).unwrap();
    learner.stack(1, &*zero, &mut generator(2, Purpose::Growth, 0)).unwrap();
    assert_eq!(before, outputs(&learner));
    let state = StateDict::of(learner.network()).unwrap();
    assert!(!state.0.keys().any(|name| name.contains("drop")), "it is no part of the model");
}
