//! Picture for picture against torchvision: `tests/fixtures/make_augmentation_fixtures.py`.

use super::*;
use crate::random::Purpose;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// What torchvision says.
pub(super) fn fixture() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/augmentation.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub(super) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap().as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn operation(name: &Value) -> Operation {
    let is = |operation: &&Operation| format!("{operation:?}") == name.as_str().unwrap();
    *Operation::ALL.iter().find(is).unwrap()
}

#[test]
fn every_operation_is_torchvisions_to_the_byte() {
    let fixture = fixture();
    let pictures = fixture["pictures"].as_object().unwrap();
    let mut seen = BTreeSet::new();
    for case in fixture["operations"].as_array().unwrap() {
        let name = case["picture"].as_str().unwrap();
        let picture = &pictures[name];
        let shape = picture["shape"].as_array().unwrap();
        let image = [0, 1, 2].map(|at| shape[at].as_u64().unwrap() as usize);
        let (mut pixels, wanted) = (bytes(&picture["bytes"]), bytes(&case["bytes"]));
        let operation = operation(&case["operation"]);
        let magnitude = number(&case["magnitude"]);
        operation.apply(magnitude, image, &mut pixels);
        let off = pixels.iter().zip(&wanted).filter(|(got, want)| got != want).count();
        assert_eq!(
            off,
            0,
            "{name}: {operation:?} {magnitude} differs at {off} of {}",
            wanted.len()
        );
        seen.insert(format!("{operation:?}"));
    }
    assert_eq!(seen.len(), Operation::ALL.len());
}

#[test]
fn strengths_are_torchvisions() {
    let fixture = fixture();
    for (name, augment) in [("trivial", Augment::Trivial), ("rand", Augment::Rand)] {
        let spaces = fixture[name].as_object().unwrap();
        assert_eq!(spaces.len(), Operation::ALL.len());
        for (operation_name, space) in spaces {
            let operation = operation(&Value::from(&**operation_name));
            let magnitudes = space["magnitudes"].as_array();
            let wanted = magnitudes.map(|all| all.iter().map(number).collect::<Vec<_>>());
            let got = strengths(augment, operation, [20, 24]).map(Vec::from);
            assert_eq!(got, wanted, "{name}: {operation_name}");
            assert_eq!(operation.is_signed(), space["signed"].as_bool().unwrap());
        }
    }
}

#[test]
fn a_picture_is_augmented_by_its_draws_alone() {
    let picture: Vec<u8> = (0..3 * 16 * 16).map(|at| (at * 37 % 251) as u8).collect();
    let with = |kind, index| {
        let mut pixels = picture.clone();
        let mut draws = Draws::new(1, Purpose::Augmentation, index);
        augment(kind, &mut draws, [3, 16, 16], &mut pixels);
        pixels
    };
    for kind in [Augment::Trivial, Augment::Rand] {
        assert_eq!(with(kind, 4), with(kind, 4));
        let all: BTreeSet<_> = (0..200).map(|index| with(kind, index)).collect();
        // Of two operations each of a strength there are about fourteen times as many pairs.
        assert!(all.len() > 90, "{}", all.len());
    }
    assert_eq!(with(Augment::Standard, 4), picture);
}
