//! Exported ONNX models compute what their networks do.
//!
//! `cargo test --workspace --test export` writes the models, with images and the scores of the
//! networks beside them; `cargo test` in this folder, with the same `CARGO_TARGET_DIR`, runs them.
#![cfg(test)]

use serde_json::Value;
use std::path::{Path, PathBuf};
use tract_onnx::prelude::{Framework, InferenceModelExt, IntoRunnable, Tensor, TractResult, tvec};

/// How far a score may be off, as a part of the largest one.
const TOLERANCE: f32 = 1e-4;

/// Where the tests of the project write their files.
fn folder(kind: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    target.join("tmp/onnx").join(kind)
}

fn numbers(value: &Value) -> Vec<f32> {
    let numbers = value.as_array().expect("a list");
    numbers.iter().map(|number| number.as_f64().expect("a number") as f32).collect()
}

/// Class scores, image by image.
fn run(model: &Path, case: &Value) -> TractResult<Vec<f32>> {
    let model = tract_onnx::onnx().model_for_path(model)?.into_optimized()?;
    let shape: Vec<usize> = numbers(&case["shape"]).iter().map(|size| *size as usize).collect();
    let images = Tensor::from_shape(&shape, &numbers(&case["images"]))?;
    let scores = model.into_runnable()?.run(tvec!(images.into()))?;
    Ok(scores[0].to_plain_array_view::<f32>()?.iter().copied().collect())
}

/// Runs all models of a folder.
fn run_models(kind: &str) {
    let folder = folder(kind);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo test --workspace --test export` writes it", folder.display())
    });
    let paths = files.map(|file| file.expect("a file").path());
    let models: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|e| e == "onnx")).collect();
    assert!(models.len() > 40, "{models:?}");
    for model in models {
        let name = model.display();
        let case = std::fs::read(model.with_extension("json")).expect("images and scores");
        let case: Value = serde_json::from_slice(&case).expect("JSON");
        let own = numbers(&case["scores"]);
        let scores = run(&model, &case).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let largest = own.iter().fold(0.0, |largest: f32, score| largest.max(score.abs()));
        let is_near = |(a, b): (&f32, &f32)| (a - b).abs() < TOLERANCE * largest;
        assert_eq!(own.len(), scores.len(), "{name}");
        assert!(own.iter().zip(&scores).all(is_near), "{name}: {scores:?}, not {own:?}");
    }
}

#[test]
fn models_compute_what_networks_compute() {
    run_models("plain");
}

#[test]
fn folded_models_compute_what_networks_compute() {
    run_models("folded");
}
