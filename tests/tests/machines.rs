//! People's own machines: where files go, what reads the output, what the environment holds.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// Settings of a run on rows of a table, which takes a tenth of a second.
const TABLE: [&str; 8] = [
    "--data=csv",
    "--network=mlp1net",
    "--policy=none",
    "--depth=1",
    "--set=fine_tune.epochs=2",
    "--set=run.threads=1",
    "--set=training.batch_size=16",
    "--quiet",
];

/// A folder with `t/train.csv` and `t/test.csv`.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("t")).unwrap();
        for (name, rows) in [("train", 400), ("test", 60)] {
            let row = |row: usize| {
                let class = ["no", "yes"][row % 2];
                format!("{},{},{class}\n", row % 2 * 4 + row % 7, row % 11)
            };
            let rows: String = (0..rows).map(row).collect();
            fs::write(place.path(&format!("t/{name}.csv")), format!("a,b,label\n{rows}")).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().into()
    }

    /// Trains a run on the table, with more settings.
    fn train(&self, more: &[&str]) -> String {
        let (run, dir) = (self.text("run"), self.text("t"));
        PROGRAM.json(&[&["train", &run, "--dir", &dir][..], &TABLE, more].concat());
        run
    }
}

#[test]
fn a_label_that_changed_anywhere_ends_a_resume() {
    let place = Place::new();
    let (run, dir) = (place.text("run"), place.text("t"));
    let arguments = [&["train", &run, "--dir", &dir][..], &TABLE, &["--epochs=20"]].concat();
    let killed = PROGRAM.command(&arguments).env("FAULT_AT", "kill:150").output().unwrap();
    assert!(!killed.status.success() && !place.path("run/result.json").exists());
    let table = fs::read_to_string(place.path("t/train.csv")).unwrap();
    let mut lines: Vec<_> = table.lines().map(String::from).collect();
    lines[350] = lines[350].replace("yes", "maybe").replace("no", "yes").replace("maybe", "no");
    fs::write(place.path("t/train.csv"), lines.join("\n")).unwrap();
    let message = PROGRAM.fails(4, &["resume", &run, "--threads=1", "--quiet"]);
    assert!(message.contains("was trained on other images"), "{message}");
    fs::write(place.path("t/train.csv"), table).unwrap();
    PROGRAM.json(&["resume", &run, "--threads=1", "--quiet"]);
}

#[test]
fn a_run_is_evaluated_and_resumed_from_any_folder() {
    let place = Place::new();
    let arguments = [&["train", "run", "--dir", "t"][..], &TABLE].concat();
    let trained = PROGRAM.command(&arguments).current_dir(place.path("")).output().unwrap();
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    fs::remove_file(place.path("run/result.json")).unwrap();
    for command in ["resume", "evaluate"] {
        let arguments = [command, &place.text("run"), "--threads=1", "--quiet"];
        let ended = PROGRAM.command(&arguments).current_dir("/").output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
}

#[test]
fn a_home_folder_is_put_in_place_of_a_tilde() {
    let place = Place::new();
    let arguments =
        [&["data", "csv", "--dir=~/t"][..], &["--network=mlp1net", "--depth=1"]].concat();
    let said = PROGRAM.command(&arguments).env("HOME", place.path("")).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn variables_of_other_programs_are_a_warning() {
    let config = |name: &str, text: &str| {
        let ended = PROGRAM.command(&["config"]).env(name, text).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    for name in ["AUTOGROW_SERVICE_HOST", "AUTOGROW_PORT", "AUTOGROW_ROOT", "AUTOGROW_VERSION"] {
        let (code, said) = config(name, "tcp://10.0.0.1:80");
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(name), "{said}");
    }
    let (code, said) = config("AUTOGROW_RUN_SEDE", "1");
    assert!(code == Some(2) && said.contains("run.seed"), "{said}");
}

#[test]
fn a_run_outlives_whoever_reads_its_log() {
    let place = Place::new();
    let (run, dir) = (place.text("run"), place.text("t"));
    let arguments = [&["train", &run, "--dir", &dir, "-v", "-v"][..], &TABLE[..7]].concat();
    let mut command = PROGRAM.command(&arguments);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    drop((child.stderr.take(), child.stdout.take()));
    assert!(child.wait().unwrap().success());
    assert!(place.path("run/result.json").exists());
}

#[test]
fn predictions_end_with_their_reader() {
    let place = Place::new();
    let run = place.train(&[]);
    let table = place.text("t/train.csv");
    let mut command = PROGRAM.command(&["predict", &run, &table, "--csv", "--threads=1"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty());
}

#[test]
fn a_folder_with_the_log_of_the_run_is_free() {
    let place = Place::new();
    fs::create_dir_all(place.path("run/lost+found")).unwrap();
    fs::write(place.path("run/log.txt"), "started\n").unwrap();
    fs::write(place.path("run/.gitkeep"), "").unwrap();
    place.train(&[]);
    assert_eq!(fs::read_to_string(place.path("run/log.txt")).unwrap(), "started\n");
    fs::create_dir(place.path("other")).unwrap();
    fs::write(place.path("other/metrics.csv"), "mine").unwrap();
    let (other, dir) = (place.text("other"), place.text("t"));
    let arguments = [&["train", &other, "--dir", &dir][..], &TABLE].concat();
    assert!(PROGRAM.fails(4, &arguments).contains("`metrics.csv`"));
}

#[test]
fn unnamed_runs_started_at_once_get_a_folder_each() {
    let place = Place::new();
    let arguments = [&["train", "--dir", "t"][..], &TABLE].concat();
    let start = |_| {
        let mut command = PROGRAM.command(&arguments);
        command.current_dir(place.path("")).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let started: Vec<_> = (0..6).map(start).collect();
    for child in started {
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    assert_eq!(fs::read_dir(place.path("runs")).unwrap().count(), 6);
}

#[test]
fn exports_replace_their_own_files_alone() {
    let place = Place::new();
    let run = place.train(&[]);
    let export = |out: &str, more: &[&str]| {
        PROGRAM.run(&[&["export", &run, &place.text(out), "--threads=1"][..], more].concat())
    };
    for out in ["net.onnx", "net.safetensors", "net.bpk"] {
        fs::create_dir_all(place.path("out")).unwrap();
        let out = format!("out/{out}");
        assert!(export(&out, &[]).status.success());
        assert!(export(&out, &[]).status.success(), "its own");
        fs::remove_file(place.path(&out).with_extension("md")).unwrap();
        fs::write(place.path(&out), "something else").unwrap();
        assert_eq!(export(&out, &[]).status.code(), Some(2));
        assert_eq!(fs::read_to_string(place.path(&out)).unwrap(), "something else");
        assert!(export(&out, &["--force"]).status.success());
        fs::remove_dir_all(place.path("out")).unwrap();
    }
    fs::write(place.path("notes.md"), "# My notes").unwrap();
    assert_eq!(export("notes.onnx", &[]).status.code(), Some(2));
}

#[test]
#[cfg(unix)]
fn links_and_devices_are_no_files_to_replace() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    let run = place.train(&[]);
    fs::create_dir(place.path("big")).unwrap();
    fs::write(place.path("big/net.onnx"), "").unwrap();
    symlink("big/net.onnx", place.path("link.onnx")).unwrap();
    symlink("/dev/null", place.path("null.onnx")).unwrap();
    for out in ["link.onnx", "null.onnx"] {
        let ended = PROGRAM.run(&["export", &run, &place.text(out), "--threads=1"]);
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        assert!(fs::symlink_metadata(place.path(out)).unwrap().is_symlink());
    }
    assert!(fs::metadata(place.path("big/net.onnx")).unwrap().len() > 1_000);
    assert!(!place.path("null.md").exists() && !Path::new("/dev/null.md").exists());
    let piped = PROGRAM.run(&["export", &run, "/dev/stdout", "--format=onnx", "--threads=1"]);
    assert!(piped.stdout.windows(8).any(|part| part == b"autogrow"));
}

#[test]
fn batches_of_one_row_are_refused_with_their_key() {
    let place = Place::new();
    let (run, dir) = (place.text("run"), place.text("t"));
    for (key, more) in [
        ("training.batch_size", &["--set=training.batch_size=1"][..]),
        ("training.micro_batch", &["--set=training.micro_batch=1"]),
    ] {
        let arguments = [&["train", &run, "--dir", &dir][..], &TABLE, more].concat();
        let message = PROGRAM.fails(2, &arguments);
        assert!(message.contains(&format!("`{key}`")), "{message}");
    }
    // 400 rows less 100 held out: a last batch of one.
    place.train(&["--set=training.batch_size=299"]);
}

/// A TensorBoard that follows a run reads on where it was, also behind a kill and a resume.
#[test]
fn the_events_of_a_killed_run_are_appended_to() {
    let place = Place::new();
    let (run, dir) = (place.text("run"), place.text("t"));
    let arguments = [&["train", &run, "--dir", &dir][..], &TABLE, &["--epochs=20"]].concat();
    let killed = PROGRAM.command(&arguments).env("FAULT_AT", "kill:150").output().unwrap();
    assert!(!killed.status.success() && !place.path("run/result.json").exists());
    let events = || {
        let files = fs::read_dir(place.path("run/tensorboard")).unwrap();
        let [path] = files.map(|file| file.unwrap().path()).collect::<Vec<_>>().try_into().unwrap();
        path
    };
    let whole = fs::read(events()).unwrap();
    // The kill has torn what was being written.
    let torn = [&whole[..], b"\x20\0\0"].concat();
    fs::write(events(), &torn).unwrap();
    let mut follower = fs::File::open(events()).unwrap();
    let mut seen = vec![0; whole.len()];
    follower.read_exact(&mut seen).unwrap();
    PROGRAM.json(&["resume", &run, "--threads=1", "--quiet"]);
    follower.read_to_end(&mut seen).unwrap();
    let mut rest = &seen[..];
    let mut records = 0;
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        rest = &rest[16 + length..];
        records += 1;
    }
    assert_eq!(records, 1 + 20);
    assert_eq!(seen.len(), fs::read(events()).unwrap().len());
}
