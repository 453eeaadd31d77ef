//! Arrays are read as scipy wrote them; damaged files are refused, or differ in values alone.

use super::*;
use crate::testing::{damaged, expected, fixture, problem};
use std::collections::BTreeMap;
use std::fs;

type Arrays = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

fn arrays(content: &[u8]) -> Result<Arrays> {
    let mut arrays = Arrays::new();
    variables(Input::embedded("file.mat", content), |variable| {
        let numbers = variable.numbers()?;
        arrays.insert(variable.name.clone(), (variable.dimensions.clone(), numbers));
        Ok(())
    })?;
    Ok(arrays)
}

/// The bytes of the array `uint8`.
fn bytes(content: &[u8], block: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    variables(Input::embedded("file.mat", content), |variable| match variable.name.as_str() {
        "uint8" => variable.blocks(block, |block| bytes.extend_from_slice(block)),
        _ => Ok(()),
    })?;
    Ok(bytes)
}

fn files() -> [Vec<u8>; 2] {
    ["packed.mat", "plain.mat"].map(|name| fs::read(fixture(name)).unwrap())
}

#[test]
fn every_type_is_read_as_written() {
    let expected = expected()["matlab"].as_object().unwrap().clone();
    for file in files() {
        let found = arrays(&file).unwrap();
        assert_eq!(found.len(), expected.len());
        for (name, array) in &expected {
            let list = |key: &str| -> Vec<f64> {
                array[key].as_array().unwrap().iter().map(|item| item.as_f64().unwrap()).collect()
            };
            let (dimensions, numbers) = &found[name];
            assert_eq!(numbers, &list("numbers"), "{name}");
            let dimensions: Vec<_> = dimensions.iter().map(|&size| size as f64).collect();
            assert_eq!(dimensions, list("dimensions"), "{name}");
        }
        let of_bytes: Vec<_> = bytes(&file, 8).unwrap().into_iter().map(f64::from).collect();
        assert_eq!(of_bytes, found["uint8"].1);
        let (found, _) = problem(bytes(&file, 7));
        assert_eq!(found, "variable `uint8`: 24 bytes are not blocks of 7");
    }
}

#[test]
fn cut_short_anywhere_but_between_variables_is_an_error() {
    for file in files() {
        let mut whole = Vec::new();
        for length in 0..file.len() {
            match arrays(&file[..length]) {
                Ok(arrays) => whole.push(arrays.len()),
                Err(error) => assert!(error.problem.contains("offset "), "{length}: {error}"),
            }
        }
        // The format has no end but that of the file: what is there is whole, in order.
        assert_eq!(whole, (0..9).collect::<Vec<_>>());
    }
}

#[test]
fn random_damage_is_an_error_or_in_the_values_never_a_panic() {
    for file in files() {
        for round in 0..10_000 {
            let bytes = damaged(&file, file.len(), round);
            if let Ok(arrays) = arrays(&bytes) {
                let values: usize = arrays.values().map(|(_, numbers)| numbers.len()).sum();
                assert!(values <= 1_032 * file.len());
            }
            let _ = super::tests::bytes(&bytes, 8);
        }
    }
}
