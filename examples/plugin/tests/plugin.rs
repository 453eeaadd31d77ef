//! The plugin can do what a built-in can: it is listed, conforms, trains, and is evaluated from its
//! run folder.

use autogrow_core::config::{Compat, Config, GrowthConfig, NetworkConfig, Shortcut};
use autogrow_core::growth::{Depth, Evidence, Kind, Replayed, replay};
use autogrow_core::initializer::InitializerKind;
use autogrow_core::network::{Blueprint, Network};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::registry::find;
use autogrow_core::testing::conform;
use autogrow_gated as _;
use burn::tensor::{Device, Tensor};
use proptest::prelude::*;
use serde_json::Value;
use std::process::Command;

/// Runs the binary with `--json` and returns what it says.
fn autogrow(arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autogrow-gated"));
    let output = command.args(arguments).args(["--json", "--quiet"]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn network(depth: [usize; 3], image: [usize; 3]) -> Network {
    let config = NetworkConfig {
        name: "gated3net".into(),
        depth: depth.map(|count| count.to_string()).join("-").parse::<Depth>().unwrap(),
        width: 6,
        shortcut: Shortcut::default(),
    };
    let blueprint = Blueprint::seed(&config, Compat::Paper, image, 5);
    Network::new(blueprint, &mut generator(1, Purpose::Seed, 0), &Device::flex()).unwrap()
}

#[test]
fn the_network_conforms() {
    conform("gated3net", &Device::flex()).unwrap();
}

#[test]
fn all_is_listed_with_its_crate() {
    let list = autogrow(&["list"]);
    for (kind, name) in [
        ("networks", "gated3net"),
        ("sub-modules", "gated"),
        ("initializers", "small"),
        ("policies", "share"),
        ("data", "stripes"),
    ] {
        let items = list[kind].as_array().unwrap();
        let item = items.iter().find(|item| item["name"] == name).unwrap();
        assert_eq!(item["crate"], "autogrow-gated");
    }
}

#[test]
fn grows_on_digits_and_is_evaluated_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let run = run.to_str().unwrap();
    let settings = [
        "network.name=gated3net",
        "network.width=4",
        "growth.policy=share",
        "growth.interval=1",
        "growth.patience=1",
        "growth.initializer=small",
        "growth.max_depth=2-2-2",
        "fine_tune.epochs=1",
        "data.fraction=0.3",
    ];
    let mut arguments = vec!["train", run];
    arguments.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    let result = autogrow(&arguments);

    assert_eq!(result["network"], "gated3net");
    assert_ne!(result["found"], "1-1-1");
    let evaluated = autogrow(&["evaluate", run]);
    assert_eq!(evaluated["top1"], result["test_accuracy"], "{evaluated}");
}

#[test]
fn the_data_set_is_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let arguments = ["train", run.to_str().unwrap(), "--data", "stripes", "--policy", "none"];
    let short = ["--epochs", "10", "--set", "network.width=4", "--set", "training.batch_size=20"];
    let result = autogrow(&[&arguments[..], &short].concat());
    // By chance half of them are right.
    assert!(result["test_accuracy"].as_f64().unwrap() > 80.0, "{result}");
}

#[test]
fn channels_are_weighed_once_an_image() {
    let macs = |depth| network(depth, [3, 9, 11]).macs().unwrap();
    let block = macs([2, 1, 1]) - macs([1, 1, 1]);
    assert_eq!(block, 2 * (6 * 6 * 9 * 9 * 11) + 2 * (6 * 2));
}

#[test]
fn small_branches_begin_at_a_tenth() {
    let mut net = network([1, 1, 1], [3, 8, 8]);
    let small =
        (find::<InitializerKind>("small").unwrap().build)(Compat::Paper, &Default::default())
            .unwrap();
    net.stack(1, &*small, &mut generator(1, Purpose::Growth, 0), &Device::flex()).unwrap();
    let numbers = |tensor: Tensor<1>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
    for gate in net.gates(1, 1) {
        assert_eq!(numbers(gate.scale.val()), [0.1; 12]);
        assert_eq!(numbers(gate.shift.unwrap().val()), [0.0; 12]);
    }
}

/// What the policy finds on `curve` from a seed of `sub_networks`, by `[plugin.share] part`.
fn grown(part: f64, patience: usize, sub_networks: usize, curve: &[f64]) -> Replayed {
    let mut config = Config::default();
    config.network.depth = Depth::uniform(sub_networks, 1);
    config.growth = GrowthConfig { policy: "share".into(), interval: 1, patience, ..config.growth };
    config.plugin = toml::from_str(&format!("[share]\npart = {part:?}")).unwrap();
    replay(&config.rules(), curve.iter().copied().map(Evidence::of_score)).unwrap()
}

#[test]
fn the_policy_stops_by_share_of_errors() {
    let found = |part: f64, curve: [f64; 3]| {
        let replayed = grown(part, 1, 1, &curve);
        (replayed.finished, replayed.found.to_string())
    };
    // Two of 50 errors are 4 %, half of two errors is a quarter.
    assert_eq!(found(0.05, [50.0, 52.0, 52.0]), (true, "2".into()));
    assert_eq!(found(0.05, [98.0, 98.5, 99.0]), (false, "4".into()));
    // The setting decides.
    assert_eq!(found(0.03, [50.0, 52.0, 54.0]), (false, "4".into()));
}

#[test]
fn the_setting_is_shown_and_checked() {
    let config = autogrow(&["config", "--set", "plugin.share.part=0.1"]);
    assert_eq!(config["plugin.share.part"]["value"], 0.1);
    let refused = |setting: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autogrow-gated"));
        let arguments = ["plan", "--policy", "share", "--set", setting];
        let output = command.args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(refused("plugin.share.prat=0.1").contains("did you mean `plugin.share.part`?"));
    assert!(refused("plugin.share.part=1.5").contains("it is above 0 and below 1"));
}

proptest! {
    #[test]
    fn the_policy_waits_for_its_patience_and_grows_at_every_check(
        curve in prop::collection::vec(0.0_f64..=100.0, 1..60),
        patience in 1_usize..10,
    ) {
        let replayed = grown(0.05, patience, 3, &curve);
        for decision in &replayed.events {
            prop_assert!(decision.kind == Kind::Grow || decision.epoch > patience);
        }
        let stops = replayed.events.iter().filter(|decision| decision.kind == Kind::Stop);
        prop_assert_eq!(stops.count() == 3, replayed.finished);
    }
}
