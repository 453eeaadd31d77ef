//! Suites from end to end: what is said before anything is begun, a file of one's own, its document.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use serde_json::Value;
use std::path::Path;
use std::process::Output;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// Two searches, each with its baseline, that take a second.
const SUITE: &str = r#"
title = "Two initializers"
baseline = { network.depth = "found", growth.policy = "none" }

[set]
network.width = 4
data.fraction = 0.1
growth = { interval = 1, patience = 2 }
fine_tune.epochs = 1

[axes]
growth.initializer = ["zero", "gaussian"]
"#;

/// Runs a command that trains nothing, where no data set is.
fn refused(place: &Path, words: &str) -> (Option<i32>, String) {
    let mut command = PROGRAM.command(&words.split(' ').collect::<Vec<_>>());
    command.current_dir(place).env("XDG_DATA_HOME", place);
    let Output { status, stderr, .. } = command.output().unwrap();
    let folders: Vec<_> = std::fs::read_dir(place).unwrap().collect();
    assert!(folders.is_empty(), "{words}: {folders:?}");
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn what_stops_a_suite_is_said_before_anything_is_begun() {
    let place = tempfile::tempdir().unwrap();
    let (code, said) = refused(place.path(), "reproduce imagenet table3 --yes");
    assert_eq!(code, Some(3), "{said}");
    for name in ["cifar10", "cifar100"] {
        assert_eq!(said.matches(&format!("`autogrow download {name}`")).count(), 1, "{said}");
    }
    let (code, said) = refused(place.path(), "reproduce figure4 --scale smoke --device cuda");
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("`cuda`") && said.contains("hint"), "{said}");
    let (code, said) = refused(place.path(), "reproduce figure4 --data digits");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--yes") && said.contains("--scale small"), "{said}");
    let (code, said) = refused(place.path(), "reproduce table33 --scale smoke");
    assert_eq!((code, said.contains("table3")), (Some(2), true), "{said}");
}

#[test]
fn a_suite_of_ones_own() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("own.toml");
    std::fs::write(&file, SUITE).unwrap();
    let out = place.path().join("out");
    let [file, out_word] = [&file, &out].map(|path| path.to_str().unwrap());
    let suite = |more: &[&str]| PROGRAM.json(&[&["suite", file, "--out", out_word], more].concat());

    let listed = suite(&["--list"]);
    assert_eq!((&listed["schema"], &listed["runs"][1]["after"][0]), (&1.into(), &1.into()));
    let ended = suite(&["--jobs", "2"]);
    // Both searches may find the same net, and then share its baseline.
    assert_eq!((&ended["finished"], &ended["failed"]), (&4.into(), &Value::Array(Vec::new())));
    for row in ended["suites"][0]["rows"].as_array().unwrap() {
        let measured = &row["seeds"][0];
        let [own, baseline] = [measured, &measured["baseline"]].map(|run| &run["outcome"]);
        assert_eq!(own["found"], baseline["found"]);
        let accuracy = |outcome: &Value| outcome["test_accuracy"].as_f64().unwrap();
        assert_eq!(measured["delta"], accuracy(own) - accuracy(baseline));
        let told = out.join("runs").join(measured["run"].as_str().unwrap());
        assert!(told.with_added_extension("toml").is_file());
    }
    let table = std::fs::read_to_string(out.join("own.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + 2);

    // What has a result is not trained again.
    let result = |ended: &Value| ended["suites"][0]["rows"].clone();
    assert_eq!(result(&suite(&[])), result(&ended));
    assert_eq!(suite(&["--status"])["counts"]["finished"], 4);
}
