//! Reports as the command line writes them: while a run goes on, at its end, and on demand.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use serde_json::Value;
use std::fs;
use std::path::Path;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// Settings under which a whole run takes a second.
const TINY: [&str; 5] = [
    "data.fraction=0.1",
    "network.width=4",
    "growth.interval=1",
    "growth.patience=2",
    "fine_tune.epochs=2",
];

fn train(folder: &Path, seed: &str) {
    let set = TINY.iter().flat_map(|setting| ["--set", setting]);
    let start = ["train", folder.to_str().unwrap(), "--quick", "--seed", seed];
    PROGRAM.json(&start.into_iter().chain(set).collect::<Vec<_>>());
}

#[test]
fn a_run_has_a_report_and_runs_can_be_compared() {
    let place = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| place.path().join(name));
    train(&first, "0");
    let page = || fs::read_to_string(first.join("report.html")).unwrap();
    let written_by_train = page();
    // As text: what reads JSON here may be one bit off.
    for line in fs::read_to_string(first.join("result.json")).unwrap().lines() {
        let Some((key, value)) = line.trim().trim_end_matches(',').split_once(": ") else {
            continue;
        };
        let (key, value) = (key.trim_matches('"'), value.trim_matches('"'));
        if ["network", "data", "objective", "at_floor"].contains(&key) {
            continue;
        }
        let shown = format!("data-name=\"{key}\" value=\"{value}\"");
        assert!(written_by_train.contains(&shown), "{shown}");
    }
    // Class by class, with pictures of what was mistaken.
    let read =
        |file| -> Value { serde_json::from_slice(&fs::read(first.join(file)).unwrap()).unwrap() };
    let (evaluation, result) = (read("evaluation.json"), read("result.json"));
    assert_eq!(
        (&evaluation["top1"], &evaluation["split"]),
        (&result["test_accuracy"], &"test".into())
    );
    let worst = evaluation["worst"].as_array().unwrap();
    assert!(!worst.is_empty() && written_by_train.contains("Class by class"));
    for mistake in worst {
        let image = mistake["image"].as_str().unwrap();
        assert!(image.starts_with("data:image/png;base64,") && written_by_train.contains(image));
    }
    // It has ended, so that its page waits for nothing.
    assert!(!written_by_train.contains("http-equiv=\"refresh\""));

    let name = first.to_str().unwrap();
    fs::remove_file(first.join("report.html")).unwrap();
    let written = PROGRAM.json(&["report", name]);
    assert_eq!(page().len(), written_by_train.len());
    assert!(Path::new(written["tensorboard"].as_str().unwrap()).is_file());

    train(&second, "1");
    let out = place.path().join("both.html");
    PROGRAM.json(&["report", name, second.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let both = fs::read_to_string(out).unwrap();
    assert!(both.contains("data-name=\"1.found\"") && both.contains("run.seed"));

    assert!(
        PROGRAM.fails(4, &["report", place.path().to_str().unwrap()]).contains("not a run folder")
    );
    fs::remove_file(first.join("report.html")).unwrap();
    fs::create_dir(first.join("report.html")).unwrap();
    assert!(PROGRAM.fails(4, &["report", name]).contains("report.html: cannot be written"));
}
