//! The same arithmetic as PyTorch: its numbers are in `fixtures/`, made by `make_fixtures.py`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::config::{Compat, Shortcut, TrainingConfig};
use autogrow_core::data::{Batch, Pass, Split, Targets};
use autogrow_core::network::{Blueprint, Network, StateDict, TensorEntry};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::registry::find;
use autogrow_core::settings::PluginSettings;
use autogrow_core::training::{Epoch, Learner, OptimizerKind, warm_up};
use autogrow_models as _;
use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn learner_of(network: Network, training: &TrainingConfig, device: &Device) -> Learner {
    Learner::new(network, training, &PluginSettings::default(), device.clone()).unwrap()
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(fixture(name)).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn blueprint(fixture: &Value, image: [usize; 3]) -> Blueprint {
    Blueprint {
        network: fixture["network"].as_str().unwrap().into(),
        depth: fixture["depth"].as_str().unwrap().parse().unwrap(),
        width: fixture["width"].as_u64().unwrap_or(64) as usize,
        image,
        classes: fixture["classes"].as_u64().unwrap_or(1000) as usize,
        shortcut: Shortcut::Projection,
        compat: Compat::Paper,
    }
}

/// The largest difference, relative to the largest number.
fn gap(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let largest = want.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    got.iter().zip(want).map(|(got, want)| (got - want).abs()).fold(0.0, f64::max) / largest
}

fn logits(network: &Network, images: &[f32], count: usize, device: &Device) -> Vec<f64> {
    let [channels, height, width] = network.blueprint().image;
    let shape = [count, channels, height, width];
    let images = Tensor::from_data(TensorData::new(images.to_vec(), shape), device);
    network.forward(images).into_data().iter::<f32>().map(f64::from).collect()
}

/// The 64 images of the fixtures, step after step without shuffling.
struct Images {
    pixels: Vec<f32>,
    labels: Vec<usize>,
    steps: usize,
}

impl Images {
    fn load(steps: usize) -> Self {
        let bytes = std::fs::read(fixture("images.safetensors")).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let normalise = |byte: &u8| (f32::from(*byte) / 255.0 - 0.5) / 0.25;
        Self {
            pixels: file.tensor("images").unwrap().data().iter().map(normalise).collect(),
            labels: file.tensor("labels").unwrap().data().iter().map(|&l| l as usize).collect(),
            steps,
        }
    }
}

impl Split for Images {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn batches(&self, pass: Pass) -> Box<dyn Iterator<Item = autogrow_core::Result<Batch>> + '_> {
        let (size, pixels) = (pass.batch_size, self.pixels.len() / self.labels.len());
        Box::new((0..self.steps).map(move |step| {
            let start = step * size % self.labels.len();
            Ok(Batch {
                images: self.pixels[start * pixels..(start + size) * pixels].to_vec(),
                targets: Targets::Classes(self.labels[start..start + size].to_vec()),
            })
        }))
    }
}

fn train(learner: Learner, steps: usize, rate: f64) -> (Learner, Vec<f64>) {
    let mut losses = Vec::new();
    let (learner, _) = learner
        .epoch(&mut Epoch {
            split: &Images::load(steps),
            number: 1,
            seed: 0,
            learning_rate: rate,
            resumed: Default::default(),
            most_steps: None,
            on_step: &mut |_, step| {
                losses.push(step.loss);
                Ok(ControlFlow::Continue(()))
            },
        })
        .unwrap();
    (learner, losses)
}

fn small_network_agrees(name: &str) {
    let want = json(&format!("{name}.json"));
    let device = Device::flex();
    let training_device = device.clone().autodiff();
    let load = |device: &Device| {
        let path = fixture(&format!("{name}.safetensors"));
        let state = StateDict::from_safetensors(&std::fs::read(&path).unwrap(), &path).unwrap();
        let mut rng = generator(1, Purpose::Seed, 0);
        let network = Network::new(blueprint(&want, [3, 32, 32]), &mut rng, device).unwrap();
        state.load_into(network, &path).unwrap()
    };
    let network = load(&training_device);
    assert_eq!(network.parameters() as u64, want["parameters"].as_u64().unwrap());

    // Logits in evaluation mode, before training.
    let eight = &Images::load(0).pixels[..8 * 3 * 32 * 32];
    let got = logits(&load(&device), eight, 8, &device);
    let off = gap(&got, &numbers(&want["logits"]));
    assert!(off < 1e-4, "{name}: logits differ by {off:.1e}");

    // Every gradient of the first step: the weights' change by a step of plain descent.
    let plain = TrainingConfig {
        batch_size: want["batch_size"].as_u64().unwrap() as usize,
        momentum: 0.0,
        weight_decay: 0.0,
        ..TrainingConfig::default()
    };
    let before = StateDict::of(&network).unwrap();
    let (learner, _) = train(learner_of(network, &plain, &training_device), 1, 1.0);
    let after = StateDict::of(learner.network()).unwrap();
    for (parameter, sums) in want["first_gradients"].as_object().unwrap() {
        let (before, after) = (&before.0[parameter].values, &after.0[parameter].values);
        let norm =
            before.iter().zip(after).map(|(b, a)| f64::from(b - a).powi(2)).sum::<f64>().sqrt();
        let want = numbers(sums)[1];
        assert!((norm / want - 1.0).abs() < 1e-3, "{name} {parameter}: {norm} against {want}");
    }

    // Twenty steps of SGD with momentum and weight decay.
    let training = TrainingConfig {
        batch_size: plain.batch_size,
        momentum: want["momentum"].as_f64().unwrap(),
        weight_decay: want["weight_decay"].as_f64().unwrap(),
        ..TrainingConfig::default()
    };
    let rate = want["learning_rate"].as_f64().unwrap();
    let learner = learner_of(load(&training_device), &training, &training_device);
    let (learner, losses) = train(learner, 20, rate);
    for (step, (got, want)) in losses.iter().zip(numbers(&want["losses"])).enumerate() {
        assert!((got / want - 1.0).abs() < 1e-3, "{name}, step {step}: loss {got}, not {want}");
    }
    let network = learner.evaluated();
    let off = gap(&logits(&network, eight, 8, &device), &numbers(&want["final_logits"]));
    assert!(off < 5e-3, "{name}: logits after training differ by {off:.1e}");
    let state = StateDict::of(&network).unwrap();
    for (statistic, sum) in want["final_running_sums"].as_object().unwrap() {
        let got: f64 = state.0[statistic].values.iter().map(|&value| f64::from(value)).sum();
        let scale: f64 =
            state.0[statistic].values.iter().map(|&value| f64::from(value.abs())).sum();
        let off = (got - sum.as_f64().unwrap()).abs() / scale;
        assert!(off < 1e-3, "{name} {statistic}: {got}, not {sum}");
    }
}

#[test]
fn basic3resnet_agrees() {
    small_network_agrees("basic3resnet");
}

#[test]
fn basic4resnet_agrees() {
    small_network_agrees("basic4resnet");
}

#[test]
fn plain3net_agrees() {
    small_network_agrees("plain3net");
}

#[test]
fn plain4net_agrees() {
    small_network_agrees("plain4net");
}

#[test]
fn bottleneck4resnet_agrees() {
    small_network_agrees("bottleneck4resnet");
}

/// Uniform numbers in 0 to 1 that follow from a tensor's name; see `make_fixtures.py`.
fn uniforms(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let hash = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    (0..count as u64).map(move |index| {
        let mut z = hash.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 40) as f64 / f64::from(1 << 24)
    })
}

fn formula_tensor(name: &str, shape: &[usize]) -> Vec<f32> {
    let fan_in: usize = shape.iter().skip(1).product();
    let scaled = |u: f64| match (name, shape.len()) {
        ("input", _) => 4.0 * u - 2.0,
        (_, 4) => (2.0 * u - 1.0) * (1.75 / (fan_in as f64).sqrt()),
        (_, 2) => (2.0 * u - 1.0) * (2.0 / (fan_in as f64).sqrt()),
        _ if name.ends_with("weight") || name.ends_with("running_var") => 0.5 + u,
        _ => (u - 0.5) * 0.2,
    };
    uniforms(name, shape.iter().product()).map(|u| scaled(u) as f32).collect()
}

#[test]
fn imagenet_networks_are_torchvisions() {
    let want = json("imagenet.json");
    for sample in want["samples"].as_array().unwrap() {
        let shape: Vec<_> = numbers(&sample["shape"]).iter().map(|&size| size as usize).collect();
        let tensor = formula_tensor(sample["name"].as_str().unwrap(), &shape);
        for (value, bits) in tensor.iter().zip(sample["first_f32_bits"].as_array().unwrap()) {
            assert_eq!(format!("{:08x}", value.to_bits()), bits.as_str().unwrap());
        }
    }
    let device = Device::flex();
    let image = formula_tensor("input", &[1, 3, 224, 224]);
    for net in want["nets"].as_array().unwrap() {
        let mut rng = generator(0, Purpose::Seed, 0);
        let network = Network::new(blueprint(net, [3, 224, 224]), &mut rng, &device).unwrap();
        let mut state = StateDict::of(&network).unwrap();
        for (name, TensorEntry { shape, values }) in &mut state.0 {
            *values = formula_tensor(name, shape);
        }
        let network = state.load_into(network, Path::new("formula")).unwrap();
        let off = gap(&logits(&network, &image, 1, &device), &numbers(&net["logits"]));
        assert!(off < 1e-4, "{} {}: logits differ by {off:.1e}", net["network"], net["depth"]);
    }
}

#[derive(Module, Debug)]
struct Point {
    p: Param<Tensor<1>>,
}

#[test]
fn optimizers_step_as_pytorchs() {
    let want = json("optimizers.json");
    let device = Device::flex().autodiff();
    let tensor = |key: &str| {
        let values: Vec<f32> = numbers(&want[key]).iter().map(|&value| value as f32).collect();
        Tensor::<1>::from_data(TensorData::new(values, [6]), &device)
    };
    let (a, b) = (tensor("a"), tensor("b"));
    let mut seen = 0;
    for row in want["optimizers"].as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let optimizer = match name {
            "sgd" | "sgd-momentum" => "sgd",
            "nesterov" => "nesterov",
            "adam" => "adam",
            "adamw" => "adamw",
            "adam-amsgrad" => "amsgrad",
            "adagrad" => "adagrad",
            "adadelta" => "adadelta",
            "rmsprop" => "rmsprop",
            // Other betas than the defaults, which are all that can be chosen here.
            "adam-far" | "adam-amsgrad-far" => continue,
            other => panic!("{other} is not tested"),
        };
        let config = TrainingConfig {
            momentum: row["options"]["momentum"].as_f64().unwrap_or(0.0),
            weight_decay: 5e-4,
            ..TrainingConfig::default()
        };
        let kind = find::<OptimizerKind>(optimizer).unwrap();
        steps_are_warm_and_spare_vectors(row, kind, &config, [&a, &b, &tensor("start")]);
        let mut optimizer = (kind.build)(&config, &PluginSettings::default()).unwrap();
        let mut point = Point { p: Param::from_tensor(tensor("start")) };
        for (step, steps) in row["steps"].as_array().unwrap().iter().enumerate() {
            let p = point.p.val();
            let away = p.clone() - b.clone();
            let loss = (a.clone() * away.powi_scalar(2) + p.sin()).sum();
            let gradients = GradientsParams::from_grads(loss.backward(), &point);
            point = optimizer.step(row["options"]["lr"].as_f64().unwrap(), point, gradients);
            let got: Vec<f64> = point.p.val().into_data().iter::<f32>().map(f64::from).collect();
            let off = gap(&got, &numbers(steps));
            assert!(off < 1e-5, "{name}, step {step}: differs by {off:.1e}");
        }
        seen += 1;
    }
    assert_eq!(seen, 9);
}

#[derive(Module, Debug)]
struct MatrixAndVector {
    matrix: Param<Tensor<2>>,
    vector: Param<Tensor<1>>,
}

/// With `training.decay_norms = false`, over the first two epochs of four steps rising.
fn steps_are_warm_and_spare_vectors(
    row: &Value,
    kind: &OptimizerKind,
    config: &TrainingConfig,
    [a, b, start]: [&Tensor<1>; 3],
) {
    let (name, want) = (&row["name"], &row["warm"]);
    let config = TrainingConfig {
        weight_decay: want["weight_decay"].as_f64().unwrap(),
        decay_norms: false,
        ..config.clone()
    };
    let mut optimizer = (kind.build)(&config, &PluginSettings::default()).unwrap();
    let mut both = MatrixAndVector {
        matrix: Param::from_tensor(start.clone().reshape([2, 3])),
        vector: Param::from_tensor(start.clone()),
    };
    let rate = row["options"]["lr"].as_f64().unwrap();
    for step in 0..20 {
        let parts = [both.matrix.val().reshape([6]), both.vector.val()];
        let loss = |p: Tensor<1>| {
            let away = p.clone() - b.clone();
            (a.clone() * away.powi_scalar(2) + p.sin()).sum()
        };
        let [matrix, vector] = parts.map(loss);
        let gradients = GradientsParams::from_grads((matrix + vector).backward(), &both);
        let rate = rate * warm_up(2, (step + 1) as f64 / 4.0);
        both = optimizer.step(rate, both, gradients);
        let parts = [both.matrix.val().reshape([6]), both.vector.val()];
        for (part, key) in parts.into_iter().zip(["decayed", "spared"]) {
            let got: Vec<f64> = part.into_data().iter::<f32>().map(f64::from).collect();
            let off = gap(&got, &numbers(&want[key][step]));
            assert!(off < 1e-5, "{name}, warm, step {step}: {key} differs by {off:.1e}");
        }
    }
}

/// The first of four steps of an epoch of warm-up is a step of a quarter of the size.
#[test]
fn a_run_warms_up_step_by_step() {
    let want = json("basic3resnet.json");
    let device = Device::flex().autodiff();
    let after = |warmup_epochs, steps, rate| {
        let mut rng = generator(1, Purpose::Seed, 0);
        let network = Network::new(blueprint(&want, [3, 32, 32]), &mut rng, &device).unwrap();
        let training =
            TrainingConfig { batch_size: 16, warmup_epochs, ..TrainingConfig::default() };
        let (learner, _) = train(learner_of(network, &training, &device), steps, rate);
        StateDict::of(learner.network()).unwrap()
    };
    let quarter = after(0, 1, 0.0625);
    assert_eq!(after(1, 1, 0.25), quarter);
    assert_ne!(after(0, 1, 0.25), quarter);
}

#[test]
fn weights_are_drawn_as_pytorch_draws_them() {
    let device = Device::flex();
    for row in json("initializers.json")["tensors"].as_array().unwrap() {
        let shape: Vec<_> = numbers(&row["shape"]).iter().map(|&size| size as usize).collect();
        let mut rng = generator(3, Purpose::Seed, 0);
        let values: Vec<f32> = match (row["layer"].as_str().unwrap(), shape[..].len()) {
            ("Conv2d", _) => {
                let conv =
                    autogrow_kernels::conv([shape[1], shape[0]], shape[2], 1, &mut rng, &device);
                conv.weight.val().into_data().iter::<f32>().collect()
            }
            (_, 2) => {
                let linear = autogrow_kernels::linear([shape[1], shape[0]], &mut rng, &device);
                linear.weight.val().into_data().iter::<f32>().collect()
            }
            _ => {
                let inputs = row["fan_in"].as_u64().unwrap() as usize;
                let linear = autogrow_kernels::linear([inputs, shape[0]], &mut rng, &device);
                linear.bias.unwrap().val().into_data().iter::<f32>().collect()
            }
        };
        let bound = row["bound"].as_f64().unwrap();
        let largest = values.iter().fold(0.0f64, |largest, &v| largest.max(f64::from(v.abs())));
        assert!(largest <= bound * (1.0 + 1e-6) && largest > 0.99 * bound, "{row}");
        let squares: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
        let deviation = (squares / values.len() as f64).sqrt();
        assert!((deviation / row["std"].as_f64().unwrap() - 1.0).abs() < 0.03, "{row}");
    }
}
