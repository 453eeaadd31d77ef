//! `autogrow morph`: three ordinary runs, of which each begins with the weights of the one before.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_tests::program::Program;
use serde_json::Value;
use std::path::Path;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_autogrow-tests"));

const TINY: &[&str] = &[
    "--quick",
    "--quiet",
    "--to=2-1-2",
    "--epochs=4",
    "--set=data.fraction=0.4",
    "--set=network.width=4",
    "--set=growth.initializer=zero",
];

fn morph(folder: &Path) -> Value {
    PROGRAM.json(&[&["morph", folder.to_str().unwrap()], TINY].concat())
}

fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap()
}

#[test]
fn a_shallow_net_is_trained_deepened_and_trained_on() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("morph");
    let report = morph(&folder);
    assert_eq!((&report["from"], &report["to"]), (&"1-1-1".into(), &"2-1-2".into()));
    assert_eq!(report["shallow"]["found"], "1-1-1");
    assert_eq!(report["deep"]["found"], "2-1-2");
    for stage in ["shallow", "deep"] {
        let result: Value =
            serde_json::from_str(&read(&folder.join(stage), "result.json")).unwrap();
        for key in ["found", "test_accuracy", "parameters", "fine_tuning_epochs"] {
            assert_eq!(report[stage][key], result[key], "{key}");
        }
    }

    // The layers that the shallow net has are its own after deepening; those on top are new.
    let names = |stage: &str| -> Vec<Vec<u8>> {
        let bytes = std::fs::read(folder.join(stage).join("model.safetensors")).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        ["conv1.weight", "layer1.0.conv1.weight", "layer3.0.conv2.weight", "linear.weight"]
            .map(|name| tensors.tensor(name).unwrap().data().to_vec())
            .into()
    };
    let gap = |a: &[u8], b: &[u8]| {
        let floats = |bytes: &[u8]| -> Vec<f32> {
            bytes.chunks_exact(4).map(|x| f32::from_le_bytes(x.try_into().unwrap())).collect()
        };
        floats(a).iter().zip(floats(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    let (shallow, deepened, deep) = (names("shallow"), names("deepening"), names("deep"));
    for ((shallow, deepened), deep) in shallow.iter().zip(&deepened).zip(&deep) {
        assert!(gap(shallow, deepened) < 1e-5, "deepening has trained");
        assert!(gap(deepened, deep) > 1e-4, "the deep net was not trained on");
    }
}

#[test]
fn the_same_command_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let [whole, cut] = ["whole", "cut"].map(|name| place.path().join(name));
    let report = morph(&whole);
    // Stopped while the deep net trained: its run folder has checkpoints and no result.
    morph(&cut);
    std::fs::remove_file(cut.join("deep/result.json")).unwrap();
    std::fs::remove_file(cut.join("deep/model.safetensors")).unwrap();
    let again = morph(&cut);
    for key in ["found", "test_accuracy", "val_accuracy", "parameters"] {
        assert_eq!(again["deep"][key], report["deep"][key], "{key}");
    }
    let weights = |folder: &Path| std::fs::read(folder.join("deep/model.safetensors")).unwrap();
    assert!(weights(&whole) == weights(&cut), "other weights");
}

#[test]
fn what_is_not_deeper_is_refused() {
    for to in ["1-1-1", "2-2", "2-2-2-2", "0-2-2", "deep"] {
        let message = PROGRAM.fails(2, &["morph", "--to", to]);
        assert!(message.contains("--to"), "{message}");
    }
}
