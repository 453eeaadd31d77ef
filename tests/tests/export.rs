//! What is exported computes what its network does: ONNX models are run. The generated Python is
//! kept, so that a change of the generator is seen.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::config::{Compat, Shortcut};
use autogrow_core::growth::Depth;
use autogrow_core::network::{Blueprint, Graph, ModelInfo, Network, SeedNetwork, StateDict};
use autogrow_core::registry;
use autogrow_core::testing::perturbed;
use autogrow_export::{fold_batch_norms, onnx, pytorch};
use autogrow_models as _;
use autogrow_tests as _;
use burn::tensor::{Device, Tensor, TensorData};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tract_onnx::prelude::{Framework, InferenceModelExt, IntoRunnable, TractResult, tvec};

/// Images `[batch, channels, height, width]`, of odd and of even sizes.
const IMAGES: [usize; 4] = [3, 3, 33, 34];

/// How far a score may be off, as a part of the largest one.
const TOLERANCE: f32 = 1e-4;

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

/// Class scores, image by image, as an ONNX model has them.
fn run(model: &[u8], images: &[f32]) -> TractResult<Vec<f32>> {
    let model = tract_onnx::onnx().model_for_read(&mut &*model)?.into_optimized()?;
    let images = tract_onnx::prelude::Tensor::from_shape(&IMAGES, images)?;
    let scores = model.into_runnable()?.run(tvec!(images.into()))?;
    Ok(scores[0].to_plain_array_view::<f32>()?.iter().copied().collect())
}

/// Holds the ONNX models of all networks that have a graph against the networks.
fn run_models(prepare: impl Fn(&Graph, StateDict) -> (Graph, StateDict)) {
    let device = Device::flex();
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
            let name = format!("{} {shortcut:?}", seed.name);
            let scores = run(&model, &pixels);
            assert!(scores.is_ok(), "{name}: {scores:?}");
            let scores = scores.unwrap();
            let own: Vec<f32> = network.forward(images()).into_data().iter().collect();
            let largest = own.iter().fold(0.0, |largest: f32, score| largest.max(score.abs()));
            let is_near = |(a, b): (&f32, &f32)| (a - b).abs() < TOLERANCE * largest;
            assert_eq!(own.len(), scores.len(), "{name}");
            assert!(own.iter().zip(&scores).all(is_near), "{name}: {scores:?}, not {own:?}");
        }
    }
    // The plugin that computes with plain tensors.
    assert_eq!(without_graph, BTreeSet::from(["tiny2net"]));
}

#[test]
fn onnx_models_compute_what_networks_compute() {
    run_models(|graph, state| (graph.clone(), state));
}

#[test]
fn folded_onnx_models_compute_what_networks_compute() {
    run_models(|graph, state| {
        let (folded, state) = fold_batch_norms(graph, state);
        assert!(folded.nodes.len() < graph.nodes.len());
        (folded, state)
    });
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
