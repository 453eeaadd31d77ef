//! What makes the command pleasant: runs by name, settings as a file, colours, help.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use serde_json::Value;
use std::process::Output;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// Settings under which a whole run takes a second.
const TINY: &[&str] = &["--fraction", "0.1", "--width", "4", "--epochs", "2"];

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn runs_are_listed_newest_first_and_the_last_one_has_a_name() {
    let place = tempfile::tempdir().unwrap();
    let here = |arguments: &[&str]| {
        let output = PROGRAM.command(arguments).current_dir(place.path()).output().unwrap();
        (
            output.status.code(),
            stdout(&output),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, text, _) = here(&["runs"]);
    assert_eq!((code, text.contains("no runs in runs")), (Some(0), true));
    let (code, _, message) = here(&["report", "last"]);
    assert_eq!((code, message.contains("there is none")), (Some(4), true), "{message}");
    for _ in 0..2 {
        assert_eq!(here(&[&["train", "--quiet", "--policy", "none"], TINY].concat()).0, Some(0));
    }
    std::fs::create_dir(place.path().join("runs/other")).unwrap();
    let (_, text, _) = here(&["runs", "--json"]);
    let listed: Value = serde_json::from_str(&text).unwrap();
    let listed = listed["runs"].as_array().unwrap();
    let names: Vec<_> = listed.iter().map(|run| run["run"].as_str().unwrap()).collect();
    assert_eq!(names, ["runs/digits-basic3resnet-2", "runs/digits-basic3resnet-1"]);
    assert_eq!([&listed[0]["status"], &listed[0]["depth"]], ["finished", "1-1-1"]);
    let evaluate = |run| here(&["evaluate", run, "--json", "--split", "val"]).1;
    assert_eq!(evaluate("last"), evaluate("runs/digits-basic3resnet-2"));
    let (_, text, _) = here(&["runs", "--page"]);
    assert_eq!(text.trim(), "runs/index.html");
    let index = std::fs::read_to_string(place.path().join("runs/index.html")).unwrap();
    assert!(index.contains("href=\"digits-basic3resnet-1/report.html\""));
    assert_eq!(here(&["runs", "nowhere"]).0, Some(4));
}

#[test]
fn a_configuration_is_printed_as_it_can_be_read() {
    let place = tempfile::tempdir().unwrap();
    let arguments = ["config", "--policy", "convergent", "--lr", "0.05", "--width", "8"];
    let text = stdout(&PROGRAM.run(&[&arguments[..], &["--toml"]].concat()));
    let file = place.path().join("c.toml");
    std::fs::write(&file, &text).unwrap();
    let values = |arguments: &[&str]| {
        let config = PROGRAM.json(arguments);
        let keys = config.as_object().unwrap().iter();
        keys.map(|(key, item)| format!("{key} = {}", item["value"])).collect::<Vec<_>>()
    };
    assert_eq!(values(&["config", "--config", file.to_str().unwrap()]), values(&arguments));
    assert!(text.contains("learning_rate = 0.05"), "{text}");
}

#[test]
fn colours_can_be_asked_for_and_refused() {
    let is_coloured = |arguments: &[&str]| {
        let output = PROGRAM.run(arguments);
        String::from_utf8_lossy(&output.stdout).contains('\x1b')
    };
    let plan = ["plan", "--set", "network.width=4", "--set", "data.fraction=0.1"];
    assert!(!is_coloured(&plan));
    assert!(is_coloured(&[&plan[..], &["--color", "always"]].concat()));
    assert!(!is_coloured(&[&plan[..], &["--color", "never"]].concat()));
}

#[test]
fn without_a_command_there_is_help() {
    let output = PROGRAM.run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Commands:"));
}
