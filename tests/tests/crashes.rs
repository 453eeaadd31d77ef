//! Runs survive: whatever kills them, wherever, they resume to the same end, to the last byte.
//!
//! By default a sample that takes about a minute; `cargo xtask crash` tries every place.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A run whose seed learns nothing, that begins anew, grows, adapts after each growth, and takes growths
/// back, and fine-tunes, in a second or two.
const TINY: &[&str] = &[
    "--set",
    "data.fraction=0.06",
    "--set",
    "network.width=2",
    "--set",
    "growth.policy=worth",
    "--set",
    "growth.price=0",
    "--set",
    "growth.guide=averaged",
    "--set",
    "growth.interval=1",
    "--set",
    "fine_tune.epochs=2",
    "--set",
    "training.batch_size=16",
    "--set",
    "training.learning_rate=0.03",
    "--set",
    "growth.initializer=adam",
    "--set",
    "growth.max_depth=3-3-3",
    "--set",
    "run.seed=3",
    "--set",
    "run.log_steps=true",
    "--set",
    "run.snapshots=2",
    "--quiet",
];

/// Of all places, only every so many: 1 is all.
fn stride(default: usize) -> usize {
    std::env::var("CRASH_STRIDE").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autogrow-tests"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn train(folder: &Path) -> Command {
    command(&[&["train", folder.to_str().unwrap()], TINY].concat())
}

fn resume(folder: &Path, more: &[&str]) -> Output {
    command(&[&["resume", folder.to_str().unwrap()], more].concat()).output().unwrap()
}

fn message(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// All of a finished run that does not tell the time.
#[derive(PartialEq, Debug)]
struct End {
    model: blake3::Hash,
    snapshots: Vec<(String, blake3::Hash)>,
    metrics: Vec<String>,
    steps: String,
    validation: blake3::Hash,
    decisions: Vec<String>,
    result: Value,
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn hash(path: &Path) -> blake3::Hash {
    blake3::hash(&std::fs::read(path).unwrap())
}

fn snapshots(folder: &Path) -> Vec<(String, blake3::Hash)> {
    // A run that keeps none has no folder for them.
    let Ok(files) = std::fs::read_dir(folder.join("snapshots")) else { return Vec::new() };
    let files = files.map(|file| file.unwrap().path());
    let named =
        |path: PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), hash(&path));
    let mut snapshots: Vec<_> = files.map(named).collect();
    snapshots.sort_by(|a, b| a.0.cmp(&b.0));
    snapshots
}

fn end(folder: &Path) -> End {
    let mut result: Value = serde_json::from_str(&read(folder.join("result.json"))).unwrap();
    for key in ["growing_seconds", "fine_tuning_seconds"] {
        assert!(result[key].as_f64().unwrap() >= 0.0);
        result.as_object_mut().unwrap().remove(key);
    }
    let untimed = |line: &str| line.rsplit_once(',').unwrap().0.to_string();
    let decision = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        let kind = event["event"].as_str().unwrap().to_string();
        let counts = !["started", "resumed", "finished"].contains(&&*kind);
        counts.then(|| format!("{kind} {} {} {}", event["epoch"], event["depth"], event["subnet"]))
    };
    End {
        model: hash(&folder.join("model.safetensors")),
        snapshots: snapshots(folder),
        metrics: read(folder.join("metrics.csv")).lines().map(untimed).collect(),
        steps: read(folder.join("steps.csv")),
        validation: hash(&folder.join("validation.bin")),
        decisions: read(folder.join("journal.jsonl")).lines().filter_map(decision).collect(),
        result,
    }
}

/// The run that nothing interrupts, and how many storage operations it takes.
fn uninterrupted(place: &Path) -> (End, usize) {
    let folder = place.join("whole");
    let count = place.join("count");
    let output = train(&folder).env("FAULT_COUNT", &count).output().unwrap();
    assert!(output.status.success(), "{}", message(&output));
    let end = end(&folder);
    let told = |kind: &str| end.decisions.iter().filter(|line| line.starts_with(kind)).count();
    let told = ["grew", "rolled-back", "restarted"].map(told);
    assert!(told[0] >= 3 && told[1] >= 1 && told[2] >= 1, "{:?}", end.decisions);
    assert!(end.snapshots.len() > 4 && end.snapshots[0].0 == "epoch-0000.safetensors");
    (end, read(count).parse().unwrap())
}

/// Goes on with a run until it ends, starting it again where there is nothing to resume yet. The
/// number of threads is now one, now the other.
fn finish(folder: &Path) {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let threads = if RUNS.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) { "1" } else { "2" };
    let output = resume(folder, &["--quiet", "--threads", threads]);
    if output.status.code() == Some(4) && !folder.join("config.toml").exists() {
        let output = train(folder).output().unwrap();
        assert!(output.status.success(), "{}", message(&output));
    } else {
        assert!(output.status.success(), "{}", message(&output));
    }
}

#[test]
fn killed_at_any_storage_operation() {
    let place = tempfile::tempdir().unwrap();
    let (whole, operations) = uninterrupted(place.path());
    for number in (1..=operations).step_by(stride(operations / 9)) {
        let folder = place.path().join(format!("killed-{number}"));
        let output = train(&folder).env("FAULT_AT", format!("kill:{number}")).output().unwrap();
        assert!(!output.status.success(), "operation {number} of {operations} was not reached");
        finish(&folder);
        assert_eq!(end(&folder), whole, "killed at operation {number} of {operations}");
    }
}

/// Checkpoints within epochs, and all that a batch and a step size depend on.
#[test]
fn batches_that_are_augmented_and_mixed_are_the_same_after_a_resume() {
    let place = tempfile::tempdir().unwrap();
    let more = "data.augment=trivial data.erasing=0.5 training.mixup=0.4 training.cutmix=1 \
                training.warmup_epochs=2 training.decay_norms=false training.stage_rates=[0,0,0.3,1,1] \
                growth.max_depth=1-3-3 training.drop_path=0.3 \
                run.checkpoint_minutes=1e-9";
    let more: Vec<_> = more.split(' ').flat_map(|set| ["--set", set]).collect();
    let (whole, count) = (place.path().join("whole"), place.path().join("count"));
    let output = train(&whole).args(&more).env("FAULT_COUNT", &count).output().unwrap();
    assert!(output.status.success(), "{}", message(&output));
    let operations: usize = read(count).parse().unwrap();
    for part in [3, 5, 7] {
        let (folder, at) = (place.path().join(format!("{part}")), operations * part / 8);
        train(&folder).args(&more).env("FAULT_AT", format!("kill:{at}")).output().unwrap();
        finish(&folder);
        assert_eq!(end(&folder), end(&whole));
    }
}

#[test]
fn killed_again_and_again() {
    let place = tempfile::tempdir().unwrap();
    let (whole, operations) = uninterrupted(place.path());
    let folder = place.path().join("run");
    let step = operations / 5;
    train(&folder).env("FAULT_AT", format!("kill:{step}")).output().unwrap();
    let mut resumed = 0;
    while !folder.join("result.json").exists() {
        let at = format!("kill:{}", step + 7 * resumed);
        let arguments = ["resume", folder.to_str().unwrap(), "--quiet"];
        command(&arguments).env("FAULT_AT", at).output().unwrap();
        resumed += 1;
        assert!(resumed < 50, "no progress");
    }
    assert!(resumed > 2);
    assert_eq!(end(&folder), whole);
}

/// Waits until the run has come that far: a part of the losses that it will write. Where exactly
/// between two of them it is then, the scheduler decides.
fn wait_for(part: f64, folder: &Path, whole: &End, child: &mut Child) {
    let enough = (part * whole.steps.len() as f64) as u64;
    let written = || std::fs::metadata(folder.join("steps.csv")).map_or(0, |file| file.len());
    while written() < enough && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
}

/// Moments spread over a run, by the golden ratio.
fn moments(count: usize) -> impl Iterator<Item = f64> {
    (1..=count).map(|number| (number as f64 * 0.618_034).fract())
}

#[test]
fn killed_at_random_moments() {
    let place = tempfile::tempdir().unwrap();
    let (whole, _) = uninterrupted(place.path());
    for (number, part) in moments(if stride(0) == 1 { 500 } else { 5 }).enumerate() {
        let folder = place.path().join(format!("killed-{part}"));
        let mut run = train(&folder);
        // Every other one writes all its checkpoints at once.
        if number % 2 == 0 {
            run.env("FAULT_AT", "none");
        }
        let mut child = run.spawn().unwrap();
        wait_for(part, &folder, &whole, &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        finish(&folder);
        assert_eq!(end(&folder), whole, "killed at {part}");
    }
}

#[test]
fn failing_writes_end_the_run_and_damage_nothing() {
    let place = tempfile::tempdir().unwrap();
    let (whole, operations) = uninterrupted(place.path());
    for (index, number) in (1..=operations).step_by(stride(operations / 6)).enumerate() {
        let folder = place.path().join(format!("failed-{number}"));
        let kind = if index % 2 == 0 { "fail" } else { "fail-from" };
        let output = train(&folder).env("FAULT_AT", format!("{kind}:{number}")).output().unwrap();
        let message = message(&output);
        assert_eq!(output.status.code(), Some(4), "operation {number}: {message}");
        assert!(message.contains("hint: free some space"), "{message}");
        finish(&folder);
        assert_eq!(end(&folder), whole, "{kind} at operation {number}");
    }
}

#[cfg(unix)]
#[test]
fn signals_save_and_stop() {
    let place = tempfile::tempdir().unwrap();
    let (whole, _) = uninterrupted(place.path());
    let mut interrupted = 0;
    for (number, part) in moments(if stride(0) == 1 { 100 } else { 8 }).enumerate() {
        let folder = place.path().join(format!("signal-{number}"));
        let mut child = train(&folder).spawn().unwrap();
        // Not before the first steps: then it listens.
        wait_for(0.1 + 0.9 * part, &folder, &whole, &mut child);
        let signals = [("INT", 130), ("TERM", 143), ("HUP", 129), ("USR1", 138)];
        let (name, code) = signals[number % signals.len()];
        Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        match output.status.code() {
            Some(0) => {}
            Some(status) if status == code => {
                interrupted += 1;
                assert!(message(&output).contains("autogrow resume"), "{}", message(&output));
            }
            other => panic!("exit {other:?}: {}", message(&output)),
        }
        finish(&folder);
        assert_eq!(end(&folder), whole, "signal at {part}");
    }
    assert!(interrupted > 0);
}

#[test]
fn one_process_a_folder() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run");
    let children: Vec<_> = (0..50).map(|_| train(&folder).spawn().unwrap()).collect();
    let outputs: Vec<_> = children.into_iter().map(|c| c.wait_with_output().unwrap()).collect();
    let ran = outputs.iter().filter(|output| output.status.success()).count();
    assert_eq!(ran, 1);
    for output in outputs.iter().filter(|output| !output.status.success()) {
        assert_eq!(output.status.code(), Some(4), "{}", message(output));
    }
    assert!(outputs.iter().any(|output| message(output).contains("is being written by process")));
    end(&folder);
}

/// A run that was interrupted in the middle, with at least two checkpoints.
fn interrupted(place: &Path) -> (End, PathBuf) {
    let (whole, operations) = uninterrupted(place);
    let folder = place.join("interrupted");
    let at = format!("kill:{}", operations * 3 / 5);
    train(&folder).env("FAULT_AT", at).output().unwrap();
    (whole, folder)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn newest_checkpoint(folder: &Path) -> PathBuf {
    let numbers = std::fs::read_dir(folder.join("checkpoints")).unwrap();
    let numbers =
        numbers.filter_map(|e| e.unwrap().file_name().to_str().unwrap().parse::<usize>().ok());
    folder.join("checkpoints").join(numbers.max().unwrap().to_string())
}

#[test]
fn damaged_checkpoints_are_passed_over() {
    let place = tempfile::tempdir().unwrap();
    let (whole, folder) = interrupted(place.path());
    let files: Vec<_> = std::fs::read_dir(newest_checkpoint(&folder))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert!(files.len() >= 6);
    for (number, name) in files.iter().enumerate() {
        let damaged = place.path().join(format!("damaged-{number}"));
        copy(&folder, &damaged);
        let file = newest_checkpoint(&damaged).join(name);
        let mut bytes = std::fs::read(&file).unwrap();
        match number % 3 {
            0 => bytes.truncate(bytes.len() / 2),
            1 => bytes[0] ^= 4,
            _ => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
        }
        std::fs::write(&file, bytes).unwrap();
        let output = resume(&damaged, &[]);
        assert!(output.status.success(), "{}", message(&output));
        assert!(message(&output).contains("is damaged"), "{}", message(&output));
        assert_eq!(end(&damaged), whole, "{name:?}");
    }
}

#[test]
fn a_newer_format_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (_, folder) = interrupted(place.path());
    edit_manifest(&newest_checkpoint(&folder), |body| {
        body.replacen("\"format\": 2", "\"format\": 3", 1)
    });
    let output = resume(&folder, &[]);
    assert_eq!(output.status.code(), Some(4));
    assert!(message(&output).contains("reads up to 2"), "{}", message(&output));
}

/// Changes the manifest of a checkpoint, and signs it again.
fn edit_manifest(checkpoint: &Path, edit: impl Fn(&str) -> String) {
    let file = checkpoint.join("manifest.json");
    let body = edit(read(&file).split_once('\n').unwrap().1);
    std::fs::write(file, format!("{}\n{body}", blake3::hash(body.as_bytes()).to_hex())).unwrap();
}

/// Makes a checkpoint one of format 1, whose sums and scores were those of classes.
fn to_format_1(checkpoint: &Path) {
    let file = checkpoint.join("state.toml");
    let (new, before) = (read(&file), hash(&file));
    let line = |line: &str| match line.split_once(" = ") {
        Some(("sums", right)) => {
            format!("top1 = {}\ntop5 = 0\n", right.trim_matches(['[', ']']).trim_end_matches(".0"))
        }
        Some(("score", percent)) => format!("top1 = {percent}\ntop5 = 0.0\n"),
        _ => format!("{line}\n"),
    };
    let old: String = new.lines().map(line).collect();
    std::fs::write(&file, old).unwrap();
    let after = hash(&file);
    edit_manifest(checkpoint, |body| {
        body.replacen("\"format\": 2", "\"format\": 1", 1).replacen(
            before.to_hex().as_str(),
            after.to_hex().as_str(),
            1,
        )
    });
}

/// In the middle of an epoch a checkpoint holds sums over the images so far: those of format 1
/// are read, and the run ends as if nothing had interrupted it.
#[test]
fn a_checkpoint_of_format_1_in_the_middle_of_an_epoch_is_resumed() {
    let place = tempfile::tempdir().unwrap();
    let (whole, operations) = uninterrupted(place.path());
    let folder = place.path().join("run");
    let mut child = train(&folder);
    // A checkpoint after each step, of which none is removed.
    child.args(["--set", "run.checkpoint_minutes=1e-9", "--set", "run.keep=1000"]);
    child.env("FAULT_AT", format!("kill:{operations}")).output().unwrap();
    let state = |checkpoint: &Path| read(checkpoint.join("state.toml"));
    while state(&newest_checkpoint(&folder)).contains("\nstep = 0\n") {
        std::fs::remove_dir_all(newest_checkpoint(&folder)).unwrap();
    }
    let checkpoint = newest_checkpoint(&folder);
    assert!(state(&checkpoint).contains("sums = ["), "{}", state(&checkpoint));
    to_format_1(&checkpoint);
    let output = resume(&folder, &[]);
    assert!(output.status.success(), "{}", message(&output));
    assert!(message(&output).contains(", step "), "{}", message(&output));
    assert_eq!(end(&folder), whole);
}

#[test]
fn another_configuration_is_refused_unless_allowed() {
    let place = tempfile::tempdir().unwrap();
    let (whole, folder) = interrupted(place.path());
    let refused = resume(&folder, &["--set", "growth.price=4"]);
    assert_eq!(refused.status.code(), Some(4));
    assert!(message(&refused).contains("growth.price = 0.0, not 4.0"), "{}", message(&refused));
    assert!(message(&refused).contains("--allow growth.price"));
    let fraction = resume(&folder, &["--set", "data.fraction=0.04", "--allow", "data.fraction"]);
    assert!(message(&fraction).contains("other images"), "{}", message(&fraction));
    // Threads change nothing.
    let output = resume(&folder, &["--threads", "1", "--quiet"]);
    assert!(output.status.success(), "{}", message(&output));
    assert_eq!(end(&folder), whole);
    // A finished run says what it came to.
    let again = resume(&folder, &["--json", "--quiet"]);
    let result: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(result["found"], whole.result["found"]);
    // `train` on it points to `resume`.
    let output = train(&folder).output().unwrap();
    assert!(output.status.code() == Some(4) && message(&output).contains("autogrow resume"));
}

#[test]
fn divergence_can_go_back() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run");
    let more = [
        "--set",
        "training.learning_rate=1e12",
        "--set",
        "training.on_divergence=rollback",
        "--set",
        "growth.initializer=gaussian",
    ];
    let arguments = [&["train", folder.to_str().unwrap()], TINY, &more].concat();
    let output = command(&arguments).output().unwrap();
    let message = message(&output);
    assert_eq!(output.status.code(), Some(5), "{message}");
    assert!(message.contains("last good checkpoint"), "{message}");
    let journal = read(folder.join("journal.jsonl"));
    assert_eq!(journal.matches("went-back").count(), 3, "{journal}");
    assert!(journal.contains("\"rate_scale\":0.125"));
}

/// A run of format 1, in the middle of an AdamInit, with averages: every later version reads it
/// and brings it to its end.
#[test]
fn a_run_of_format_1_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/run-format-1"), &folder);
    let before = read(folder.join("metrics.csv"));
    let output = resume(&folder, &[]);
    assert!(output.status.success(), "{}", message(&output));
    assert!(message(&output).contains("after epoch 6 (adapting)"), "{}", message(&output));
    let end = end(&folder);
    // The epochs that the checkpoint knew are as they were; others came after them.
    assert_eq!(before.lines().count(), 7);
    assert!(read(folder.join("metrics.csv")).starts_with(&before));
    assert!(end.metrics.len() > 10);
    assert_eq!(end.result["fine_tuning_epochs"], 2);
}

#[test]
fn a_folder_that_vanishes_ends_the_run() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run");
    let (whole, _) = uninterrupted(place.path());
    let mut child = train(&folder).spawn().unwrap();
    wait_for(0.5, &folder, &whole, &mut child);
    std::fs::rename(&folder, place.path().join("elsewhere")).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", message(&output));
    assert!(!folder.exists());
    assert!(resume(&place.path().join("elsewhere"), &["--quiet"]).status.success());
}
