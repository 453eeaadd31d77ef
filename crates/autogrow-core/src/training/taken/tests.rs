//! On NdArray, steps are read late as on any device but Flex.

use crate::config::{Compat, Shortcut, TrainingConfig};
use crate::data::{Batch, Pass, Split, Targets};
use crate::growth::Depth;
use crate::network::{
    AnySubModule, Blueprint, Network, SeedNetwork, StateDict, SubModule, SubModuleKind,
};
use crate::random::{Purpose, generator};
use crate::ranks::Ranks;
use crate::settings::PluginSettings;
use crate::training::{Epoch, Learner, Tally, Transfers, evaluate};
use crate::{Error, Result};
use autogrow_kernels::{Activation, FeatureMap, Skip};
use burn::module::Module;
use burn::nn::{BatchNorm, conv::Conv2d};
use burn::tensor::Device;
use std::ops::ControlFlow;

#[derive(Module, Debug)]
struct Layer {
    conv: Conv2d,
    bn: BatchNorm,
}

impl SubModule for Layer {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        input.conv(&self.conv).norm(&self.bn, Skip::None, Activation::Relu)
    }
}

crate::register! {
    SubModuleKind {
        name: "layer",
        origin: "this-crate",
        summary: "a convolution",
        residual: false,
        channels: |width, _| width,
        layers: 1,
        build: |builder| {
            let (channels, width) = (builder.channels_in, builder.width);
            let conv = builder.conv([channels, width], 3, builder.stride);
            Ok(AnySubModule::new(Layer { conv, bn: builder.norm(width) }))
        },
    },
    SeedNetwork {
        name: "layers",
        origin: "this-crate",
        summary: "a test's",
        sub_module: "layer",
        sub_networks: 1,
        width: 4,
        stem: "small",
        head: "linear",
        image: 8,
        recipe: None,
    },
}

/// Batches of four images. One of them may hold a pixel that is not finite.
struct Fours {
    batches: usize,
    broken: Option<usize>,
}

const EIGHT_IMAGES: Fours = Fours { batches: 2, broken: None };

impl Split for Fours {
    fn len(&self) -> usize {
        4 * self.batches
    }

    fn batches(&self, pass: Pass) -> Box<dyn Iterator<Item = Result<Batch>> + '_> {
        Box::new((pass.skip..self.batches).map(|number| {
            let pixel = |pixel: usize| ((pixel + 31 * number) as f32).sin();
            let mut images: Vec<f32> = (0..4 * 64).map(pixel).collect();
            if self.broken == Some(number) {
                images[5] = f32::NAN;
            }
            Ok(Batch { images, targets: Targets::Classes(vec![0, 1, 0, 1]) })
        }))
    }
}

#[expect(deprecated, reason = "a second opinion, which is not Flex")]
fn ndarray() -> Device {
    Device::ndarray()
}

fn network(depth: usize, device: &Device) -> Network {
    let blueprint = Blueprint {
        network: "layers".into(),
        depth: Depth::uniform(1, depth),
        width: 4,
        image: [1, 8, 8],
        classes: 2,
        shortcut: Shortcut::Projection,
        compat: Compat::Paper,
    };
    Network::new(blueprint, &mut generator(1, Purpose::Seed, 0), device).unwrap()
}

fn learner(depth: usize, training: &TrainingConfig, device: &Device) -> Learner {
    let device = device.clone().autodiff();
    let network = network(depth, &device);
    Learner::new(network, training, &PluginSettings::default(), device).unwrap()
}

/// What was told: number, loss and whether there was a learner.
type Told = (usize, f64, bool);

/// Trains an epoch, which breaks where `breaks` says so.
fn train(
    learner: Learner,
    split: &Fours,
    resumed: (usize, Tally),
    breaks: impl Fn(usize) -> bool,
) -> (Result<Learner>, Vec<Told>, Tally) {
    let (mut told, mut tally) = (Vec::new(), Tally::default());
    let trained = learner.epoch(&mut Epoch {
        split,
        number: 1,
        seed: 0,
        learning_rate: 0.1,
        resumed,
        most_steps: None,
        on_step: &mut |learner, step| {
            told.push((step.number, step.loss, learner.is_some()));
            tally = step.tally.clone();
            let breaks = breaks(step.number);
            Ok(if breaks { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        },
    });
    (trained.map(|(learner, _)| learner), told, tally)
}

fn state(learner: &Learner) -> StateDict {
    StateDict::of(learner.network()).unwrap()
}

fn fours() -> TrainingConfig {
    TrainingConfig { batch_size: 4, ..TrainingConfig::default() }
}

#[test]
fn a_step_reads_once_and_an_evaluation_as_seldom_as_it_can() {
    let in_parts = TrainingConfig { micro_batch: 2, clip_norm: 0.1, ..fours() };
    for (device, reads_of_evaluation) in [(Device::flex(), 2), (ndarray(), 1)] {
        for (depth, training) in [(1, fours()), (5, fours()), (2, in_parts.clone())] {
            let learner = learner(depth, &training, &device);
            let before = Transfers::so_far();
            let (trained, ..) = train(learner, &EIGHT_IMAGES, Default::default(), |_| false);
            assert_eq!(Transfers::since(before).reads, 2, "depth {depth}");
            let learner = trained.unwrap();
            let (network, objective) = (network(depth, &device), learner.objective());
            let before = Transfers::so_far();
            let split = Fours { batches: 250, broken: None };
            let judge = || {
                let ranks = Ranks::single();
                evaluate(&network, objective, &split, &device, &ranks, &mut || Ok(()))
            };
            // As large a batch as evaluations have is 500 images; these come in fours.
            let validation = judge().unwrap();
            assert_eq!((validation.scores.images, validation.losses.len()), (1000, 1000));
            let reads = if reads_of_evaluation == 1 { 4 } else { 250 };
            assert_eq!(Transfers::since(before).reads, reads, "64 passes are read at once");
        }
    }
}

/// Step by step the same numbers as on Flex, which reads them before it steps.
#[test]
fn what_is_read_late_is_what_is_read_at_once() {
    for clip_norm in [0.0, 0.05] {
        let training = TrainingConfig { clip_norm, ..fours() };
        let split = Fours { batches: 6, broken: None };
        let [flex, late] = [Device::flex(), ndarray()].map(|device| {
            let learner = learner(3, &training, &device);
            let (trained, told, _) = train(learner, &split, Default::default(), |_| false);
            (state(&trained.unwrap()), told)
        });
        let with_learner = |told: &[Told]| told.iter().map(|told| told.2).collect::<Vec<_>>();
        assert_eq!(with_learner(&flex.1), [true; 6]);
        assert_eq!(with_learner(&late.1), [false, false, false, false, false, true]);
        for (flex, late) in flex.1.iter().zip(&late.1) {
            assert_eq!(flex.0, late.0);
            assert!((flex.1 - late.1).abs() < 1e-4, "step {}: {} {}", flex.0, flex.1, late.1);
        }
        for ((name, flex), late) in flex.0.0.iter().zip(late.0.0.values()) {
            let gaps = flex.values.iter().zip(&late.values).map(|(a, b)| (a - b).abs());
            assert!(gaps.fold(0.0, f32::max) < 1e-4, "{name}");
        }
    }
}

#[test]
fn a_step_that_is_not_finite_is_told_by_its_number_and_none_after_it() {
    for device in [Device::flex(), ndarray()] {
        let split = Fours { batches: 6, broken: Some(2) };
        let learner = learner(2, &fours(), &device);
        let (trained, told, tally) = train(learner, &split, Default::default(), |_| false);
        assert!(matches!(trained, Err(Error::Diverged { epoch: 1, step: 3, .. })));
        assert_eq!(told.iter().map(|told| told.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(tally.images(), 8);
    }
}

/// The last step of an epoch is no exception: whoever gets the learner back gets a finite one.
#[test]
fn a_last_step_that_is_not_finite_ends_the_epoch() {
    let split = Fours { batches: 3, broken: Some(2) };
    let (trained, ..) =
        train(learner(2, &fours(), &ndarray()), &split, Default::default(), |_| false);
    assert!(matches!(trained, Err(Error::Diverged { step: 3, .. })));
}

/// Interrupted after any step and resumed, it learns the same.
#[test]
fn a_break_is_answered_by_a_learner_to_go_on_from() {
    let split = Fours { batches: 6, broken: None };
    for device in [Device::flex(), ndarray()] {
        let new = || learner(2, &fours(), &device);
        let (whole, all_told, _) = train(new(), &split, Default::default(), |_| false);
        let whole = state(&whole.unwrap());
        for stop in 1..6 {
            let (first, told, tally) = train(new(), &split, Default::default(), |at| at >= stop);
            let first = first.unwrap();
            let (last, _, has_learner) = *told.last().unwrap();
            assert!(has_learner && last <= stop + 1, "stopped after {last}, asked at {stop}");
            assert_eq!(tally.images(), 4 * last);
            let record = first.record().unwrap();
            let plugins = PluginSettings::default();
            let training_device = device.clone().autodiff();
            let rebuilt = network(2, &training_device);
            let learner =
                Learner::restore(rebuilt, record, None, &fours(), &plugins, training_device);
            let (rest, rest_told, _) = train(learner.unwrap(), &split, (last, tally), |_| false);
            assert!(state(&rest.unwrap()) == whole, "stopped after {last}");
            let losses = told.iter().chain(&rest_told).map(|told| (told.0, told.1));
            assert!(losses.eq(all_told.iter().map(|told| (told.0, told.1))));
        }
    }
}
