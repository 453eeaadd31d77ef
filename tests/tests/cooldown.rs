//! What a growing network would be worth now: a branch of its run grows no further and anneals.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::network::StateDict;
use autogrow_core::run::ModelFile;
use autogrow_tests::program::Program;
use burn::tensor::Device;
use serde_json::Value;
use std::path::{Path, PathBuf};
use {autogrow_data as _, autogrow_models as _};

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// A run of a second that grows for some epochs and keeps weights of every second.
const SETTINGS: [&str; 10] = [
    "data.fraction=0.05",
    "network.width=2",
    "growth.policy=periodic",
    "growth.interval=1",
    "growth.patience=3",
    "growth.max_depth=3-2-2",
    "fine_tune.epochs=3",
    "training.batch_size=16",
    "training.learning_rate=0.02",
    "run.snapshots=2",
];

fn arguments(run: &Path) -> Vec<String> {
    let mut arguments = vec!["train".to_string(), run.to_str().unwrap().into(), "--quiet".into()];
    arguments.extend(SETTINGS.iter().flat_map(|set| ["--set".to_string(), (*set).into()]));
    arguments
}

fn train(place: &Path) -> (PathBuf, Value) {
    let run = place.join("run");
    let arguments = arguments(&run);
    let result = PROGRAM.json(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    (run, result)
}

fn weights(run: &Path) -> StateDict {
    let (network, _) = ModelFile::read(run).unwrap().build(&Device::flex()).unwrap();
    StateDict::of(&network).unwrap()
}

fn cooldown(run: &Path, more: &[&str]) -> Value {
    PROGRAM.json(&[&["cooldown", run.to_str().unwrap(), "--quiet"], more].concat())
}

/// All that is in a folder but the branches.
fn bytes(run: &Path) -> Vec<(String, Vec<u8>)> {
    let names = ["metrics.csv", "journal.jsonl", "model.safetensors", "result.json", "config.toml"];
    names.map(|name| (name.to_string(), std::fs::read(run.join(name)).unwrap())).into()
}

/// Annealed for as long, the network that growth has left becomes the one that the run has found.
#[test]
fn at_the_end_of_growth_it_is_the_run_itself() {
    let place = tempfile::tempdir().unwrap();
    let (run, result) = train(place.path());
    let before = bytes(&run);
    let grew = result["growing_epochs"].as_u64().unwrap();
    let cooled = cooldown(&run, &["--at", &grew.to_string(), "--epochs", "3"]);
    for key in ["found", "val_accuracy", "test_accuracy", "growing_epochs", "fine_tuning_epochs"] {
        assert_eq!(cooled[key], result[key], "{key}");
    }
    assert_eq!(cooled["at"], grew);
    assert!(weights(&run) == weights(&run.join(format!("cooldown-{grew}"))));
    assert_eq!(bytes(&run), before, "the run stays as it was");
    // The last epoch of growing is the default, and what is there is not trained again.
    assert_eq!(cooldown(&run, &["--epochs", "3"]), cooled);
    let message = PROGRAM.fails(4, &["cooldown", run.to_str().unwrap(), "--epochs", "2"]);
    assert!(message.contains("of 3 epochs") && message.contains("hint: name another"), "{message}");
    let report = std::fs::read_to_string(run.join(format!("cooldown-{grew}/report.html")));
    assert!(report.unwrap().contains("<html"));
}

/// From weights alone, of an epoch whose checkpoint is long gone.
#[test]
fn it_begins_from_a_snapshot() {
    let place = tempfile::tempdir().unwrap();
    let (run, _) = train(place.path());
    let out = place.path().join("other");
    let text = out.to_str().unwrap();
    let cooled = cooldown(&run, &[text, "--at", "2", "--epochs", "1"]);
    assert_eq!((&cooled["at"], &cooled["growing_epochs"]), (&2.into(), &2.into()));
    assert_eq!(cooled["fine_tuning_epochs"], 1);
    assert!(cooled["before_percent"].as_f64().unwrap() > 0.0);
    // The second epoch has trained the net that the first growth made.
    let metrics = std::fs::read_to_string(run.join("metrics.csv")).unwrap();
    let depth = metrics.lines().nth(2).unwrap().split(',').nth(2).unwrap();
    assert_eq!(cooled["found"], depth);
    assert!(!run.join("cooldown-2").exists());
    let output =
        PROGRAM.run(&["cooldown", run.to_str().unwrap(), text, "--at", "2", "--epochs", "1"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(depth) && said.contains("after epoch 2 of"), "{said}");
}

#[test]
fn a_run_that_was_killed_while_it_grew_has_branches() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let arguments = arguments(&run);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let killed = PROGRAM.command(&arguments).env("FAULT_AT", "kill:140").output().unwrap();
    assert!(!killed.status.success() && !run.join("grown").exists());
    let cooled = cooldown(&run, &["--epochs", "2"]);
    let at = cooled["at"].as_u64().unwrap();
    assert!(at > 1, "{cooled}");
    assert_eq!((&cooled["growing_epochs"], &cooled["fine_tuning_epochs"]), (&at.into(), &2.into()));
    // The run goes on as if nothing had happened.
    PROGRAM.json(&["resume", run.to_str().unwrap(), "--quiet"]);
    let other = tempfile::tempdir().unwrap();
    assert!(weights(&train(other.path()).0) == weights(&run));
}

#[test]
fn what_is_not_kept_is_told() {
    let place = tempfile::tempdir().unwrap();
    let (run, result) = train(place.path());
    let run = run.to_str().unwrap();
    let message = PROGRAM.fails(4, &["cooldown", run, "--at", "3", "--json"]);
    assert!(message.contains("kept nothing of epoch 3; of growing it has kept the epochs 0, 2, 4"));
    assert!(message.contains("hint: train with --set run.snapshots=N"), "{message}");
    let grew = result["growing_epochs"].as_u64().unwrap();
    let message = PROGRAM.fails(4, &["cooldown", run, "--at", &(grew + 1).to_string()]);
    assert!(message.contains("is fine-tuned already") && message.contains("hint: "), "{message}");
    let nothing = place.path().to_str().unwrap();
    assert!(PROGRAM.fails(4, &["cooldown", nothing]).contains("is not a run folder"));
    let none = PROGRAM.run(&["cooldown", run, "--epochs", "0"]);
    assert_eq!(none.status.code(), Some(2));
}
