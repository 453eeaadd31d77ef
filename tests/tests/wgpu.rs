//! A second real kind of device: training, and a checkpoint that goes from one device to another.
//! Built with `--features wgpu` alone, by `cargo xtask gpu-check`.
#![cfg(feature = "wgpu")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
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

#[test]
fn steps_are_timed_on_wgpu() {
    let image = ["--image", "1x8x8", "--network", "basic3resnet", "--batch", "8", "--steps", "2"];
    let step = autogrow(&[&["bench", "step", "--device", "wgpu"], &image[..]].concat());
    assert!(step["images_per_second"].as_f64().unwrap() > 0.0, "{step}");
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
