//! What limits a run beside its policy: minutes, operations, parameters.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use serde_json::Value;
use std::path::Path;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// A run of a second on a tenth of the digits.
const TINY: [&str; 8] = [
    "data.fraction=0.1",
    "network.width=4",
    "growth.policy=periodic",
    "growth.interval=1",
    "growth.patience=4",
    "training.batch_size=16",
    "fine_tune.epochs=3",
    "run.log_steps=true",
];

fn arguments<'a>(command: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    let settings = TINY.iter().chain(more).flat_map(|set| ["--set", set]);
    command.iter().copied().chain(settings).collect()
}

fn train(folder: &Path, more: &[&str]) -> Value {
    PROGRAM.json(&arguments(&["train", folder.to_str().unwrap(), "--quiet"], more))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The names of the events in a journal.
fn events(run: &Path) -> Vec<String> {
    let lines = read(&run.join("journal.jsonl"));
    let event = |line| serde_json::from_str::<Value>(line).unwrap()["event"].clone();
    lines.lines().map(|line| event(line).as_str().unwrap().to_string()).collect()
}

#[test]
fn time_that_is_enough_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let model = |minutes: &str| {
        let run = place.path().join(minutes);
        train(&run, &[minutes]);
        (read(&run.join("steps.csv")), std::fs::read(run.join("model.safetensors")).unwrap())
    };
    assert!(model("run.max_minutes=0") == model("run.max_minutes=1e6"));
}

/// A thousandth of a second: an epoch of one step, and what it made of the seed is the result.
#[test]
fn without_time_growth_ends_after_a_step() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let outcome = train(&run, &["run.max_minutes=1e-5"]);
    assert_eq!(outcome["found"], "1-1-1");
    assert_eq!([&outcome["growing_epochs"], &outcome["fine_tuning_epochs"]], [1, 0]);
    assert_eq!(read(&run.join("steps.csv")).lines().count(), 2);
    let out_of_time = events(&run).iter().filter(|event| *event == "out-of-time").count();
    assert_eq!(out_of_time, 3);
    // What the clock has left out is not told as unreadable.
    assert!(!events(&run).contains(&"skipped".to_string()));
    let page = read(&run.join("report.html"));
    assert!(page.contains("Why it stopped there") && !page.contains("What it waits for"), "{page}");
    assert!(page.contains("Time ended growth after epoch 1."), "{page}");
    // Between checks too, and with any policy.
    let worth = place.path().join("worth");
    train(&worth, &["run.max_minutes=1e-5", "growth.policy=worth", "growth.interval=2"]);
    let page = read(&worth.join("report.html"));
    assert!(page.contains("Time ended growth after epoch 1."), "{page}");
    assert!(page.contains("Why it stopped there") && !page.contains("What it waits for"), "{page}");
    // A baseline as well.
    let baseline = place.path().join("baseline");
    let outcome = train(&baseline, &["run.max_minutes=1e-5", "growth.policy=none"]);
    assert_eq!([&outcome["growing_epochs"], &outcome["fine_tuning_epochs"]], [0, 1]);
    assert!(read(&baseline.join("report.html")).contains("Why this depth"));
}

/// More time than it began with: a run that was out of time does not grow again.
#[test]
fn a_run_that_was_out_of_time_resumes_where_it_was() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &["run.max_minutes=1e-5"]);
    std::fs::remove_file(run.join("result.json")).unwrap();
    let folder = run.to_str().unwrap();
    let outcome = PROGRAM.json(&["resume", folder, "--quiet", "--set", "run.max_minutes=1e6"]);
    assert_eq!(outcome["found"], "1-1-1");
    assert_eq!([&outcome["growing_epochs"], &outcome["fine_tuning_epochs"]], [1, 3]);
}

#[test]
fn no_network_costs_more_than_it_may() {
    let place = tempfile::tempdir().unwrap();
    let seed = PROGRAM.json(&arguments(&["plan", "--quiet"], &[]))["seed"].clone();
    for (key, cost) in [("growth.max_macs", "macs"), ("growth.max_parameters", "parameters")] {
        let least = seed[cost].as_u64().unwrap();
        let run = place.path().join(cost);
        let outcome = train(&run, &[&format!("{key}={}", 2 * least)]);
        let grown = outcome[cost].as_u64().unwrap();
        assert!((least + 1..=2 * least).contains(&grown), "{outcome}");
        let events = events(&run);
        let count = |name: &str| events.iter().filter(|event| *event == name).count();
        // The policy alone would go on: it is deeper without.
        assert_eq!((count("capped"), count("stopped")), (3, 0), "{events:?}");
        let page = read(&run.join("report.html"));
        assert!(page.contains("as deep as allowed"));
        let too_little = place.path().join("too-little");
        let limit = format!("{key}={}", least - 1);
        let limit = ["train", too_little.to_str().unwrap(), "--set", &limit];
        let output = PROGRAM.run(&arguments(&limit, &[]));
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(key));
        assert!(!too_little.exists());
    }
}

#[test]
fn plans_say_what_there_is_time_for() {
    let plan = |minutes: &str| {
        let minutes = format!("run.max_minutes={minutes}");
        PROGRAM.json(&arguments(&["plan", "--quiet"], &[&minutes]))["in_time"].clone()
    };
    assert!(plan("0").is_null());
    let day = plan("1440");
    // N.
    assert_eq!(day["fine_tuning_epochs_of_seed"], 3);
    assert!(day["growing_epochs_of_seed"].as_u64().unwrap() > 100);
    assert_eq!(plan("1e-9")["growing_epochs_of_seed"], 0);
}
