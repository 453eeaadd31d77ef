//! Policy `worth` and what it stands on: the averaged guide, the record of every validation image,
//! growths that are taken back, and the certificate.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::growth::Evidence;
use autogrow_core::run::validation::{ValidationEpoch, read_validation};
use autogrow_tests::program::Program;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

/// A run of a second on a tenth of the digits.
const TINY: [&str; 6] = [
    "data.fraction=0.1",
    "network.width=4",
    "growth.guide=averaged",
    "growth.interval=2",
    "training.batch_size=16",
    "fine_tune.epochs=3",
];

fn train(folder: &Path, more: &[&str]) -> Value {
    let settings = TINY.iter().chain(more).flat_map(|set| ["--set", set]);
    let command = ["train", folder.to_str().unwrap(), "--quiet"];
    PROGRAM.json(&command.into_iter().chain(settings).collect::<Vec<_>>())
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Rows of metrics.csv without their header.
fn metrics(run: &Path) -> Vec<Vec<String>> {
    let text = read(&run.join("metrics.csv"));
    text.lines().skip(1).map(|line| line.split(',').map(String::from).collect()).collect()
}

fn validation(run: &Path) -> Vec<ValidationEpoch> {
    let path = run.join("validation.bin");
    read_validation(&path, &std::fs::read(&path).unwrap()).unwrap()
}

/// Kind, epoch and depth of the decisions in a journal.
fn decisions(run: &Path) -> Vec<(String, u64, String)> {
    let kinds = BTreeMap::from([
        ("grew", "grow"),
        ("stopped", "stop"),
        ("capped", "cap"),
        ("kept", "keep"),
        ("rolled-back", "roll-back"),
        ("restarted", "restart"),
    ]);
    let events = read(&run.join("journal.jsonl"));
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events
        .filter_map(|event| {
            let kind = kinds.get(event["event"].as_str()?)?;
            let changes = ["grow", "roll-back", "restart"].contains(kind);
            let depth = if changes { event["depth"].as_str()? } else { "" };
            Some((kind.to_string(), event["epoch"].as_u64()?, depth.into()))
        })
        .collect()
}

#[test]
fn the_guide_does_not_touch_training() {
    let place = tempfile::tempdir().unwrap();
    let run = |guide: &str| {
        let folder = place.path().join(guide);
        train(&folder, &["growth.policy=none", &format!("growth.guide={guide}")]);
        metrics(&folder)
    };
    let (raw, averaged) = (run("raw"), run("averaged"));
    assert_eq!(raw.len(), 3);
    for (raw, averaged) in raw.iter().zip(&averaged) {
        // Up to the training accuracy; the validation loss is that of other weights.
        assert_eq!(raw[..6], averaged[..6]);
        assert_ne!(raw[6], averaged[6]);
    }
}

#[test]
fn the_record_has_every_image_of_every_epoch() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &["growth.policy=worth"]);
    let (rows, epochs) = (metrics(&run), validation(&run));
    assert_eq!(rows.len(), epochs.len());
    for (row, epoch) in rows.iter().zip(&epochs) {
        let Evidence { score, chance, train_score, macs, right, losses } = &epoch.evidence;
        // The commonest digit of these few images.
        assert!(chance.is_some_and(|chance| (10.0..25.0).contains(&chance)));
        let right = right.as_ref().unwrap();
        assert_eq!(row[0], epoch.epoch.to_string());
        assert_eq!((&row[1][..], &row[2]), (epoch.phase.name(), &epoch.depth.to_string()));
        assert_eq!(row[7].parse::<f64>().unwrap(), *score);
        assert_eq!(row[5].parse::<f64>().ok(), *train_score);
        let percent = 100.0 * right.count() as f64 / right.len() as f64;
        assert!((percent - score).abs() < 1e-9 && right.len() == losses.len() && *macs > 0);
        let mean = losses.iter().copied().map(f64::from).sum::<f64>() / losses.len() as f64;
        let loss: f64 = row[6].parse().unwrap();
        assert!((mean - loss).abs() < 1e-3 * loss.max(1.0), "{mean} is not {loss}");
    }
}

/// Training and `replay` decide the same, growths that were given up included; and the run ends
/// with the network that the last decision left.
#[test]
fn replay_gives_up_what_training_gave_up() {
    let place = tempfile::tempdir().unwrap();
    let (mut kept, mut given_up) = (0, 0);
    for seed in ["run.seed=1", "run.seed=2", "run.seed=3"] {
        let run = place.path().join(seed);
        // So slow that more layers help.
        let slow = ["training.learning_rate=0.02", "data.fraction=0.06", "network.width=2"];
        let cheap = ["growth.policy=worth", "growth.price=0", "growth.interval=1"];
        let result = train(&run, &[&slow[..], &cheap, &["growth.max_depth=3-3-3", seed]].concat());
        let config = run.join("config.toml");
        let replay = ["replay", run.to_str().unwrap(), "--config", config.to_str().unwrap()];
        let replayed = PROGRAM.json(&replay);
        assert_eq!((&replayed["found"], &replayed["finished"]), (&result["found"], &true.into()));
        let told = replayed["events"].as_array().unwrap().iter();
        // Where trials begin from, the journal does not tell.
        let is_told = |event: &&Value| event["kind"] != "keep" || event["place"] == "champion";
        let events = told.filter(is_told).map(|event| {
            let text = |key: &str| event[key].as_str().unwrap_or_default().to_string();
            (text("kind"), event["epoch"].as_u64().unwrap(), text("depth"))
        });
        let own = decisions(&run);
        assert_eq!(events.collect::<Vec<_>>(), own);
        let rows = metrics(&run);
        assert_eq!(rows.last().unwrap()[2], result["found"].as_str().unwrap());
        given_up += own.iter().filter(|(kind, ..)| kind == "stop").count();
        kept += own.iter().filter(|(kind, ..)| kind == "keep").count();
    }
    assert!(kept > 0 && given_up > 0, "{kept} kept, {given_up} given up");
}

/// Ten epochs of a network that learns nothing from a few images, then a deeper one: told in the journal
/// and on the page, and played again by `replay`.
#[test]
fn a_seed_that_learns_nothing_gives_way_to_a_deeper_one() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let slow = ["training.learning_rate=0.03", "data.fraction=0.06", "network.width=2"];
    let growth = ["growth.policy=worth", "growth.price=0", "growth.interval=1"];
    let result =
        train(&run, &[&slow[..], &growth, &["growth.max_depth=3-3-3", "run.seed=3"]].concat());
    let restart = ("restart".to_string(), 10, "2-2-2".to_string());
    assert!(decisions(&run).contains(&restart), "{:?}", decisions(&run));
    let replayed = PROGRAM.json(&["replay", run.to_str().unwrap()]);
    assert_eq!(replayed["found"], result["found"]);
    let page = read(&run.join("report.html"));
    assert!(page.contains("After epoch 10 the seed had learnt nothing"), "{page}");
}

/// Each rank goes back for itself; were one to go back to another network, the run would end.
#[test]
fn ranks_go_back_together() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let ranks = ["growth.policy=worth", "run.device=flex,flex", "training.sync_batch_norm=true"];
    train(&run, &ranks);
    let own = decisions(&run);
    assert!(own.iter().any(|(kind, ..)| kind == "roll-back"), "{own:?}");
    let single = place.path().join("single");
    train(&single, &["growth.policy=worth"]);
    // Sums in another order round differently, and no more.
    for (both, one) in validation(&run).iter().zip(&validation(&single)).take(2) {
        assert_eq!(both.evidence.losses.len(), one.evidence.losses.len());
        let far = both.evidence.losses.iter().zip(one.evidence.losses.iter());
        let far = far.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 0.05, "losses differ by {far}");
    }
}

#[test]
fn a_certificate_compares_neighbours_on_the_same_images() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let depth = ["growth.policy=none", "network.depth=2-1-1"];
    let result = train(&run, &depth);
    let certify = |more: &[&str]| {
        PROGRAM.json(&[&["certify", run.to_str().unwrap(), "--quiet"], more].concat())
    };
    let first = certify(&[]);
    let depths = |certificate: &Value| {
        ["shallower", "found", "deeper"].map(|net| certificate[net]["depth"].clone())
    };
    assert_eq!(depths(&first), ["1-1-1", "2-1-1", "3-2-2"].map(Value::from));
    assert_eq!(first["found"]["test_percent"][0], result["test_accuracy"]);
    let images = first["images"].as_f64().unwrap();
    for net in ["shallower", "deeper"] {
        let rival = &first[net];
        let [own, other] = [0, 1].map(|of| rival["alone"][0][of].as_f64().unwrap());
        let by_counts = 100.0 * (own - other) / images;
        let sign = if net == "deeper" { -1.0 } else { 1.0 };
        assert!((rival["gain"].as_f64().unwrap() - sign * by_counts).abs() < 1e-9, "{rival}");
    }
    // What was trained is kept; more orders add to it.
    assert_eq!(certify(&[]), first);
    let second = certify(&["--seeds", "2"]);
    for net in ["shallower", "found", "deeper"] {
        let scores = second[net]["test_percent"].as_array().unwrap();
        assert_eq!((scores.len(), &scores[0]), (2, &first[net]["test_percent"][0]));
    }
    // The same network trained on from the same place is the run's own.
    let again = place.path().join("again");
    assert_eq!(train(&again, &depth)["test_accuracy"], result["test_accuracy"]);
    let page = read(&run.join("certificate.json"));
    assert_eq!(serde_json::from_str::<Value>(&page).unwrap(), second);
    let place = place.path().to_str().unwrap();
    assert!(PROGRAM.fails(4, &["certify", place]).contains("is not a run folder"));
    let price = PROGRAM.fails(2, &["certify", run.to_str().unwrap(), "--price", "nan"]);
    assert!(price.contains("--price"), "{price}");
}

/// A clock has ended growth and fine-tuning somewhere: all networks of the certificate are trained so
/// far, and the screen says which is trained and what the clock has to do with it.
#[test]
fn a_run_with_a_clock_is_certified_as_it_was_trained() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let folder = run.to_str().unwrap();
    let clock = ["growth.policy=worth", "run.max_minutes=0.02", "fine_tune.epochs=100000"];
    let result = train(&run, &clock);
    assert_eq!(
        result["timed"].as_array().map_or(0, Vec::len) as u64,
        result["fine_tuning_epochs"].as_u64().unwrap()
    );
    let certify = |more: &[&str]| {
        let output = PROGRAM.run(&[&["certify", folder, "--json"], more].concat());
        assert!(output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        (serde_json::from_slice::<Value>(&output.stdout).unwrap(), said)
    };
    let (certificate, said) = certify(&[]);
    assert_eq!(certificate["found"]["test_percent"][0], result["test_accuracy"]);
    assert!(said.contains("time ended the run") || said.contains("time left the run no"), "{said}");
    let deeper = certificate["deeper"]["depth"].as_str().unwrap();
    assert!(said.contains(&format!(": {deeper}, one level deeper\n")), "{said}");
    assert!(!said.contains("resuming") && !said.contains("order"), "{said}");
    let (_, said) = certify(&["--seeds", "2"]);
    assert!(said.contains(", the found depth, the images in order 2 of 2\n"), "{said}");
    assert!(
        said.contains("one level deeper, the images in order 1 of 2: trained before"),
        "{said}"
    );
    // Of a run of an older program nothing is known but the number of its epochs.
    if result["fine_tuning_epochs"] != 0 {
        let mut older = result.clone();
        older.as_object_mut().unwrap().remove("timed");
        std::fs::write(run.join("result.json"), older.to_string()).unwrap();
        let (_, said) = certify(&[]);
        assert!(said.contains("is not on record"), "{said}");
    }
}

/// The champion is not the network that was trained last: it has its own score, from the first
/// comparison in fine-tuning on.
#[test]
fn a_network_that_was_gone_back_to_keeps_its_own_score() {
    let place = tempfile::tempdir().unwrap();
    for seed in ["run.seed=0", "run.seed=1"] {
        let run = place.path().join(seed);
        let result = train(&run, &["growth.policy=worth", "fine_tune.epochs=0", seed]);
        assert_eq!(decisions(&run).iter().rfind(|own| own.0 != "stop").unwrap().0, "roll-back");
        let said = PROGRAM.json(&["evaluate", run.to_str().unwrap(), "--split", "val"]);
        assert_eq!(said["top1"], result["val_accuracy"]);
    }
}

/// At a price that nothing is worth, the shallower network is the better one.
#[test]
fn the_better_network_is_taken_and_the_found_one_kept() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let folder = run.to_str().unwrap();
    let found = train(&run, &["growth.policy=none", "network.depth=2-1-1"]);
    let model = std::fs::read(run.join("model.safetensors")).unwrap();
    let take = ["certify", folder, "--quiet", "--price", "1000", "--take"];
    let certificate = PROGRAM.json(&take);
    let result: Value = serde_json::from_str(&read(&run.join("result.json"))).unwrap();
    assert_eq!([&found["found"], &result["found"]], ["2-1-1", "1-1-1"]);
    let shallower = &certificate["shallower"]["test_percent"][0];
    assert_eq!(&result["test_accuracy"], shallower);
    let evaluated = PROGRAM.json(&["evaluate", folder, "--quiet"]);
    assert_eq!([&evaluated["found"], &evaluated["top1"]], [&"1-1-1".into(), shallower]);
    assert!(read(&run.join("README.md")).contains("1-1-1"));
    assert_eq!(std::fs::read(run.join("model-2-1-1.safetensors")).unwrap(), model);
    let kept: Value = serde_json::from_str(&read(&run.join("result-2-1-1.json"))).unwrap();
    assert_eq!(kept["found"], "2-1-1");
    // There is nothing shallower any more, and nothing to take.
    let again = PROGRAM.json(&take);
    assert!(again["shallower"].is_null());
    assert_eq!(again["found"]["test_percent"][0], *shallower);
}

/// What follows a dense sub-network reads each of its sub-modules: there is none to be left out.
#[test]
fn a_dense_network_is_certified_against_a_deeper_one_alone() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &["growth.policy=none", "network.name=dense3net", "network.depth=2-1-1"]);
    let certificate = PROGRAM.json(&["certify", run.to_str().unwrap(), "--quiet"]);
    assert!(certificate["shallower"].is_null(), "{certificate}");
    assert_eq!(certificate["deeper"]["depth"], "3-2-2");
}

/// The paper's rule takes nothing back: where training collapses at a large step size, the run says which
/// network was better, and keeps it.
#[test]
fn a_better_network_that_growing_has_passed_is_kept() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let arguments = ["train", run.to_str().unwrap(), "--quick", "--policy", "periodic"];
    let settings = ["--fraction", "0.2", "--width", "4", "--interval", "1", "--patience", "3"];
    let more = ["--epochs", "0", "--lr", "0.3", "--batch-size", "128"];
    let result = PROGRAM.json(&[&arguments[..], &settings, &more].concat());
    let peak = &result["peak"];
    let [then, now] = [&peak["val_accuracy"], &result["val_accuracy"]].map(|a| a.as_f64().unwrap());
    assert!(then > now + 10.0, "{result}");
    let row = format!("{},growing,{},", peak["epoch"], peak["depth"].as_str().unwrap());
    let metrics = read(&run.join("metrics.csv"));
    assert!(metrics.lines().any(|line| line.starts_with(&row)), "{row}\n{metrics}");
    assert!(read(&run.join("report.html")).contains("Growing has passed a better network"));
    let file = run.join("peak.safetensors");
    let data = ["--data", "digits", "--set", "data.fraction=0.2", "--split", "val"];
    let said = PROGRAM.json(&[&["evaluate", file.to_str().unwrap()], &data[..]].concat());
    assert_eq!([&said["top1"], &said["found"]], [&peak["val_accuracy"], &peak["depth"]]);

    // Where what was found is the best, there is no such file.
    let other = place.path().join("other");
    let result =
        PROGRAM.json(&["train", other.to_str().unwrap(), "--fraction", "0.1", "--width", "4"]);
    assert!(result["peak"].is_null() && !other.join("peak.safetensors").exists(), "{result}");
}

/// The score of a row of metrics.csv on the images that guide the run.
fn guiding_score(row: &str) -> f64 {
    row.split(',').nth(7).unwrap().parse().unwrap()
}

/// A run that is as good as it gets early in fine-tuning, killed after that: what it resumes with is
/// still the best of all epochs at the found depth, not of those since.
#[test]
fn the_model_is_the_best_epoch_of_the_whole_run() {
    let place = tempfile::tempdir().unwrap();
    let [whole, killed] = ["whole", "killed"].map(|name| place.path().join(name));
    let count = place.path().join("count");
    let start = |run: &Path, variable: &str, value: &str| {
        let arguments = ["train", run.to_str().unwrap(), "--quiet", "--fraction", "0.1"];
        let settings = ["--width", "4", "--policy", "none", "--epochs", "24"];
        let mut command = PROGRAM.command(&[&arguments[..], &settings].concat());
        command.env(variable, value).output().unwrap().status.success()
    };
    assert!(start(&whole, "FAULT_COUNT", count.to_str().unwrap()));
    let metrics = read(&whole.join("metrics.csv"));
    let scores: Vec<_> = metrics.lines().skip(1).map(guiding_score).collect();
    let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let first = scores.iter().position(|&score| score == best).unwrap();
    assert!(first + 3 < scores.len(), "the best epoch is among the last: {scores:?}");

    let operations: usize = read(&count).parse().unwrap();
    let nearly_all = format!("kill:{}", operations * 9 / 10);
    assert!(!start(&killed, "FAULT_AT", &nearly_all));
    let before = read(&killed.join("metrics.csv")).lines().count() - 1;
    assert!((first + 1..scores.len()).contains(&before), "killed after {before} epochs");
    let result = PROGRAM.json(&["resume", killed.to_str().unwrap(), "--quiet"]);
    assert_eq!(result["val_accuracy"], best);
    let model = |run: &Path| std::fs::read(run.join("model.safetensors")).unwrap();
    assert!(model(&killed) == model(&whole));

    let file = killed.join("model.safetensors");
    let data = ["--data", "digits", "--set", "data.fraction=0.1", "--split", "val"];
    let said = PROGRAM.json(&[&["evaluate", file.to_str().unwrap()], &data[..]].concat());
    assert_eq!(said["top1"], best);
}

/// The better half goes on for twice as long, until one is left; what is finished is not trained again.
#[test]
fn a_sweep_halves_until_one_is_left() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("sweep");
    let settings = TINY.iter().chain(&["fine_tune.epochs=4"]).flat_map(|set| ["--set", set]);
    let start = ["sweep", folder.to_str().unwrap(), "--quiet", "--depths", "1-1-1,2-1-1,3-2-2"];
    let arguments: Vec<_> = start.into_iter().chain(settings).collect();
    let sweep = PROGRAM.json(&arguments);
    let rounds = sweep["rounds"].as_array().unwrap();
    let of = |round: &Value, key: &str| -> Vec<Value> {
        round.as_array().unwrap().iter().map(|trained| trained[key].clone()).collect()
    };
    let sizes: Vec<_> = rounds.iter().map(|round| of(round, "epochs")).collect();
    assert_eq!(sizes, [vec![Value::from(1); 3], vec![2.into(); 2], vec![4.into()]]);
    for pair in rounds.windows(2) {
        let (before, after) = (of(&pair[0], "depth"), of(&pair[1], "depth"));
        assert!(after.iter().all(|depth| before[..after.len()].contains(depth)), "{sweep}");
        let worth: Vec<_> = of(&pair[0], "worth").iter().map(|w| w.as_f64().unwrap()).collect();
        assert!(worth.is_sorted_by(|one, other| one >= other), "{sweep}");
    }
    let best = &rounds[2][0];
    let outcome = Path::new(best["run"].as_str().unwrap()).join("result.json");
    let outcome: Value = serde_json::from_str(&read(&outcome)).unwrap();
    assert_eq!(
        [&outcome["found"], &outcome["test_accuracy"]],
        [&best["depth"], &best["test_percent"]]
    );
    assert_eq!(PROGRAM.json(&arguments), sweep);
    let kept: Value = serde_json::from_str(&read(&folder.join("sweep.json"))).unwrap();
    assert_eq!(kept, sweep);
    // As long as another run in all.
    let run = place.path().join("run");
    train(&run, &["growth.policy=none", "fine_tune.epochs=30"]);
    let like = place.path().join("like");
    let settings = TINY.iter().flat_map(|set| ["--set", set]);
    let start = ["sweep", like.to_str().unwrap(), "--quiet", "--depths", "1-1-1,2-1-1", "--like"];
    let arguments = start.into_iter().chain([run.to_str().unwrap()]).chain(settings);
    let sweep = PROGRAM.json(&arguments.collect::<Vec<_>>());
    let whole: u64 = validation(&run).iter().map(|epoch| epoch.evidence.macs).sum();
    let compute = sweep["compute"].as_u64().unwrap();
    assert!(compute <= whole && compute > whole * 3 / 4, "{compute} of {whole}");
}
