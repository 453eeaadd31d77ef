//! Weights that a run keeps on its way, the way through them, and the loss around models.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use serde_json::Value;
use std::path::Path;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// A run of a second or two that grows several times.
const TINY: &[&str] = &[
    "--quick",
    "--set=data.fraction=0.1",
    "--set=network.width=4",
    "--set=growth.interval=1",
    "--set=growth.patience=2",
    "--set=fine_tune.epochs=3",
];

/// Runs what must fail with a hint; returns the message.
fn fails(code: i32, arguments: &[&str]) -> String {
    let message = PROGRAM.fails(code, arguments);
    assert!(message.contains("hint: "), "{message}");
    message
}

fn train(folder: &Path, more: &[&str]) -> Value {
    PROGRAM.json(&[&["train", text(folder)], TINY, more].concat())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

/// That it is an SVG and a PNG, each with something in it.
fn assert_drawn(report: &Value) {
    let files: Vec<_> =
        report["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    assert!(std::fs::read_to_string(files[1]).unwrap().contains("class=\"contour\""));
    assert!(std::fs::read(files[2]).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn snapshots_change_nothing_and_are_models() {
    let place = tempfile::tempdir().unwrap();
    let (with, without) = (place.path().join("with"), place.path().join("without"));
    let result = train(&with, &["--set=run.snapshots=2"]);
    train(&without, &[]);
    let model = |folder: &Path| std::fs::read(folder.join("model.safetensors")).unwrap();
    assert_eq!(model(&with), model(&without));
    assert!(!without.join("snapshots").exists());

    let epochs = ["growing_epochs", "fine_tuning_epochs"].map(|key| result[key].as_u64().unwrap());
    let last = epochs[0] + epochs[1];
    let mut expected: Vec<u64> = (0..=last).step_by(2).collect();
    expected.extend((last % 2 == 1).then_some(last));
    let mut names: Vec<_> = std::fs::read_dir(with.join("snapshots"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let named = |epoch: &u64| format!("epoch-{epoch:04}.safetensors");
    assert_eq!(names, expected.iter().map(named).collect::<Vec<_>>());
    // The first is the seed, the last the net that was found.
    let of = |name: &String| {
        PROGRAM.json(&["evaluate", text(&with.join("snapshots").join(name)), "--split", "val"])
    };
    assert_eq!(of(&names[0])["found"], "1-1-1");
    assert_eq!(of(&names[names.len() - 1])["found"], result["found"]);
    // Each evaluates to what the run measured after that epoch.
    let metrics = std::fs::read_to_string(with.join("metrics.csv")).unwrap();
    let row: Vec<_> = metrics.lines().nth(2).unwrap().split(',').collect();
    assert_eq!((row[0], row[7].parse().ok()), ("2", of(&names[1])["top1"].as_f64()));
}

#[test]
fn a_trajectory_ends_at_the_last_weights() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let result = train(&run, &["--set=run.snapshots=1"]);
    let arguments = ["trajectory", text(&run), "--grid=5", "--images=60"];
    let report = PROGRAM.json(&arguments);
    assert_drawn(&report);
    let points = report["points"].as_array().unwrap();
    let epochs = ["growing_epochs", "fine_tuning_epochs"].map(|key| result[key].as_u64().unwrap());
    assert_eq!(points.len() as u64, epochs[0] + epochs[1] + 1);
    let (first, last) = (&points[0], &points[points.len() - 1]);
    assert_eq!((&first["depth"], &first["phase"]), (&"1-1-1".into(), &"growing".into()));
    assert_eq!((&last["depth"], &last["phase"]), (&result["found"], &"fine-tuning".into()));
    assert_eq!((last["x"].as_f64(), last["y"].as_f64()), (Some(0.0), Some(0.0)));
    let explained = numbers(&report["explained"]);
    assert!(explained[0] >= explained[1] && explained[0] + explained[1] <= 1.0 + 1e-9);
    for (axis, ends) in [("x", numbers(&report["x"])), ("y", numbers(&report["y"]))] {
        let inside = |point: &Value| {
            let place = point[axis].as_f64().unwrap();
            ends[0] < place && place < ends[4]
        };
        assert!(points.iter().all(inside), "{axis}: {ends:?}");
    }
    assert_eq!(report["loss"].as_array().unwrap().len(), 5);
    // The file holds the same, and the same question has the same answer.
    let written = read(&run.join("trajectory.json"));
    assert_eq!((&written["points"], &written["loss"]), (&report["points"], &report["loss"]));
    assert_eq!(PROGRAM.json(&arguments)["loss"], report["loss"]);

    // Along a run that went on from this one, depth alone has grown.
    let (next, model) = (place.path().join("next"), run.join("model.safetensors"));
    let depth = format!("--depth={}", result["found"].as_str().unwrap());
    let from = format!("--set=training.init_from={}", text(&model));
    train(&next, &["--set=run.snapshots=1", "--policy=none", &depth, &from]);
    let out = place.path().join("both");
    let both = ["trajectory", text(&run), text(&next), "--grid=3", "--images=20"];
    let both = PROGRAM.json(&[&both[..], &["--out", text(&out)]].concat());
    assert!(place.path().join("both.png").is_file());
    let points = both["points"].as_array().unwrap();
    assert_eq!(points.iter().filter(|point| point["run"] == 1).count(), 4);
}

#[test]
fn a_landscape_has_the_model_in_its_middle() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let result = train(&run, &[]);
    let arguments = ["landscape", text(&run), "--grid=5", "--images=60"];
    let report = PROGRAM.json(&arguments);
    assert_drawn(&report);
    let model = &report["models"][0];
    assert_eq!((&model["found"], &model["images"]), (&result["found"], &60.into()));
    assert_eq!(numbers(&model["x"]), [-1.0, -0.5, 0.0, 0.5, 1.0]);
    let middle = numbers(&model["loss"][2])[2];
    assert!((middle - model["at_model"].as_f64().unwrap()).abs() < 1e-6);
    assert_eq!(read(&run.join("landscape.json"))["models"], report["models"]);
    assert_eq!(PROGRAM.json(&arguments)["models"], report["models"]);
    let other = PROGRAM.json(&[&arguments[..], &["--seed=7"]].concat());
    assert_ne!(other["models"][0]["loss"], model["loss"], "another seed, other directions");

    // Several are one figure; a file alone is enough where its data are named.
    let file = place.path().join("model.safetensors");
    std::fs::copy(run.join("model.safetensors"), &file).unwrap();
    let out = place.path().join("two");
    let two =
        ["landscape", text(&run), text(&file), "--grid=3", "--images=20", "--out", text(&out)];
    let two = PROGRAM.json(&two);
    assert_drawn(&two);
    assert_eq!(two["models"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_drawn_is_told_with_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &[]);
    let message = fails(4, &["trajectory", text(&run)]);
    assert!(message.contains("run.snapshots"), "{message}");
    fails(4, &["landscape", text(place.path())]);

    // Two snapshots lie on a line.
    let short = place.path().join("short");
    train(&short, &["--set=run.snapshots=100", "--policy=none"]);
    assert!(fails(2, &["trajectory", text(&short)]).contains("three"));

    // The weights of another network have no place.
    let plain = place.path().join("plain");
    train(&plain, &["--set=run.snapshots=1", "--policy=none", "--network=plain3net"]);
    let message = fails(4, &["trajectory", text(&short), text(&plain)]);
    assert!(message.contains("no place"), "{message}");
}

#[test]
fn a_report_draws_its_figures() {
    let place = tempfile::tempdir().unwrap();
    let (run, given) = (place.path().join("run"), place.path().join("given"));
    train(&run, &[]);
    train(&given, &["--policy=none"]);
    let figures = place.path().join("figures");
    let page = place.path().join("page.html");
    let ending = ["--figures", text(&figures), "--out", text(&page)];
    let one = PROGRAM.json(&[&["report", text(&run)], &ending[..]].concat());
    assert_eq!(one["figures"].as_array().unwrap().len(), 2 * 7);
    let two = PROGRAM.json(&[&["report", text(&run), text(&given)], &ending[..]].concat());
    assert_eq!(two["figures"].as_array().unwrap().len(), 2 * 3);
    for name in ["accuracy-epochs", "loss-time", "accuracy-parameters", "accuracy-training"] {
        let svg = std::fs::read_to_string(figures.join(format!("{name}.svg"))).unwrap();
        assert!(svg.starts_with("<svg"));
        assert!(figures.join(format!("{name}.png")).is_file());
    }
    let svg = std::fs::read_to_string(figures.join("accuracy-parameters.svg")).unwrap();
    assert!(svg.contains("depth given") && svg.contains("AutoGrow, K = 1"), "{svg}");
}
