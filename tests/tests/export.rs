//! What is exported: ONNX models, which `tests/onnx` runs, and the generated Python, which is kept
//! so that a change of the generator is seen.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::config::{Compat, Shortcut};
use autogrow_core::data::{Cells, Column, TableInput};
use autogrow_core::growth::Depth;
use autogrow_core::network::{Blueprint, Graph, ModelInfo, Network, SeedNetwork, StateDict};
use autogrow_core::registry;
use autogrow_core::testing::perturbed;
use autogrow_export::{fold_batch_norms, onnx, pytorch};
use autogrow_models as _;
use autogrow_tests as _;
use burn::tensor::{Device, Tensor, TensorData};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Images `[batch, channels, height, width]`, of odd and of even sizes.
const IMAGES: [usize; 4] = [3, 3, 33, 34];

fn network(seed: &SeedNetwork, shortcut: Shortcut) -> Network {
    let blueprint = Blueprint {
        network: seed.name.into(),
        depth: Depth::uniform(seed.sub_networks, 2),
        width: 8,
        image: [IMAGES[1], IMAGES[2], IMAGES[3]],
        classes: 5,
        shortcut,
        compat: Compat::Paper,
    };
    perturbed(&blueprint, &Device::flex()).unwrap()
}

/// Writes the ONNX models of all networks that have a graph to a folder of the target folder, each
/// beside images and the scores that its network gives them. `tests/onnx` runs the models.
fn write_models(kind: &str, prepare: impl Fn(&Graph, StateDict) -> (Graph, StateDict)) {
    let device = Device::flex();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx").join(kind);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    // Growing waves, so that no two images of the batch have the same scores.
    let count: usize = IMAGES.iter().product();
    let pixels: Vec<f32> =
        (0..count).map(|i| (0.7 * i as f32).sin() * (1.0 + i as f32 / count as f32)).collect();
    let images = || Tensor::from_data(TensorData::new(pixels.clone(), IMAGES), &device);
    let mut without_graph = BTreeSet::new();
    for seed in registry::all::<SeedNetwork>().unwrap() {
        for shortcut in [Shortcut::Projection, Shortcut::Padding] {
            let network = network(seed, shortcut);
            let Ok(graph) = network.graph() else {
                without_graph.insert(seed.name);
                continue;
            };
            let (graph, state) = prepare(&graph, StateDict::of(&network).unwrap());
            let info = ModelInfo::bare(network.blueprint().clone());
            let model = onnx(&graph, &state, &info, Path::new("model.onnx")).unwrap();
            let scores: Vec<f32> = network.forward(images()).into_data().iter().collect();
            let case = json!({"shape": IMAGES, "images": pixels, "scores": scores});
            let path = folder.join(format!("{}-{shortcut:?}.onnx", seed.name));
            std::fs::write(path.with_extension("json"), case.to_string()).unwrap();
            std::fs::write(path, model).unwrap();
        }
    }
    // The plugin that computes with plain tensors.
    assert_eq!(without_graph, BTreeSet::from(["tiny2net"]));
}

#[test]
fn onnx_models_of_all_networks() {
    write_models("plain", |graph, state| (graph.clone(), state));
}

#[test]
fn folded_onnx_models_of_all_networks() {
    write_models("folded", |graph, state| {
        let (folded, state) = fold_batch_norms(graph, state);
        assert!(folded.nodes.len() < graph.nodes.len());
        (folded, state)
    });
}

/// Rows as they stand in a table, with numbers in pieces and without, and the scores of the features that
/// they become; ONNX Runtime agrees within 2e-7 of the largest.
#[test]
fn onnx_models_of_tables() {
    let device = Device::flex();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx/rows");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, edges) in [("standard", vec![]), ("pieces", vec![-1.0, 0.25, 0.5, 7.0])] {
        let cells = |mean| Cells::Numbers { mean, deviation: 0.3, edges: edges.clone() };
        let words = Cells::Words { words: vec!["blue".into(), "red".into()] };
        let column = |name: &str, cells, missing| Column { name: name.into(), cells, missing };
        let columns = vec![
            column("a", cells(0.5), true),
            column("colour", words, false),
            column("b", cells(100.0), false),
        ];
        let (targets, left_out, notes) = (vec!["label".into()], Vec::new(), Vec::new());
        let table = TableInput { targets, columns, left_out, notes };
        let (features, inputs) = (table.features(), table.inputs().len());
        let blueprint = Blueprint {
            network: "mlp1net".into(),
            depth: Depth::uniform(1, 2),
            width: 8,
            image: [features.len(), 1, 1],
            classes: 3,
            shortcut: Shortcut::Projection,
            compat: Compat::Paper,
        };
        let network = perturbed(&blueprint, &device).unwrap();
        let rows: Vec<f32> = (0..4 * inputs).map(|i| 1.5 * (0.7 * i as f32).sin()).collect();
        let seen = rows.chunks(inputs).flat_map(|row| {
            features.iter().map(|feature| feature.of(row[feature.input].into()) as f32)
        });
        let seen = TensorData::new(seen.collect::<Vec<_>>(), [4, features.len(), 1, 1]);
        let scores: Vec<f32> =
            network.forward(Tensor::from_data(seen, &device)).into_data().iter().collect();
        let mut info = ModelInfo::bare(blueprint);
        info.table = Some(table);
        let (graph, state) = (network.graph().unwrap(), StateDict::of(&network).unwrap());
        let model = onnx(&graph, &state, &info, Path::new("model.onnx")).unwrap();
        let case = json!({"shape": [4, inputs, 1, 1], "images": rows, "scores": scores});
        let path = folder.join(format!("{name}.onnx"));
        std::fs::write(path.with_extension("json"), case.to_string()).unwrap();
        std::fs::write(path, model).unwrap();
        insta::assert_snapshot!(
            format!("python-rows-{name}"),
            pytorch(&graph, &info, "model.safetensors")
        );
    }
}

/// The Python module of one network of each family. `INSTA_UPDATE=always` keeps what has changed;
/// look at it first, and run `tests/fixtures/check_exports.py`.
#[test]
fn python_modules_are_what_they_were() {
    let seeds = registry::all::<SeedNetwork>().unwrap();
    let families: BTreeMap<_, _> =
        seeds.into_iter().rev().map(|seed| (seed.sub_module, seed)).collect();
    for seed in families.into_values() {
        let network = network(seed, Shortcut::Projection);
        if let Ok(graph) = network.graph() {
            let info = ModelInfo::bare(network.blueprint().clone());
            let module = pytorch(&graph, &info, "model.safetensors");
            insta::assert_snapshot!(format!("python-{}", seed.name), module);
        }
    }
}
