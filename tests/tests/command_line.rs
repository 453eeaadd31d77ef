//! The command as a user meets it: results, run folder, exit codes, messages.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// Settings under which a whole run takes a second.
const TINY: &[&str] = &[
    "--set",
    "data.fraction=0.1",
    "--set",
    "network.width=4",
    "--set",
    "growth.interval=1",
    "--set",
    "growth.patience=2",
    "--set",
    "fine_tune.epochs=2",
];

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn train(folder: &Path, more: &[&str]) -> Value {
    PROGRAM.json(&[&["train", folder.to_str().unwrap(), "--quiet"], TINY, more].concat())
}

fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap()
}

/// metrics.csv without its timing column.
fn metrics(folder: &Path) -> Vec<String> {
    let text = read(folder, "metrics.csv");
    text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_string()).collect()
}

#[test]
fn a_run_leaves_everything_in_its_folder() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run");
    let result = train(&folder, &["--set", "run.log_steps=true"]);
    let written: Value = serde_json::from_str(&read(&folder, "result.json")).unwrap();
    for key in [
        "found",
        "network",
        "data",
        "val_accuracy",
        "test_accuracy",
        "growing_epochs",
        "fine_tuning_epochs",
        "growing_seconds",
        "fine_tuning_seconds",
        "parameters",
        "macs",
        "floor",
        "at_floor",
    ] {
        assert!(!written[key].is_null(), "{key}");
        assert_eq!(written[key], result[key], "{key}");
    }
    let epochs =
        result["growing_epochs"].as_u64().unwrap() + result["fine_tuning_epochs"].as_u64().unwrap();
    let rows = metrics(&folder);
    assert_eq!(rows.len() as u64, epochs + 1);
    assert!(rows[0].starts_with(
        "epoch,phase,depth,learning_rate,train_loss,train_accuracy,val_loss,val_accuracy"
    ));
    assert!(
        rows[epochs as usize]
            .contains(&format!(",fine-tuning,{},", result["found"].as_str().unwrap()))
    );
    assert!(read(&folder, "steps.csv").starts_with("epoch,step,loss\n1,1,"));
    let events: Vec<Value> = read(&folder, "journal.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&events[0]["event"], &events.last().unwrap()["event"]),
        (&"started".into(), &"finished".into())
    );
    assert!(
        events
            .iter()
            .all(|e| e["epoch"].is_u64() && e["depth"].is_string() && e["seconds"].is_f64())
    );

    // The model evaluates to what the run says of it, from the folder alone.
    let evaluated = PROGRAM.json(&["evaluate", folder.to_str().unwrap()]);
    assert_eq!(evaluated["top1"], result["test_accuracy"]);
    let evaluated = PROGRAM.json(&[
        "evaluate",
        folder.join("model.safetensors").to_str().unwrap(),
        "--split",
        "val",
    ]);
    assert_eq!(evaluated["top1"], result["val_accuracy"]);

    // The same accuracies give the same decisions, in training and in replay.
    let metrics = folder.join("metrics.csv");
    let replayed = PROGRAM.json(&[&["replay", metrics.to_str().unwrap()], TINY].concat());
    assert_eq!((&replayed["found"], &replayed["finished"]), (&result["found"], &true.into()));
    let grown = |kind: &str| events.iter().filter(|e| e["event"] == kind).count();
    let replayed_kinds = |kind: &str| {
        replayed["events"].as_array().unwrap().iter().filter(|e| e["kind"] == kind).count()
    };
    assert_eq!((grown("grew"), grown("stopped")), (replayed_kinds("grow"), replayed_kinds("stop")));

    // A second run does not touch the first; a run can start from its weights, at their depth.
    PROGRAM.fails(4, &["train", folder.to_str().unwrap()]);
    let weights = format!("training.init_from={}", folder.join("model.safetensors").display());
    let depth = result["found"].as_str().unwrap();
    train(&place.path().join("again"), &["--set", &weights, "--depth", depth, "--policy", "none"]);
    let message = PROGRAM.fails(
        4,
        &[
            &["train", place.path().join("not").to_str().unwrap(), "--set", &weights][..],
            &["--depth", "1-1-1"],
            TINY,
        ]
        .concat(),
    );
    assert!(message.contains("hint: the file must hold"), "{message}");
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let place = tempfile::tempdir().unwrap();
    let run = |name: &str, threads: &str, seed: &str| {
        let folder = place.path().join(name);
        let more = ["--threads", threads, "--seed", seed, "--set", "network.width=16"];
        train(&folder, &more);
        (metrics(&folder), std::fs::read(folder.join("model.safetensors")).unwrap())
    };
    let one = run("one", "1", "3");
    assert_eq!(one, run("two", "2", "3"));
    assert_eq!(one, run("again", "2", "3"));
    assert_ne!(one.0, run("other", "2", "4").0);
}

#[test]
fn every_policy_initializer_network_and_optimizer_runs_to_its_end() {
    let place = tempfile::tempdir().unwrap();
    let mut number = 0;
    let mut run = |settings: &[&str]| {
        number += 1;
        let more: Vec<_> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
        train(&place.path().join(number.to_string()), &more)
    };
    for policy in ["periodic", "convergent", "none"] {
        run(&[&format!("growth.policy={policy}")]);
    }
    for initializer in ["zero", "uniform", "adam"] {
        run(&[&format!("growth.initializer={initializer}")]);
        run(&[&format!("growth.initializer={initializer}"), "compat=code"]);
    }
    for network in ["basic4resnet", "plain4net", "bottleneck4resnet"] {
        run(&[&format!("network.name={network}"), "network.depth=1-1-1-1"]);
    }
    run(&["network.name=plain3net", "growth.initializer=adam"]);
    run(&["network.name=tiny2net", "network.depth=1-1", "growth.initializer=adam"]);
    for optimizer in ["adam", "amsgrad", "adagrad", "adadelta", "rmsprop"] {
        run(&[&format!("training.optimizer={optimizer}"), "training.learning_rate=0.01"]);
    }
    run(&["network.shortcut=padding", "training.micro_batch=50", "training.schedule=staircase"]);
    run(&["training.average=0.9", "growth.metric=ema", "data.select_on=test"]);
    run(&["growth.mode=all", "growth.max_depth=2-3-2", "training.reset_states=true"]);
    run(&[
        "data.name=synthetic",
        "data.difficulty=0.2",
        "data.fraction=0.02",
        "data.shuffle=false",
    ]);
    run(&["data.augment=false", "run.device=ndarray"]);
    let capped = run(&["growth.max_depth=2-1-1", "growth.patience=50"]);
    assert_eq!(capped["found"], "2-1-1");
}

#[test]
fn adapting_epochs_cost_but_do_not_count_in_the_interval() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run");
    let result = train(&folder, &["--set", "growth.initializer=adam"]);
    let rows = metrics(&folder);
    let phase = |name: &str| rows.iter().filter(|row| row.split(',').nth(1) == Some(name)).count();
    let grown = read(&folder, "journal.jsonl").matches("\"grew\"").count();
    assert!(phase("adapting") >= grown && phase("adapting") <= 10 * grown);
    let cost = phase("growing") + phase("adapting");
    assert_eq!(result["growing_epochs"], cost);
    // One growth an epoch (K = 1), but for the last check.
    assert_eq!(phase("growing"), grown + 1);
}

#[test]
fn plan_probes_the_step_size() {
    let verdict = |rate: &str| {
        let plan = ["plan", "--probe", "--set", "network.width=4", "--lr", rate];
        PROGRAM.json(&plan)["probe"].clone()
    };
    let [starves, diverges] = ["0.0001", "300"].map(verdict);
    assert_eq!(
        (&starves["verdict"], &diverges["verdict"]),
        (&"starves".into(), &"diverges".into())
    );
    assert!(starves["better"].as_f64().unwrap() > 0.0001 && diverges["tried"][0].is_object());
    let text =
        PROGRAM.run(&["plan", "--probe", "--set", "network.width=4", "--lr", "0.0001"]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("loss after 60 steps") && text.contains("try --lr"), "{text}");
}

#[test]
fn plan_prints_the_floor() {
    let plan = |settings: &[&str]| {
        let plan = ["plan", "--set", "network.width=2", "--policy", "periodic"];
        PROGRAM.json(&[&plan[..], settings].concat())
    };
    let three = plan(&["--interval", "3", "--patience", "100"]);
    assert_eq!(three["floor"]["depth"], "13-13-12");
    assert_eq!((&three["growing_epochs"], &three["seed"]["depth"]), (&108.into(), &"1-1-1".into()));
    assert!(three["seconds_to_floor"].as_f64().unwrap() > 0.0);
    assert_eq!(plan(&["--interval", "12"])["floor"]["depth"], "5-4-4");
    let four = plan(&["--network", "basic4resnet", "--depth", "1-1-1-1"]);
    assert_eq!(four["floor"]["depth"], "10-10-10-10");
    let periodic = ["plan", "--interval", "12", "--width", "2", "--policy", "periodic"];
    let text = stdout(&PROGRAM.run(&periodic));
    assert!(text.contains("5-4-4") && text.contains("no\nshallower net"), "{text}");
}

#[test]
fn replay_takes_any_number_of_sub_networks() {
    let place = tempfile::tempdir().unwrap();
    let curve = place.path().join("curve.csv");
    std::fs::write(&curve, "epoch,accuracy\n1,50\n2,50\n3,50\n4,50\n5,50\n6,50\n").unwrap();
    let curve = curve.to_str().unwrap();
    let replay = |depth: &str| {
        PROGRAM.json(&["replay", curve, "--depth", depth, "--interval", "1", "--patience", "2"])
    };
    let two = replay("1-1");
    let events: Vec<_> = two["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            (
                e["epoch"].as_u64().unwrap(),
                e["kind"].as_str().unwrap(),
                e["subnet"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        events,
        [(1, "grow", 0), (2, "grow", 1), (3, "stop", 1), (3, "grow", 0), (4, "stop", 0)]
    );
    assert_eq!(two["events"][3]["depth"], "3-2");
    assert_eq!(
        (&two["found"], &two["growing_epochs"], &two["finished"]),
        (&"3-2".into(), &4.into(), &true.into())
    );
    assert_eq!(replay("1-1-1-1-1-1-1")["finished"], false);
    assert_eq!(replay("1")["found"], "3");

    let broken = |text: &str| {
        let path = place.path().join("broken.csv");
        std::fs::write(&path, text).unwrap();
        PROGRAM.fails(3, &["replay", path.to_str().unwrap()])
    };
    assert!(broken("").contains("line 1"));
    assert!(broken("a,b\n").contains("line 1"));
    assert!(broken("epoch,accuracy\n1,x\n").contains("line 2"));
    assert!(broken("epoch,accuracy\n1,50\n3,50\n").contains("epoch 3 follows epoch 1"));
    PROGRAM.fails(3, &["replay", "no-such-file.csv"]);
}

#[test]
fn a_typo_in_any_key_is_told_with_the_right_key() {
    let config = PROGRAM.json(&["config"]);
    for key in config.as_object().unwrap().keys().filter(|key| *key != "schema") {
        let wrong = [key[..key.len() - 1].to_string(), format!("{key}x")];
        for wrong in wrong.iter().filter(|wrong| config[wrong.as_str()].is_null()) {
            let message = PROGRAM.fails(2, &["config", "--set", &format!("{wrong}=1")]);
            assert!(message.contains(&format!("did you mean `{key}`?")), "{message}");
            assert!(message.contains(&format!("from --set {wrong}=1")), "{message}");
        }
    }
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("my.toml");
    std::fs::write(&file, "[growth]\nintervall = 3\n").unwrap();
    let message = PROGRAM.fails(2, &["config", "--config", file.to_str().unwrap()]);
    assert!(message.contains("growth.interval`?") && message.contains("my.toml"), "{message}");
    std::fs::write(&file, "[growth]\ninterval = \"three\"\n").unwrap();
    let message = PROGRAM.fails(2, &["config", "--config", file.to_str().unwrap()]);
    assert!(message.contains("growth.interval") && message.contains("my.toml"), "{message}");
}

#[test]
fn values_that_make_no_sense_are_refused() {
    for (setting, word) in [
        ("training.batch_size=0", "training.batch_size"),
        ("growth.interval=0", "growth.interval"),
        ("growth.patience=0", "growth.patience"),
        ("data.fraction=0", "above 0"),
        ("data.fraction=1.5", "at most 1"),
        ("data.fraction=nan", "data.fraction"),
        ("network.depth=1-1", "--set network.depth=1-1-1"),
        ("network.depth=1-0-1", "3-2-2"),
        ("network.name=basic3resnt", "did you mean `basic3resnet`?"),
        ("growth.policy=periodik", "did you mean `periodic`?"),
        ("growth.initializer=gausian", "did you mean `gaussian`?"),
        ("data.name=digit", "did you mean `digits`?"),
        ("growth.max_depth=1-1", "growth.max_depth"),
        ("growth.mode=only:3", "growth.mode"),
        ("growth.metric=mean", "growth.metric"),
        ("training.optimizer=sdg", "did you mean `sgd`?"),
        ("training.momentum=1", "training.momentum"),
        ("training.micro_batch=1000", "training.micro_batch"),
        ("training.learning_rate=-1", "training.learning_rate"),
        ("compat=papr", "did you mean `paper`?"),
        ("run.seed=-1", "whole number"),
        ("training.mixup=-1", "0 or more"),
        ("data.erasing=2", "from 0 to 1"),
        ("data.augment=trivail", "did you mean `trivial`?"),
    ] {
        let message = PROGRAM.fails(2, &["train", "--set", setting]);
        assert!(message.contains(word), "{setting}: {message}");
        assert!(message.contains("--set"), "{setting}: {message}");
    }
    let network = ["train", "--network", "basic4resnet-imagenet"];
    let depth = PROGRAM.fails(2, &[&network[..], &["--depth", "1-1-1"]].concat());
    assert!(depth.contains("`network.depth` = 1-1-1 names 3 sub-networks"), "{depth}");
    // Of four sub-networks by itself, but the digits are too small for it.
    let small = PROGRAM.fails(2, &network);
    assert!(small.contains("at least 32x32") && small.contains("8x8"), "{small}");
    PROGRAM.fails(2, &["train", "--set", "no-equals-sign"]);
    PROGRAM.fails(2, &["train", "--config", "no-such-file.toml"]);
}

#[test]
fn devices_that_are_not_built_in_are_told_with_the_feature() {
    let message = PROGRAM.fails(6, &["train", "--device", "cuda:0"]);
    assert!(message.contains("--features cuda"), "{message}");
    let message = PROGRAM.fails(2, &["train", "--device", "flx"]);
    assert!(message.contains("did you mean `flex`?"), "{message}");
}

#[test]
fn data_that_is_not_there_is_told_with_how_to_get_it() {
    let place = tempfile::tempdir().unwrap();
    let dir = format!("data.dir={}", place.path().display());
    let message = PROGRAM.fails(3, &["train", "--data", "fashion-mnist", "--set", &dir]);
    assert!(message.contains("hint: "), "{message}");
}

/// An IDX file: `[count, rows, columns]` or `[count]` in its header, then the bytes.
fn idx(dims: &[u32], bytes: usize) -> Vec<u8> {
    let mut file = vec![0, 0, 8, u8::try_from(dims.len()).unwrap()];
    dims.iter().for_each(|dim| file.extend(dim.to_be_bytes()));
    file.extend((0..bytes).map(|byte| (byte % 10) as u8));
    file
}

#[test]
fn damaged_data_ends_with_3() {
    let place = tempfile::tempdir().unwrap();
    let images = idx(&[40, 28, 28], 40 * 28 * 28);
    let labels = idx(&[40], 40);
    let train_with = |images: &[u8], labels: &[u8]| {
        for (name, bytes) in [
            ("train-images-idx3-ubyte", images),
            ("train-labels-idx1-ubyte", labels),
            ("t10k-images-idx3-ubyte", &idx(&[40, 28, 28], 40 * 28 * 28)),
            ("t10k-labels-idx1-ubyte", &idx(&[40], 40)),
        ] {
            std::fs::write(place.path().join(name), bytes).unwrap();
        }
        let dir = format!("data.dir={}", place.path().display());
        PROGRAM.fails(3, &["train", "--data", "mnist", "--set", &dir])
    };
    let short = train_with(&images[..images.len() - 100], &labels);
    assert!(short.contains("train-images") && short.contains("100"), "{short}");
    let mut wrong = images.clone();
    wrong[2] = 9;
    assert!(train_with(&wrong, &labels).contains("train-images"));
    let fewer = train_with(&images, &idx(&[39], 39));
    assert!(fewer.contains("39") && fewer.contains("40"), "{fewer}");
    train_with(&[], &labels);
}

#[test]
fn a_diverged_run_ends_with_5() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run");
    let more = ["--set", "training.learning_rate=1e30", "--quiet"];
    let message = PROGRAM.fails(5, &[&["train", folder.to_str().unwrap()], TINY, &more].concat());
    assert!(message.contains("epoch 1, step "), "{message}");
}

#[test]
fn model_folders_that_are_none_end_with_4() {
    let place = tempfile::tempdir().unwrap();
    PROGRAM.fails(4, &["evaluate", place.path().to_str().unwrap()]);
    PROGRAM.fails(4, &["evaluate", place.path().join("nothing").to_str().unwrap()]);
}

#[test]
fn the_environment_and_flags_override_in_order() {
    let command = |environment: &[(&str, &str)], arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autogrow-tests"));
        command.envs(environment.iter().copied());
        let output = command.arg("config").arg("--json").args(arguments).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let environment = [("AUTOGROW_GROWTH_INTERVAL", "7"), ("AUTOGROW_DATA", "/somewhere")];
    let from = |config: &Value, key: &str| {
        (config[key]["value"].clone(), config[key]["source"].as_str().unwrap().to_string())
    };
    let config = command(&environment, &[]);
    assert_eq!(
        from(&config, "growth.interval"),
        (7.into(), "environment variable AUTOGROW_GROWTH_INTERVAL".into())
    );
    assert_eq!(from(&config, "growth.patience"), (100.into(), "default".into()));
    assert_eq!(from(&config, "growth.policy"), ("worth".into(), "preset standard".into()));
    // J is of the paper's policy, so it chooses that.
    let config_of_paper = command(&environment, &["--patience", "20"]);
    assert_eq!(from(&config_of_paper, "growth.policy"), ("periodic".into(), "default".into()));
    assert_eq!(from(&config_of_paper, "growth.guide"), ("raw".into(), "default".into()));
    assert_eq!(from(&config, "network.width"), (16.into(), "default of basic3resnet".into()));
    assert_eq!(from(&config, "training.learning_rate").0, 0.1);
    let config = command(&environment, &["--set", "growth.interval=5"]);
    assert_eq!(from(&config, "growth.interval").0, 5);
    let config = command(&environment, &["--set", "growth.interval=5", "--interval", "4"]);
    assert_eq!(from(&config, "growth.interval"), (4.into(), "--interval 4".into()));
}

#[test]
fn list_shows_plugins_with_their_crate() {
    let list = PROGRAM.json(&["list"]);
    let origin = |kind: &str, name: &str| {
        let items = list[kind].as_array().unwrap();
        items.iter().find(|item| item["name"] == name).unwrap()["crate"].clone()
    };
    assert_eq!(origin("networks", "basic3resnet"), "autogrow-models");
    assert_eq!(origin("networks", "tiny2net"), "autogrow-tests");
    assert_eq!(origin("data", "digits"), "autogrow-data");
    assert_eq!(origin("policies", "periodic"), "autogrow-core");
}

#[test]
fn bench_tells_images_per_second() {
    let step = PROGRAM.json(&[
        "bench",
        "step",
        "--batch",
        "4",
        "--steps",
        "2",
        "--image",
        "1x8x8",
        "--set",
        "network.width=4",
    ]);
    assert!(step["images_per_second"].as_f64().unwrap() > 0.0);
    assert!(
        step["step_ms"]["min"].as_f64().unwrap() <= step["step_ms"]["median"].as_f64().unwrap()
    );
    assert!(step["parameters"].as_u64().unwrap() > 0);
    assert!(PROGRAM.json(&["bench", "data"])["images_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
fn help_fits_80_columns() {
    for command in [
        "",
        "train",
        "evaluate",
        "plan",
        "replay",
        "report",
        "landscape",
        "trajectory",
        "list",
        "download",
        "config",
        "bench",
        "bench step",
    ] {
        let arguments: Vec<_> = command.split_whitespace().chain(["--help"]).collect();
        let help = stdout(&PROGRAM.run(&arguments));
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    }
}
