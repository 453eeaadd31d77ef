//! Weights of others as a seed: a state dict as torchvision writes it goes in strictly, trains and grows;
//! parts of it may be frozen or have step sizes of their own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::config::{Config, NetworkConfig, TrainingConfig};
use autogrow_core::data::{Batch, DataSet, Outputs, Pass, Split, Targets};
use autogrow_core::initializer::InitializerKind;
use autogrow_core::network::{Initializer, Network, StateDict, TensorEntry};
use autogrow_core::random::{Purpose, derive, generator};
use autogrow_core::ranks::Ranks;
use autogrow_core::run::ModelFile;
use autogrow_core::settings::PluginSettings;
use autogrow_core::training::{Epoch, Learner, recalibrate};
use autogrow_core::{Job, Resolved, registry};
use autogrow_tests::program::Program;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use {autogrow_data as _, autogrow_models as _};

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));
const CLASSES: usize = 5;

/// Names and shapes of `torchvision.models.resnet18().state_dict()`, in its order, counters left out.
fn resnet18() -> Vec<(String, Vec<usize>)> {
    let mut tensors = vec![("conv1.weight".to_string(), vec![64, 3, 7, 7])];
    let norm = |tensors: &mut Vec<_>, name: &str, channels: usize| {
        for part in ["weight", "bias", "running_mean", "running_var"] {
            tensors.push((format!("{name}.{part}"), vec![channels]));
        }
    };
    norm(&mut tensors, "bn1", 64);
    let mut inputs = 64;
    for (layer, channels) in [(1, 64), (2, 128), (3, 256), (4, 512)] {
        for block in 0..2 {
            let name = format!("layer{layer}.{block}");
            tensors.push((format!("{name}.conv1.weight"), vec![channels, inputs, 3, 3]));
            norm(&mut tensors, &format!("{name}.bn1"), channels);
            tensors.push((format!("{name}.conv2.weight"), vec![channels, channels, 3, 3]));
            norm(&mut tensors, &format!("{name}.bn2"), channels);
            if block == 0 && layer > 1 {
                let shape = vec![channels, inputs, 1, 1];
                tensors.push((format!("{name}.downsample.0.weight"), shape));
                norm(&mut tensors, &format!("{name}.downsample.1"), channels);
            }
            inputs = channels;
        }
    }
    tensors.push(("fc.weight".into(), vec![1000, 512]));
    tensors.push(("fc.bias".into(), vec![1000]));
    tensors
}

/// Numbers for each of them, such as a trained network might have.
fn weights() -> BTreeMap<String, TensorEntry> {
    let entries = resnet18().into_iter().enumerate().map(|(number, (name, shape))| {
        let inputs: usize = shape.iter().skip(1).product();
        let wave = |at: usize| ((at * at + 7 * at + number) as f32 * 0.37).sin();
        let value = |at: usize| match name.rsplit('.').next() {
            Some("running_var") => 1.0 + 0.5 * wave(at),
            Some("weight") if shape.len() == 1 => 0.5 + 0.3 * wave(at),
            _ => wave(at) * (2.0 / inputs as f32).sqrt().min(0.3),
        };
        let values = (0..shape.iter().product()).map(value).collect();
        (name.clone(), TensorEntry { shape, values })
    });
    entries.collect()
}

/// The file that `safetensors.torch.save_file` makes of them, batch counters among them.
fn save(weights: &BTreeMap<String, TensorEntry>, path: &Path) {
    let bytes = |entry: &TensorEntry| entry.values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let bytes: Vec<Vec<u8>> = weights.values().map(bytes).collect();
    let counter = 1234_i64.to_le_bytes();
    let mut views = Vec::new();
    for ((name, entry), bytes) in weights.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, entry.shape.clone(), bytes).unwrap();
        views.push((name.clone(), view));
        if let Some(norm) = name.strip_suffix("running_var") {
            let view = TensorView::new(Dtype::I64, vec![], &counter).unwrap();
            views.push((format!("{norm}num_batches_tracked"), view));
        }
    }
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

fn images(count: usize, [channels, height, width]: [usize; 3]) -> Vec<f32> {
    let image = |image: usize| {
        let wave = move |at: usize| (0.11 * at as f32 * (1 + image % CLASSES) as f32).sin();
        (0..channels * height * width).map(wave)
    };
    (0..count).flat_map(image).collect()
}

fn outputs(network: &Network, image: [usize; 3], device: &Device) -> Vec<f32> {
    let [channels, height, width] = image;
    let data = TensorData::new(images(3, image), [3, channels, height, width]);
    network.forward(Tensor::from_data(data, device)).into_data().iter::<f32>().collect()
}

/// Images of some classes that differ a little.
struct Waves([usize; 3]);

impl Split for Waves {
    fn len(&self) -> usize {
        4 * CLASSES
    }

    fn batches(&self, pass: Pass) -> Box<dyn Iterator<Item = autogrow_core::Result<Batch>> + '_> {
        let (size, count) = (self.0.iter().product::<usize>(), self.len());
        let images = images(count, self.0);
        let starts = (0..count).step_by(pass.batch_size).skip(pass.skip);
        Box::new(starts.map(move |start| {
            let end = (start + pass.batch_size).min(count);
            let targets = Targets::Classes((start..end).map(|image| image % CLASSES).collect());
            Ok(Batch { images: images[start * size..end * size].to_vec(), targets })
        }))
    }
}

fn data(image: [usize; 3]) -> DataSet {
    let split = || Box::new(Waves(image)) as Box<dyn Split>;
    DataSet {
        image,
        outputs: Outputs::Classes((0..CLASSES).map(|class| class.to_string()).collect()),
        preprocessing: None,
        table: None,
        train: split(),
        validation: split(),
        test: split(),
    }
}

fn epoch(learner: Learner, image: [usize; 3], number: usize) -> (Learner, Vec<f64>) {
    let mut losses = Vec::new();
    let mut epoch = Epoch {
        split: &Waves(image),
        number,
        seed: derive(3, Purpose::Epoch, number),
        learning_rate: 0.02,
        resumed: Default::default(),
        most_steps: None,
        on_step: &mut |_, step| {
            losses.push(step.loss);
            Ok(ControlFlow::Continue(()))
        },
    };
    let (learner, _) = learner.epoch(&mut epoch).unwrap();
    (learner, losses)
}

fn zero() -> Box<dyn Initializer> {
    let kind = registry::find::<InitializerKind>("zero").unwrap();
    (kind.build)(Default::default(), &PluginSettings::default()).unwrap()
}

#[test]
fn torchvisions_resnet18_is_a_seed_that_trains_and_grows() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("resnet18.safetensors");
    let (image, weights) = ([3, 64, 64], weights());
    assert_eq!(weights.len(), 102);
    save(&weights, &file);

    // Strictly, every number.
    let mut model = ModelFile::read(&file).unwrap();
    let name = "basic4resnet-imagenet";
    model.assume(&NetworkConfig { name: name.into(), ..Default::default() }, [64, 64]).unwrap();
    let (network, info) = model.build(&Device::flex()).unwrap();
    assert_eq!(info.architecture.depth.to_string(), "2-2-2-2");
    assert!(StateDict::of(&network).unwrap().0 == weights);

    // A seed for other classes: all but the head.
    let mut config = Config::default();
    config.network.name = name.into();
    config.network.depth = "2-2-2-2".parse().unwrap();
    config.training.init_from = file.clone();
    config.training.batch_size = 8;
    let (config, data) = (Resolved::of(config).unwrap(), data(image));
    let device = Device::flex().autodiff();
    let job =
        Job { config: &config, data: &data, device: &Device::flex(), ranks: &Ranks::single() };
    let seed = job.seed_network(&device).unwrap();
    for (name, entry) in StateDict::of(&seed).unwrap().0 {
        assert_eq!(entry == weights[&name], !name.starts_with("fc."), "{name}");
    }

    // It learns, grows in every stage without a change to its outputs, and learns on.
    let mut learner = Learner::new(seed, &config.training, &config.plugin, device).unwrap();
    let mut losses = Vec::new();
    for number in 1..=3 {
        let told;
        (learner, told) = epoch(learner, image, number);
        losses.extend(told);
    }
    assert!(losses[losses.len() - 1] < 0.7 * losses[0], "{losses:?}");
    let before = outputs(&learner.evaluated(), image, &Device::flex());
    for stage in 0..4 {
        learner.stack(stage, &*zero(), &mut generator(5, Purpose::Growth, stage)).unwrap();
        let after = outputs(&learner.evaluated(), image, &Device::flex());
        assert_eq!(after, before, "after a growth of stage {stage}");
    }
    assert_eq!(learner.network().depth().to_string(), "3-3-3-3");
    let (learner, _) = epoch(learner, image, 4);
    assert_ne!(outputs(&learner.evaluated(), image, &Device::flex()), before);

    // Where nobody says how deep the seed is, it is as deep as the file.
    let init = format!("training.init_from={}", file.display());
    let said = ["config", "--network", name, "--data", "synthetic", "--set", &init];
    let said = PROGRAM.json(&said);
    assert_eq!(said["network.depth"]["value"], "2-2-2-2");
    let source = said["network.depth"]["source"].as_str().unwrap();
    assert!(
        source.starts_with("depth of ") && source.ends_with("resnet18.safetensors"),
        "{source}"
    );
}

/// A small network with statistics that mean something.
fn learner(training: &TrainingConfig) -> Learner {
    let mut config = Config::default();
    (config.network.width, config.training) = (4, training.clone());
    config.growth.policy = "none".into();
    let (config, data) = (Resolved::of(config).unwrap(), data([1, 8, 8]));
    let device = Device::flex().autodiff();
    let job =
        Job { config: &config, data: &data, device: &Device::flex(), ranks: &Ranks::single() };
    let network = job.seed_network(&device).unwrap();
    network
        .forward(Tensor::from_data(TensorData::new(images(4, [1, 8, 8]), [4, 1, 8, 8]), &device));
    let network = network.valid().train();
    Learner::new(network, &config.training, &config.plugin, device).unwrap()
}

fn training(stage_rates: &[f64]) -> TrainingConfig {
    TrainingConfig {
        stage_rates: stage_rates.into(),
        batch_size: 8,
        optimizer: "nesterov".into(),
        average: 0.5,
        ..TrainingConfig::default()
    }
}

const STEM: [&str; 2] = ["conv1.", "bn1."];

/// The part of the network that a tensor belongs to: 0 to 4.
fn part(name: &str) -> usize {
    match name.strip_prefix("layer") {
        Some(rest) => rest[..1].parse().unwrap(),
        None if STEM.iter().any(|stem| name.starts_with(stem)) => 0,
        None => 4,
    }
}

#[test]
fn frozen_parts_keep_every_bit_and_their_statistics() {
    for frozen in 1..5 {
        let mut factors = [1.0; 5];
        factors[..frozen].fill(0.0);
        let mut learner = learner(&training(&factors));
        let (before, parameters) =
            (StateDict::of(learner.network()).unwrap(), learner.network().parameters());
        assert_eq!(parameters, before.parameters(), "what is frozen counts");
        for number in 1..=2 {
            (learner, _) = epoch(learner, [1, 8, 8], number);
        }
        let evaluated = learner.evaluated();
        let (objective, device) = (learner.objective(), Device::flex());
        recalibrate(&evaluated, objective, &Waves([1, 8, 8]), 8, 1, &device).unwrap();
        for network in [learner.network(), &evaluated] {
            for (name, entry) in StateDict::of(network).unwrap().0 {
                let is_kept = entry == before.0[&name];
                assert_eq!(is_kept, part(&name) < frozen, "{name}, {frozen} frozen");
            }
        }
    }
}

/// One step of plain descent goes as far as the factor says.
#[test]
fn each_part_has_its_step_size() {
    let step = |factors: &[f64]| {
        let plain = TrainingConfig {
            optimizer: "sgd".into(),
            batch_size: 20,
            momentum: 0.0,
            weight_decay: 0.0,
            average: 0.0,
            ..training(factors)
        };
        let learner = learner(&plain);
        let before = StateDict::of(learner.network()).unwrap();
        (before, StateDict::of(epoch(learner, [1, 8, 8], 1).0.network()).unwrap())
    };
    let factors = [0.25, 0.5, 0.1, 1.0, 2.0];
    let ((before, usual), (_, own)) = (step(&[]), step(&factors));
    for (name, entry) in before.0.iter().filter(|(name, _)| !name.contains("running")) {
        let moved = |to: &StateDict| -> Vec<f32> {
            to.0[name].values.iter().zip(&entry.values).map(|(to, from)| to - from).collect()
        };
        let (usual, own) = (moved(&usual), moved(&own));
        let factor = factors[part(name)] as f32;
        let furthest = usual.iter().fold(0.0_f32, |far, step| far.max(step.abs()));
        assert!(furthest > 0.0, "{name}");
        for (usual, own) in usual.iter().zip(&own) {
            assert!(
                (own - factor * usual).abs() < 1e-2 * furthest + 1e-6,
                "{name}: {own}, {usual}"
            );
        }
    }
}

#[test]
fn factors_that_do_not_suit_are_refused() {
    let refused = |factors: &str, more: &[&str]| {
        let set = format!("training.stage_rates={factors}");
        let message = PROGRAM.fails(2, &[&["config", "--set", &set], more].concat());
        assert!(message.contains("hint: "), "{message}");
        message
    };
    let none = ["--policy", "none"];
    assert!(refused("[1, 1]", &none).contains("has 2 factors, but basic3resnet has 5 parts"));
    assert!(refused("[1, -1, 1, 1, 1]", &none).contains("out of range"));
    assert!(refused("[1, 0, 1, 1, 1]", &none).contains("above one that trains"));
    assert!(refused("[0, 0, 0, 0, 0]", &none).contains("freezes everything"));
    let message = refused("[0, 0, 1, 1, 1]", &[]);
    assert!(message.contains("freezes sub-network 1, which may grow"), "{message}");
    assert!(message.contains("--set growth.max_depth=1-99-99"), "{message}");
    let capped = ["--set", "growth.max_depth=1-99-99", "--set", "training.stage_rates=[0,0,1,1,1]"];
    PROGRAM.json(&[&["config"], &capped[..]].concat());
}
