//! The plugin can do what a built-in can: it is listed, trains, is evaluated from its run folder,
//! and ZeroInit preserves its function.

use autogrow_core::config::{Compat, Shortcut};
use autogrow_core::growth::Depth;
use autogrow_core::initializer::InitializerKind;
use autogrow_core::network::{Blueprint, Network, SeedNetwork, SubModuleKind};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::registry::find;
use autogrow_gated as _;
use burn::tensor::{Device, Tensor, TensorData};
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

fn network(depth: [usize; 3], width: usize, image: [usize; 3], device: &Device) -> Network {
    let blueprint = Blueprint {
        network: "gated3net".into(),
        depth: depth.map(|count| count.to_string()).join("-").parse::<Depth>().unwrap(),
        width,
        image,
        classes: 5,
        shortcut: Shortcut::default(),
        compat: Compat::Paper,
    };
    Network::new(blueprint, &mut generator(1, Purpose::Seed, 0), device).unwrap()
}

/// Two images with numbers in all of them.
fn images([channels, height, width]: [usize; 3], device: &Device) -> Tensor<4> {
    let numbers: Vec<_> =
        (0..2 * channels * height * width).map(|i| (0.7 * i as f32).sin()).collect();
    Tensor::from_data(TensorData::new(numbers, [2, channels, height, width]), device)
}

#[test]
fn is_listed_with_its_crate() {
    let list = autogrow(&["list"]);
    for (kind, name) in [("networks", "gated3net"), ("sub-modules", "gated")] {
        let items = list[kind].as_array().unwrap();
        let item = items.iter().find(|item| item["name"] == name).unwrap();
        assert_eq!(item["crate"], "autogrow-gated");
    }
    assert_eq!(find::<SeedNetwork>("gated3net").unwrap().sub_module, "gated");
    assert!(find::<SubModuleKind>("gated").unwrap().residual);
}

#[test]
fn grows_on_digits_and_is_evaluated_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let run = run.to_str().unwrap();
    let settings = [
        "network.name=gated3net",
        "network.width=4",
        "growth.interval=1",
        "growth.patience=1",
        "growth.initializer=zero",
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn zero_init_preserves_the_function(
        depth in [1usize..3, 1usize..3, 1usize..3],
        sub_network in 0usize..3,
        width in 1usize..9,
        image in [1usize..4, 4usize..14, 4usize..14],
    ) {
        let device = Device::flex();
        let scores = |net: &Network| net.forward(images(image, &device)).into_data();
        let mut net = network(depth, width, image, &device);
        let before = scores(&net);
        net.stack(sub_network, &mut generator(1, Purpose::Growth, 0), &device).unwrap();
        let zero = (find::<InitializerKind>("zero").unwrap().build)(Compat::Paper);
        let norm = net.last_norm(sub_network).unwrap();
        zero.initialize(norm, &mut generator(1, Purpose::Growth, 1));
        prop_assert_eq!(&before, &scores(&net), "bit for bit");
    }
}

#[test]
fn the_gate_counts_once_an_image() {
    let device = Device::flex();
    let macs = |depth| network(depth, 6, [3, 9, 11], &device).macs().unwrap();
    let block = macs([2, 1, 1]) - macs([1, 1, 1]);
    assert_eq!(block, 2 * (6 * 6 * 9 * 9 * 11) + 2 * (6 * 2));
}
