//! `run.device` with several devices: a rank each, within one process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use serde_json::Value;
use std::path::Path;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// A run that grows some times and fine-tunes, in seconds.
const TINY: &[&str] = &[
    "--quick",
    "--quiet",
    "--epochs=2",
    "--set=data.fraction=0.3",
    "--set=network.width=4",
    "--set=growth.interval=1",
    "--set=growth.patience=3",
    "--set=run.log_steps=true",
    "--set=training.sync_batch_norm=true",
    "--set=training.learning_rate=0.02",
    "--set=training.batch_size=64",
];

fn train(folder: &Path, devices: &str) -> Value {
    let start = ["train", folder.to_str().unwrap(), "--device", devices];
    PROGRAM.json(&[&start, TINY].concat())
}

fn losses(folder: &Path) -> Vec<f64> {
    let steps = std::fs::read_to_string(folder.join("steps.csv")).unwrap();
    steps.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse().unwrap()).collect()
}

#[test]
fn several_devices_train_as_one_does() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    train(&at("one"), "flex");
    let two = train(&at("two"), "flex,flex");
    let (first, second) = (losses(&at("one")), losses(&at("two")));
    // Sums are taken in another order; by and by that grows, until another depth is found.
    assert!(first.len() > 20 && second.len() > 20);
    for (a, b) in first.iter().zip(&second).take(20) {
        assert!((a - b).abs() <= 1e-4 * a.abs(), "{a} {b}");
    }
    let depths = |name: &str| {
        let rows = std::fs::read_to_string(at(name).join("metrics.csv")).unwrap();
        let depth = |row: &str| row.split(',').nth(2).unwrap().to_string();
        rows.lines().skip(1).take(3).map(depth).collect::<Vec<_>>()
    };
    assert_eq!(depths("one"), depths("two"));
    assert_eq!(depths("one")[2], "2-2-1", "grown twice");

    // Again, and the same bits.
    assert_eq!(train(&at("again"), "flex,flex")["test_accuracy"], two["test_accuracy"]);
    let model = |name: &str| std::fs::read(at(name).join("model.safetensors")).unwrap();
    assert!(model("two") == model("again"), "two runs differ");
    assert!(model("two") != model("one"), "one device did all of it");

    // A finished run is finished for all, on however many devices.
    let run = at("two");
    let resumed = PROGRAM.json(&["resume", run.to_str().unwrap(), "--quiet"]);
    assert_eq!(resumed["test_accuracy"], two["test_accuracy"]);
}

#[test]
fn a_device_that_is_not_there_ends_all() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let message = PROGRAM.fails(6, &["train", run.to_str().unwrap(), "--device", "flex,cuda:1"]);
    assert!(message.contains("rank 1: ") && message.contains("cuda:1"), "{message}");
    assert!(!run.exists());
    PROGRAM.fails(2, &["train", "--device", "flex,flx"]);
    PROGRAM.fails(2, &["train", "--device", "flex,"]);
}

#[test]
fn morphing_and_timing_take_several_devices() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("morph");
    let start = ["morph", folder.to_str().unwrap(), "--to=2-1-1", "--device=flex,flex"];
    let morphed = PROGRAM.json(&[&start, TINY].concat());
    assert_eq!(morphed["deep"]["found"], "2-1-1");
    let bench = ["bench", "step", "--device=flex,flex", "--batch=8", "--steps=1"];
    let step = PROGRAM.json(&[&bench[..], &["--image=1x8x8"]].concat());
    assert!(step["images_per_second"].as_f64().unwrap() > 0.0);
}
