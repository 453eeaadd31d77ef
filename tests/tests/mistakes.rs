//! What a user or a disk gets wrong, and that nothing is lost by it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use std::fs;
use std::path::Path;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// Settings under which a whole run takes a second or two.
const TINY: &[&str] = &[
    "--quiet",
    "--set=data.fraction=0.1",
    "--set=network.width=4",
    "--set=growth.interval=1",
    "--set=growth.patience=2",
    "--set=fine_tune.epochs=2",
];

fn train(folder: &Path, more: &[&str]) {
    PROGRAM.json(&[&["train", text(folder)], TINY, more].concat());
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A run that was killed after some checkpoints.
fn begun(folder: &Path) {
    let arguments = [&["train", text(folder)], TINY].concat();
    let ended = PROGRAM.command(&arguments).env("FAULT_AT", "kill:120").output().unwrap();
    assert!(!ended.status.success() && !folder.join("result.json").exists());
    assert!(folder.join("checkpoints").read_dir().unwrap().next().is_some());
}

#[test]
fn a_finished_run_is_not_touched_by_resume() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &[]);
    let logs = || ["journal.jsonl", "metrics.csv"].map(|log| fs::read(run.join(log)).unwrap());
    let before = logs();
    PROGRAM.json(&["resume", text(&run)]);
    assert!(logs() == before, "the logs were cut");
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    PROGRAM.json(&["resume", text(&run)]);
    assert!(logs() == before, "the logs were emptied");
}

/// In a configuration 0 minutes stand for no limit; on the command line they are a slip.
#[test]
fn an_option_of_no_minutes_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    for minutes in ["0", "0.0", "-0"] {
        for command in [&["train", text(&run)][..], &["plan"]] {
            let message = PROGRAM.fails(2, &[command, &["--minutes", minutes]].concat());
            assert!(message.contains("`--minutes`") && message.contains("hint: give"), "{message}");
        }
    }
    assert!(!run.exists());
    let config = PROGRAM.json(&["config", "--set", "run.max_minutes=0"]);
    assert_eq!(config["run.max_minutes"]["value"], 0.0);
}

#[test]
fn bf16_where_it_cannot_be_had_is_refused_and_automatic_is_f32() {
    let place = tempfile::tempdir().unwrap();
    let run = |name: &str| place.path().join(name);
    let settings = ["--device=ndarray", "--network=tiny2net", "--depth=1-1", "--policy=none"];
    let bf16 = [&settings[..], &["--set=training.precision=bf16"]].concat();
    let message = PROGRAM.fails(2, &[&["train", text(&run("refused"))], TINY, &bf16].concat());
    assert!(message.contains("`training.precision` = \"bf16\" needs the device flex"), "{message}");
    assert!(message.contains("hint: \"f32\", or \"auto\""), "{message}");
    assert!(!run("refused").exists());
    train(&run("f32"), &settings);
    train(&run("auto"), &[&settings[..], &["--set=training.precision=auto"]].concat());
    let model = |name: &str| fs::read(run(name).join("model.safetensors")).unwrap();
    assert!(model("auto") == model("f32"));
}

/// In bf16 where the machine has it.
#[test]
fn a_resumed_run_in_another_precision_has_the_same_bytes() {
    let place = tempfile::tempdir().unwrap();
    let [whole, resumed] = ["whole", "resumed"].map(|name| place.path().join(name));
    let settings = ["--set=training.precision=auto", "--set=network.width=16"];
    train(&whole, &[&settings[..], &["--threads=1"]].concat());
    let arguments = [&["train", text(&resumed)], TINY, &settings, &["--threads=2"]].concat();
    let ended = PROGRAM.command(&arguments).env("FAULT_AT", "kill:120").output().unwrap();
    assert!(!ended.status.success() && !resumed.join("result.json").exists());
    PROGRAM.json(&["resume", text(&resumed), "--quiet"]);
    for name in ["model.safetensors", "validation.bin"] {
        let read = |run: &Path| fs::read(run.join(name)).unwrap();
        assert!(read(&whole) == read(&resumed), "{name}");
    }
}

#[test]
fn a_run_without_a_whole_checkpoint_is_not_begun_anew() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    begun(&run);
    for checkpoint in fs::read_dir(run.join("checkpoints")).unwrap() {
        fs::write(checkpoint.unwrap().path().join("state.toml"), "").unwrap();
    }
    let metrics = fs::read(run.join("metrics.csv")).unwrap();
    let message = PROGRAM.fails(4, &["resume", text(&run), "--quiet"]);
    assert!(message.contains("no whole checkpoint"), "{message}");
    assert!(fs::read(run.join("metrics.csv")).unwrap() == metrics);
}

#[test]
fn what_resume_was_allowed_to_change_stays_changed() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    begun(&run);
    let change = ["--set=training.weight_decay=0.01", "--allow=training.weight_decay"];
    PROGRAM.json(&[&["resume", text(&run), "--quiet"], &change[..]].concat());
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("weight_decay = 0.01"), "{config}");
}

#[test]
fn growth_cannot_be_told_to_have_gone_another_way() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    begun(&run);
    let message = PROGRAM
        .fails(4, &["resume", text(&run), "--quiet", "--interval=9", "--allow=growth.interval"]);
    assert!(message.contains("has grown to"), "{message}");
}

#[test]
fn a_damaged_configuration_is_the_run_folders_fault() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &[]);
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    for damaged in [&config[..30], &format!("{config}\n[new]\nkey = 1\n")] {
        fs::write(run.join("config.toml"), damaged).unwrap();
        for command in ["resume", "evaluate"] {
            let message = PROGRAM.fails(4, &[command, text(&run)]);
            assert!(message.contains("config.toml") && message.contains("hint: "), "{message}");
        }
    }
}

#[test]
fn numbers_beyond_reason_are_refused() {
    for setting in [
        "network.width=100000",
        "growth.interval=9223372036854775807",
        "growth.patience=1000000000000",
        "fine_tune.epochs=18446744073709551615",
        "fine_tune.milestones=30,60",
        "run.patience=1e30",
        "run.seed=9223372036854775808",
    ] {
        let message = PROGRAM.fails(2, &["plan", "--set", setting]);
        let key = setting.split_once('=').unwrap().0;
        assert!(message.contains(key) && message.contains("hint: "), "{message}");
    }
    for image in ["9999999999x9999999999x9999999999", "3xjunkx32x32", "3x0x32", "3x32"] {
        PROGRAM.fails(2, &["bench", "step", "--image", image]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [&["list", "policies", "--json"][..], &["config"]] {
        let ended = PROGRAM.command(arguments).stdout(full()).output().unwrap();
        assert_eq!(ended.status.code(), Some(4), "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_environment_that_is_not_text_is_borne() {
    use std::os::unix::ffi::OsStrExt;
    let bytes = std::ffi::OsStr::from_bytes(b"\xff");
    let config = |name: &str| PROGRAM.command(&["config"]).env(name, bytes).output().unwrap();
    assert!(config("SOMETHING").status.success());
    assert_eq!(config("AUTOGROW_DATA_NAME").status.code(), Some(2));
}

#[test]
fn one_document_or_another() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &["--set=run.snapshots=1"]);
    PROGRAM.fails(2, &["--json", "predict", text(&run), "x.png", "--csv"]);
    PROGRAM.fails(2, &["--json", "bench", "step", "--serve"]);

    // Not the run's model, so not the run's evaluation.
    let evaluation = fs::read(run.join("evaluation.json")).unwrap();
    let snapshot = fs::read_dir(run.join("snapshots")).unwrap().next().unwrap().unwrap().path();
    PROGRAM.fails(4, &["evaluate", text(&snapshot), "--save"]);
    assert!(fs::read(run.join("evaluation.json")).unwrap() == evaluation);

    // Beside `result.bpk` there would be a `result.json`.
    let result = fs::read(run.join("result.json")).unwrap();
    PROGRAM.fails(2, &["export", text(&run), text(&run.join("result.bpk"))]);
    PROGRAM.fails(2, &["export", text(&run), text(&run.join("model.safetensors"))]);
    assert!(fs::read(run.join("result.json")).unwrap() == result);
}
