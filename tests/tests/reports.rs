//! Reports as the command line writes them: while a run goes on, at its end, and on demand.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;

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
        // Whole numbers are written without their point there.
        let value = value.trim_matches('"').trim_end_matches(".0");
        let key = key.trim_matches('"');
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

/// What a server on this machine answers to a request for `/`: its first line, and all of it.
fn get(address: &str, host: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.lines().next().unwrap_or_default().to_string(), answer)
}

#[test]
fn the_page_of_a_running_run_is_served() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    // It is ended below, long before it is over.
    let arguments = ["train", run.to_str().unwrap(), "--page", "--policy", "none"];
    let settings = ["--fraction", "0.1", "--width", "4", "--epochs", "100000"];
    let mut command = PROGRAM.command(&[&arguments[..], &settings].concat());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.starts_with("page ")).unwrap();
    let address = line.strip_prefix("page http://").unwrap();

    let (status, page) = get(address, address);
    assert!(status.contains("200"), "{page}");
    assert!(page.contains("text/html; charset=utf-8") && page.contains("basic3resnet"), "{page}");
    // A name that another site has given to this machine.
    let (status, page) = get(address, "elsewhere.example:80");
    assert!(status.contains("404") && !page.contains("basic3resnet"), "{page}");
    child.kill().unwrap();
    child.wait().unwrap();
}
