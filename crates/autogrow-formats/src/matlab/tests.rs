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
fn packed_variables_are_refused_beyond_a_bound() {
    let [packed, plain] = files();
    let read = |file, most| {
        let read = |variable: &mut Variable<'_, '_>| variable.numbers().map(drop);
        variables(Input::bounded("file.mat", file, most), read)
    };
    read(&plain, 100).unwrap();
    let (found, hint) = problem(read(&packed, 100));
    assert!(found.starts_with("unpacks to more than 100 bytes at offset "), "{found}");
    assert!(hint.contains("without compression"));
    // The length of the first variable's values.
    let mut huge = plain.clone();
    huge[0xc4..0xc8].copy_from_slice(&(1_u32 << 28).to_le_bytes());
    let (found, _) = problem(read(&huge, 100));
    assert_eq!(found, "variable `uint8`: 268435456 bytes are too many to be read as numbers");
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
            let content = damaged(&file, file.len(), round);
            if let Ok(arrays) = arrays(&content) {
                let values: usize = arrays.values().map(|(_, numbers)| numbers.len()).sum();
                assert!(values <= 1_032 * file.len());
            }
            let _ = bytes(&content, 8);
        }
    }
}

/// The structures of a file: number, field, numbers.
fn structures(content: &[u8]) -> Result<Vec<(usize, String, Vec<f64>)>> {
    let mut all = Vec::new();
    variables(Input::embedded("meta.mat", content), |variable| {
        variable.structures(|index, field, numbers| all.push((index, field.into(), numbers)))
    })?;
    Ok(all)
}

#[test]
fn structures_are_read_field_by_field() {
    let found = structures(&fs::read(fixture("meta.mat")).unwrap()).unwrap();
    assert_eq!(found.len(), 12);
    let text = |numbers: &[f64]| numbers.iter().map(|&code| code as u8 as char).collect::<String>();
    assert_eq!(
        (found[4].0, found[4].1.as_str(), found[4].2.as_slice()),
        (1, "ILSVRC2012_ID", &[2.0][..])
    );
    assert_eq!((found[9].1.as_str(), text(&found[9].2).as_str()), ("WNID", "n00001740"));
    assert_eq!((found[11].1.as_str(), found[11].2.as_slice()), ("children", &[7.0, 9.0][..]));
    let (found, _) = problem(structures(&files()[1]));
    assert!(found.starts_with("the names of fields expected before offset "), "{found}");
}

#[test]
fn damaged_structures_are_an_error_or_harmless_never_a_panic() {
    let file = fs::read(fixture("meta.mat")).unwrap();
    let plain = {
        let mut plain = file[..128].to_vec();
        let mut input = Input::embedded("meta.mat", &file);
        input.bytes(136, "the header").unwrap();
        let packed = file.len() as u64 - 136;
        plain.extend(input.zlib(packed, |content| content.rest(1 << 20)).unwrap());
        plain
    };
    assert_eq!(structures(&plain).unwrap().len(), 12);
    for length in 129..plain.len() {
        assert!(structures(&plain[..length]).is_err(), "{length}");
    }
    for round in 0..10_000 {
        let _ = structures(&damaged(&file, file.len(), round));
        let _ = structures(&damaged(&plain, plain.len(), round));
    }
}
