//! What a network is asked for: classes, values, labels. Each is learnt from a made-up table, and told
//! by every command in its own terms; what does not suit it is refused.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::config::TrainingConfig;
use autogrow_core::data::{Batch, Pass, Split, Targets};
use autogrow_core::network::{Blueprint, Network};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::ranks::Ranks;
use autogrow_core::settings::PluginSettings;
use autogrow_core::training::{Epoch, Learner, Scores, evaluate, objective};
use autogrow_core::{Error, Result};
use autogrow_models as _;
use autogrow_tests::program::Program;
use burn::tensor::Device;
use serde_json::Value;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::Path;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// Rows of two numbers from -1 to 1 without a pattern, with what `targets` makes of them.
fn table(path: &Path, header: &str, targets: impl Fn(f64, f64) -> String) {
    let mut text = format!("a,b,{header}\n");
    for row in 0..400 {
        let [a, b] = [1.7, 2.9].map(|step| (step * f64::from(row)).sin());
        writeln!(text, "{a},{b},{}", targets(a, b)).unwrap();
    }
    std::fs::write(path, text).unwrap();
}

/// Trains on a table for some seconds; returns the result.
fn train(folder: &Path, table: &Path, more: &[&str]) -> Value {
    let settings = [
        "network.width=16",
        "growth.interval=1",
        "growth.patience=2",
        "fine_tune.epochs=12",
        "training.batch_size=16",
        "training.optimizer=adam",
        "training.learning_rate=0.005",
    ];
    let settings: Vec<_> = settings.iter().flat_map(|set| ["--set", set]).collect();
    let (folder, table) = (folder.to_str().unwrap(), table.to_str().unwrap());
    let network = ["--network", "mlp1net", "--depth", "1", "--data", "csv", "--dir", table];
    PROGRAM.json(&[&["train", folder, "--quiet"], &network[..], &settings, more].concat())
}

fn percent(result: &Value) -> f64 {
    result["test_accuracy"].as_f64().unwrap()
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

#[test]
fn values_are_learnt_and_told_in_their_units() {
    let place = tempfile::tempdir().unwrap();
    let (file, run) = (place.path().join("table.csv"), place.path().join("run"));
    table(&file, "price,rent", |a, b| format!("{},{}", 5_000.0 + 800.0 * a * b, 3.0 * a - b));
    let set = ["--set", "training.objective=values", "--set", "data.target=price,rent"];
    let result = train(&run, &file, &set);
    assert_eq!(result["objective"], "values");
    assert!(percent(&result) > 80.0, "{result}");

    let run_name = run.to_str().unwrap();
    let evaluated = PROGRAM.json(&["evaluate", run_name]);
    assert!((100.0 * evaluated["r2"].as_f64().unwrap() - percent(&result)).abs() < 0.01);
    let price = &evaluated["values"][0];
    // The deviation of the price is about 400.
    let [rmse, mae] = ["rmse", "mae"].map(|key| price[key].as_f64().unwrap());
    assert!(10.0 < mae && mae <= rmse && rmse < 200.0, "{price}");
    let text = PROGRAM.run(&["evaluate", run_name]).stdout;
    assert!(String::from_utf8(text).unwrap().contains("RMSE"));

    // The model file says what its outputs mean, and so does what is exported.
    let model = read(&run.join("model.safetensors"));
    assert!(model.contains(r#"\"values\":[{\"name\":\"price\",\"mean\":"#), "metadata");
    let exported = place.path().join("net.onnx");
    PROGRAM.json(&["export", run_name, exported.to_str().unwrap()]);
    assert!(read(&exported).contains("\"deviation\":"));
    assert!(read(&run.join("README.md")).contains("A network for regression"));
    let data =
        PROGRAM.json(&[&["data", "csv", "--dir", file.to_str().unwrap()], &set[..]].concat());
    assert!((data["values"][0]["train"]["mean"].as_f64().unwrap() - 5_000.0).abs() < 100.0);
    let plan = PROGRAM.json(
        &[
            &["plan", "--network", "mlp1net", "--depth", "1", "--data", "csv", "--dir"],
            &[file.to_str().unwrap()][..],
            &set,
        ]
        .concat(),
    );
    assert_eq!((&plan["objective"], &plan["outputs"]), (&"values".into(), &2.into()));
}

#[test]
fn huber_and_several_ranks_learn_values_as_well() {
    let place = tempfile::tempdir().unwrap();
    let (file, run) = (place.path().join("table.csv"), place.path().join("run"));
    table(&file, "y", |a, b| format!("{}", a - 2.0 * b));
    let set = ["--set", "training.objective=values", "--set", "training.huber=1"];
    let result = train(&run, &file, &[&set[..], &["--device", "flex,flex"]].concat());
    assert!(percent(&result) > 90.0, "{result}");
}

/// At a step size of 0.1, that of classes, training on squared errors diverged.
#[test]
fn values_have_a_step_size_of_their_own() {
    let place = tempfile::tempdir().unwrap();
    let (file, run) = (place.path().join("table.csv"), place.path().join("run"));
    table(&file, "y,z", |a, b| format!("{},{}", a - 2.0 * b, a * b));
    let (folder, file) = (run.to_str().unwrap(), file.to_str().unwrap());
    let result = PROGRAM.json(
        &[
            &["train", folder, "--quiet", "--quick", "--network", "mlp1net", "--depth", "1"],
            &["--data", "csv", "--dir", file, "--set", "training.objective=values"][..],
            &["--set", "data.target=y,z"],
        ]
        .concat(),
    );
    assert!(percent(&result) > 80.0, "{result}");
    assert!(read(&run.join("config.toml")).contains("\nlearning_rate = 0.01\n"));
}

#[test]
fn labels_are_learnt() {
    let place = tempfile::tempdir().unwrap();
    let (file, run) = (place.path().join("table.csv"), place.path().join("run"));
    table(&file, "above,inside", |a, b| {
        format!("{},{}", u8::from(a > b), u8::from(a * a + b * b < 0.5))
    });
    let set = ["--set", "training.objective=labels", "--set", "data.target=above,inside"];
    let result = train(&run, &file, &set);
    assert!(percent(&result) > 85.0, "{result}");
    let evaluated = PROGRAM.json(&["evaluate", run.to_str().unwrap()]);
    assert_eq!(evaluated["accuracy"], result["test_accuracy"]);
    assert_eq!(evaluated["labels"][1]["label"], "inside");
    assert!(evaluated["labels"][0]["precision"].as_f64().unwrap() > 80.0, "{evaluated}");
}

#[test]
fn smoothed_classes_are_learnt() {
    let place = tempfile::tempdir().unwrap();
    let (file, run) = (place.path().join("table.csv"), place.path().join("run"));
    table(&file, "label", |a, b| if a > b { "above" } else { "below" }.into());
    let result = train(&run, &file, &["--set", "training.label_smoothing=0.1"]);
    assert!(percent(&result) > 85.0, "{result}");
    // No probability is worth 1: the best loss of two classes is that of 0.95 and 0.05.
    let metrics = read(&run.join("metrics.csv"));
    let losses = metrics.lines().skip(1).map(|row| row.split(',').nth(4).unwrap().parse::<f64>());
    assert!(losses.map(|loss| loss.unwrap()).fold(f64::INFINITY, f64::min) > 0.198, "{metrics}");
}

#[test]
fn a_set_and_an_objective_that_do_not_fit_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let train =
        |more: &[&str]| PROGRAM.fails(2, &[&["train", run.to_str().unwrap()], more].concat());
    let message = train(&["--data", "digits", "--set", "training.objective=values"]);
    assert!(message.contains("digits has classes") && message.contains("hint"), "{message}");
    let message = train(&["--set", "training.objective=valeus"]);
    assert!(message.contains("did you mean `values`?"), "{message}");
    let message = train(&["--data", "csv", "--dir", "x.csv", "--set", "data.target=y"]);
    assert!(message.contains("training.objective=values"), "{message}");
    train(&["--set", "training.label_smoothing=1"]);
    train(&["--set", "training.huber=-1"]);
    assert!(!run.exists());
}

/// One batch, whatever is asked for.
struct Given(Batch);

impl Split for Given {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn batches(&self, _: Pass) -> Box<dyn Iterator<Item = Result<Batch>> + '_> {
        Box::new(std::iter::once(Ok(self.0.clone())))
    }
}

/// Trains and evaluates two classes of 1x1 images on one batch.
fn learn(images: Vec<f32>, targets: Targets) -> [Result<Scores>; 2] {
    let device = Device::flex();
    let training = TrainingConfig { batch_size: 4, ..TrainingConfig::default() };
    let config = autogrow_core::config::NetworkConfig {
        name: "mlp1net".into(),
        depth: "1".parse().unwrap(),
        width: 4,
        ..Default::default()
    };
    let blueprint = Blueprint::seed(&config, Default::default(), [1, 1, 1], 2);
    let network = |device: &Device| {
        Network::new(blueprint.clone(), &mut generator(0, Purpose::Seed, 0), device).unwrap()
    };
    let (plugins, split) = (PluginSettings::default(), Given(Batch { images, targets }));
    let autodiff = device.clone().autodiff();
    let learner = Learner::new(network(&autodiff), &training, &plugins, autodiff).unwrap();
    let mut epoch = Epoch {
        split: &split,
        number: 1,
        seed: 0,
        learning_rate: 0.1,
        resumed: Default::default(),
        most_steps: None,
        on_step: &mut |_, _| Ok(ControlFlow::Continue(())),
    };
    let trained = learner.epoch(&mut epoch).map(|(_, scores)| scores);
    let judged = objective(&training, &plugins).unwrap();
    let ranks = Ranks::single();
    let evaluated = evaluate(&network(&device), &*judged, &split, &device, &ranks, &mut || Ok(()));
    [trained, evaluated.map(|validation| validation.scores)]
}

#[test]
fn a_split_that_breaks_its_contract_is_an_error() {
    let classes = |classes: &[usize]| Targets::Classes(classes.to_vec());
    for scores in learn(vec![0.0, 1.0], classes(&[0, 1])) {
        assert_eq!(scores.unwrap().images, 2);
    }
    let soft = Targets::Numbers { width: 2, values: vec![0.3, 0.7, 1.0, 0.0] };
    assert!(learn(vec![0.0, 1.0], soft).iter().all(Result::is_ok));
    for (images, targets, problem) in [
        (vec![0.0, 1.0], classes(&[0, 2]), "class 2 of 2"),
        (vec![0.0; 3], classes(&[0, 1]), "3 pixels for 2 images"),
        (vec![0.0], Targets::Numbers { width: 3, values: vec![0.0; 3] }, "3 targets an image"),
        (vec![0.0], Targets::Numbers { width: 2, values: vec![2.0, 0.0] }, "target 2"),
    ] {
        for scores in learn(images.clone(), targets.clone()) {
            let error = scores.unwrap_err();
            assert!(matches!(error, Error::Data { .. }) && error.hint().is_some(), "{error}");
            assert!(error.to_string().contains(problem), "{error}");
        }
    }
    let [trained, _] = learn(vec![0.0; 5], classes(&[0; 5]));
    assert!(trained.unwrap_err().to_string().contains("5 images in a batch of 4"));
}
