//! A second real kind of device: training, and a checkpoint that goes from one device to another.
//! Built with `--features wgpu` alone, by `cargo xtask gpu-check`.
#![cfg(feature = "wgpu")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::config::{Compat, Shortcut, TrainingConfig};
use autogrow_core::data::{
    Batch, Normalisation, Pass, RawBatch, RawBatches, RawImages, Split, Statistics, Targets,
};
use autogrow_core::growth::Depth;
use autogrow_core::network::{Blueprint, Network};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::ranks::Ranks;
use autogrow_core::settings::PluginSettings;
use autogrow_core::training::{Epoch, Learner, Transfers, evaluate};
use autogrow_models as _;
use burn::tensor::{Device, DeviceKind};
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

/// A run in which accuracy settles and something grows.
const SETTINGS: [&str; 9] = [
    "network.width=4",
    "data.fraction=0.5",
    "data.augment=false",
    "training.batch_size=32",
    // Small enough for rounding not to lead elsewhere.
    "training.learning_rate=0.02",
    "growth.interval=2",
    "growth.max_depth=2-1-1",
    "growth.patience=2",
    "fine_tune.epochs=12",
];

/// The run at `run`, on a device.
fn train(run: &Path, device: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autogrow-tests"));
    command.arg("train").arg(run).args(["--json", "--quiet", "--device", device]);
    command.args(SETTINGS.iter().flat_map(|setting| ["--set", setting]));
    command
}

fn result(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn autogrow(arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autogrow-tests"));
    result(command.args(arguments).args(["--json", "--quiet"]))
}

/// What a step asks of the device does not depend on how deep the network is.
#[test]
fn a_step_on_wgpu_reads_once_however_deep() {
    let image = ["--image", "3x8x8", "--network", "basic3resnet", "--batch", "4", "--steps", "2"];
    let small = ["--set", "network.width=4"];
    let launches = ["3-3-3", "5-5-5"].map(|depth| {
        let device = ["bench", "step", "--device", "wgpu", "--depth", depth];
        let step = autogrow(&[&device[..], &image, &small].concat());
        assert!(step["images_per_second"].as_f64().unwrap() > 0.0, "{step}");
        assert_eq!(step["reads_per_step"], 1.0, "{step}");
        assert_eq!(step["uploads_per_step"], 1.0, "{step}");
        // A byte a pixel, four a class.
        assert_eq!(step["uploaded_bytes_per_step"], (4 * (3 * 8 * 8 + 4)) as f64, "{step}");
        step["launches_per_step"].as_f64().unwrap()
    });
    assert!(0.0 < launches[0] && launches[0] < launches[1], "{launches:?}");
}

/// Five batches of eight images of bytes, again and again.
struct Waves {
    steps: usize,
}

impl Waves {
    fn batch(step: usize) -> (Vec<u8>, Targets) {
        let byte =
            |at: usize| (127.5 + 127.0 * (0.37 * (at + 100 * (step % 5)) as f32).sin()) as u8;
        let targets = Targets::Classes((0..8).map(|image| (image + step % 5) % 3).collect());
        ((0..8 * 3 * 64).map(byte).collect(), targets)
    }

    fn normalisation() -> Normalisation {
        let statistics = [0.4, 0.5, 0.6].map(|mean| Statistics { mean, std: 0.3 });
        Normalisation { white: 255, statistics: statistics.into() }
    }
}

impl Split for Waves {
    fn len(&self) -> usize {
        8 * self.steps
    }

    fn batches(&self, _: Pass) -> Box<dyn Iterator<Item = autogrow_core::Result<Batch>> + '_> {
        Box::new((0..self.steps).map(|step| {
            let ((bytes, targets), of) = (Self::batch(step), Self::normalisation());
            let channels = of.statistics.iter().cycle();
            let planes = bytes.chunks(64).zip(channels);
            let pixels = planes.flat_map(|(plane, of)| {
                plane.iter().map(|&byte| (f32::from(byte) / 255.0 - of.mean) / of.std)
            });
            Ok(Batch { images: pixels.collect(), targets })
        }))
    }

    fn raw_batches(&self, _: Pass) -> Option<(Normalisation, RawBatches<'_>)> {
        let batches = (0..self.steps).map(|step| {
            let (bytes, targets) = Self::batch(step);
            Ok(RawBatch { images: RawImages::Bytes(bytes), targets })
        });
        Some((Self::normalisation(), Box::new(batches)))
    }
}

#[test]
fn twenty_steps_on_wgpu_are_those_on_flex() {
    let training = TrainingConfig { batch_size: 8, clip_norm: 1.0, ..TrainingConfig::default() };
    let plugins = PluginSettings::default();
    let [flex, wgpu] = [Device::flex(), Device::wgpu(DeviceKind::default())].map(|device| {
        let blueprint = Blueprint {
            network: "basic3resnet".into(),
            depth: Depth::uniform(3, 1),
            width: 4,
            image: [3, 8, 8],
            classes: 3,
            shortcut: Shortcut::Projection,
            compat: Compat::Paper,
        };
        let training_device = device.clone().autodiff();
        let mut rng = generator(1, Purpose::Seed, 0);
        let network = Network::new(blueprint, &mut rng, &training_device).unwrap();
        let learner = Learner::new(network, &training, &plugins, training_device).unwrap();
        let mut losses = Vec::new();
        let before = Transfers::so_far();
        let trained = learner.epoch(&mut Epoch {
            split: &Waves { steps: 20 },
            number: 1,
            seed: 0,
            learning_rate: 0.02,
            resumed: Default::default(),
            most_steps: None,
            on_step: &mut |_, step| {
                losses.push(step.loss);
                Ok(ControlFlow::Continue(()))
            },
        });
        assert_eq!(Transfers::since(before).reads, 20);
        let learner = trained.unwrap().0;
        let before = Transfers::so_far();
        let (network, objective) = (learner.evaluated(), learner.objective());
        let (split, ranks) = (Waves { steps: 5 }, Ranks::single());
        let judged =
            evaluate(&network, objective, &split, &device, &ranks, &mut || Ok(())).unwrap();
        (losses, judged, Transfers::since(before).reads)
    });
    let gap = |a: &f64, b: &f64| (a - b).abs();
    let gaps: Vec<_> = flex.0.iter().zip(&wgpu.0).map(|(a, b)| gap(a, b)).collect();
    assert!(gaps.len() == 20 && gaps.iter().all(|&gap| gap < 1e-4), "{gaps:?}");
    assert!(gap(&flex.1.scores.loss, &wgpu.1.scores.loss) < 1e-4);
    assert_eq!((flex.1.losses.len(), flex.2), (40, 5));
    assert_eq!((wgpu.1.losses.len(), wgpu.2), (40, 1), "one read for all five batches");
}

#[test]
fn digits_on_wgpu_end_within_a_point_of_flex() {
    let folder = tempfile::tempdir().unwrap();
    let [wgpu, flex] = ["wgpu", "flex"].map(|device| {
        let result = result(&mut train(&folder.path().join(device), device));
        result["test_accuracy"].as_f64().unwrap()
    });
    assert!((wgpu - flex).abs() <= 1.0, "wgpu {wgpu} %, flex {flex} %");

    let run = folder.path().join("wgpu");
    let here = ["evaluate", run.to_str().unwrap(), "--set", "run.device=flex"];
    assert!((autogrow(&here)["top1"].as_f64().unwrap() - wgpu).abs() < 0.5);
}

#[test]
fn a_run_goes_on_from_wgpu_to_flex() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    // Some epochs on, with their checkpoints.
    let killed = train(&run, "wgpu").env("FAULT_AT", "kill:60").output().unwrap();
    assert!(!killed.status.success() && !run.join("result.json").exists());
    let path = run.to_str().unwrap();
    let went_on = autogrow(&["resume", path, "--device", "flex", "--allow", "run.device"]);
    assert_eq!(went_on["found"], "2-1-1");
    let devices = std::fs::read_to_string(run.join("journal.jsonl")).unwrap();
    assert!(devices.contains("resumed"), "{devices}");
}
