//! What people and programs read of the command line: the help of every command, and the document
//! that `--json` prints. `INSTA_UPDATE=always` keeps what has changed; look at it first.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use serde_json::{Value, json};
use std::path::Path;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// A run of a second that grows the same wherever it is trained: nothing is an improvement.
const TINY: [&str; 6] = [
    "--quick",
    "--set=data.fraction=0.1",
    "--set=network.width=4",
    "--set=growth.interval=1",
    "--set=growth.patience=2",
    "--set=growth.threshold=100",
];

#[test]
fn help_of_every_command() {
    let command = autogrow_cli::command().term_width(80);
    let mut names = Vec::new();
    snapshot_help(command, &mut names);
    assert!(names.len() > 15, "{names:?}");
}

fn snapshot_help(mut command: clap::Command, names: &mut Vec<String>) {
    let name = command.get_bin_name().unwrap_or("autogrow").replace(' ', "-");
    insta::assert_snapshot!(format!("help-{name}"), command.render_long_help().to_string());
    names.push(name);
    for sub in command.get_subcommands().cloned().collect::<Vec<_>>() {
        snapshot_help(sub.term_width(80), names);
    }
}

/// What of a document is the same on every machine.
#[derive(Clone, Copy, PartialEq)]
enum Keep {
    /// All of it.
    Everything,
    /// Whole numbers; fractions are measured.
    WholeNumbers,
    /// Its form: all numbers come from weights, which other processors round differently.
    Form,
}

/// Prints the document of a command, without what differs between two calls.
fn document(place: &Path, keep: Keep, arguments: &[&str]) -> String {
    let text = PROGRAM.json(arguments).to_string();
    let text = text.replace(place.to_str().unwrap(), "[place]");
    let mut value = serde_json::from_str(&text).unwrap();
    redact(&mut value, keep);
    format!("{:#}", value)
}

fn redact(value: &mut Value, keep: Keep) {
    match value {
        Value::Number(number) if keep == Keep::Form => {
            *value = if number.is_f64() { "[fraction]".into() } else { "[number]".into() };
        }
        Value::Number(number) if keep == Keep::WholeNumbers && number.is_f64() => {
            *value = "[fraction]".into();
        }
        Value::Array(items) => {
            if items.len() > 3 {
                let more = items.len() - 1;
                items.truncate(1);
                let more =
                    if keep == Keep::Form { "[more]".into() } else { format!("[{more} more]") };
                items.push(more.into());
            }
            items.iter_mut().for_each(|item| redact(item, keep));
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                match key.as_str() {
                    "threads" => *field = "[threads]".into(),
                    // Its name holds the time.
                    "tensorboard" => *field = "[events]".into(),
                    "class" | "taken_for" if keep == Keep::Form => *field = "[class]".into(),
                    _ => redact(field, keep),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn documents_of_commands_that_train_nothing() {
    let place = tempfile::tempdir().unwrap();
    let curve = place.path().join("curve.csv");
    std::fs::write(&curve, "epoch,accuracy\n1,50\n2,60\n3,60\n4,60\n5,60\n6,60\n").unwrap();
    let curve = curve.to_str().unwrap();
    let replay = ["replay", curve, "--set=growth.interval=1", "--set=growth.patience=2"];
    let bench =
        ["bench", "step", "--batch=2", "--steps=1", "--image=1x8x8", "--set=network.width=4"];
    for (name, keep, arguments) in [
        ("replay", Keep::Everything, &replay[..]),
        ("config", Keep::Everything, &["config", "--quick"]),
        ("plan", Keep::WholeNumbers, &["plan", "--quick", "--set=network.width=4"]),
        ("data", Keep::WholeNumbers, &["data", "digits"]),
        ("list-policies", Keep::Everything, &["list", "policies"]),
        ("list-networks", Keep::WholeNumbers, &["list", "networks"]),
        ("bench-step", Keep::WholeNumbers, &bench),
        ("bench-data", Keep::WholeNumbers, &["bench", "data"]),
    ] {
        insta::assert_snapshot!(format!("json-{name}"), document(place.path(), keep, arguments));
    }
}

#[test]
fn documents_of_commands_about_runs() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name).to_str().unwrap().to_string();
    let [run, morph, weights, picture] = ["run", "morph", "net.onnx", "picture.png"].map(at);
    let surface = ["--grid=2", "--images=20"];
    let train = [&["train", &*run, "--epochs=2", "--set=run.snapshots=1"][..], &TINY].concat();
    let shallow = [&["morph", &*morph, "--to=2-1-2", "--epochs=1"][..], &TINY].concat();
    let landscape = [&["landscape", &*run][..], &surface].concat();
    let trajectory = [&["trajectory", &*run][..], &surface].concat();
    let figures = at("figures");
    let commands: [(&str, Keep, &[&str]); 10] = [
        ("train", Keep::WholeNumbers, &train),
        ("resume", Keep::WholeNumbers, &["resume", &run]),
        ("evaluate", Keep::Form, &["evaluate", &run]),
        ("report", Keep::Everything, &["report", &run, "--figures", &figures]),
        ("export", Keep::Form, &["export", &run, &weights]),
        ("landscape", Keep::WholeNumbers, &landscape),
        ("trajectory", Keep::WholeNumbers, &trajectory),
        ("data-picture", Keep::WholeNumbers, &["data", "digits", "--out", &picture]),
        ("predict", Keep::Form, &["predict", &run, &picture]),
        ("morph", Keep::WholeNumbers, &shallow),
    ];
    for (name, keep, arguments) in commands {
        insta::assert_snapshot!(format!("json-{name}"), document(place.path(), keep, arguments));
    }
    // Of several runs there is one page.
    let page = at("both.html");
    let compare = ["report", &run, &run, "--out", &page];
    insta::assert_snapshot!(
        "json-report-several",
        document(place.path(), Keep::Everything, &compare)
    );
    assert_eq!(
        PROGRAM.json(&["replay", &format!("{run}/metrics.csv"), TINY[3], TINY[4], TINY[5]])["finished"],
        json!(true)
    );
}
