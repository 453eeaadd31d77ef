//! Boxes are torchvision's, pixels those of Pillow.

use super::*;
use crate::picture::decode;
use crate::testing::{Numbers, expected, expected_pixels, fixture, in_bytes};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as u32).collect()
}

fn picture(case: &Value) -> Picture {
    let path = fixture(case["file"].as_str().unwrap());
    decode(&path, &std::fs::read(&path).unwrap()).unwrap()
}

fn size(case: &Value) -> u32 {
    case["width"].as_u64().unwrap() as u32
}

/// Within 1 of 255 everywhere, and a quarter on the average.
fn assert_close(found: Samples<'_>, case: &Value) {
    let found = in_bytes(found);
    let expected = expected_pixels(case);
    assert_eq!(found.len(), expected.len());
    let off = found.iter().zip(&expected).map(|(a, b)| u64::from(a.abs_diff(*b)));
    let (most, sum) = off.fold((0, 0), |(most, sum), off| (most.max(off), sum + off));
    let mean = sum as f64 / found.len() as f64;
    assert!(most <= 1 && mean < 0.25, "{most} {mean} {}", case["file"]);
}

#[test]
fn the_same_draws_give_the_boxes_of_torchvision() {
    let cases = expected()["boxes"].as_array().unwrap().clone();
    let mut fallbacks = 0;
    for case in &cases {
        let draws: Vec<_> = case["draws"].as_array().unwrap().iter().collect();
        let mut next = draws.iter().map(|draw| draw.as_f64().unwrap());
        let size = numbers(&case["size"]);
        let crop = Crop::random([size[0], size[1]], || next.next().unwrap());
        let found = [crop.left, crop.top, crop.width, crop.height];
        assert_eq!(found.to_vec(), numbers(&case["box"]), "{case}");
        assert_eq!(next.next(), None, "{case}");
        fallbacks += usize::from(draws.len() == 2 * TRIES);
    }
    assert!(fallbacks > 30 && cases.len() > 2 * fallbacks, "{fallbacks}");
}

#[test]
fn parts_are_scaled_as_pillow_does() {
    let mut scaler = Scaler::default();
    for case in expected()["crops"].as_array().unwrap() {
        let place = numbers(&case["box"]);
        let crop = Crop { left: place[0], top: place[1], width: place[2], height: place[3] };
        let found = scaler.crop(Path::new("x"), &picture(case), crop, size(case)).unwrap();
        assert_close(found, case);
    }
}

#[test]
fn the_middle_is_cut_out_of_the_scaled_picture() {
    let mut scaler = Scaler::default();
    for case in expected()["centres"].as_array().unwrap() {
        let side = case["side"].as_u64().unwrap() as u32;
        let found = scaler.centre(Path::new("x"), &picture(case), side, [size(case); 2]).unwrap();
        assert_close(found, case);
    }
}

#[test]
fn any_shape_is_cut_and_scaled() {
    let mut draws = Numbers::new(1);
    let mut scaler = Scaler::default();
    for (width, height) in [(1, 1), (1, 9_000), (9_000, 1), (2, 3), (223, 224), (257, 256)] {
        let pixels = vec![7; (3 * width * height) as usize];
        let picture = Picture { width, height, pixels: Pixels::Bytes(pixels) };
        for _ in 0..50 {
            let crop =
                Crop::random([width, height], || draws.below(1 << 20) as f64 / (1 << 20) as f64);
            assert!(crop.left + crop.width <= width && crop.top + crop.height <= height);
            let square = scaler.crop(Path::new("x"), &picture, crop, 24).unwrap();
            assert!(in_bytes(square).iter().all(|&byte| byte == 7));
        }
        for (side, size) in [(256, 224), (32, 32), (1, 1)] {
            let square = scaler.centre(Path::new("x"), &picture, side, [size; 2]).unwrap();
            assert_eq!(square.len() as u32, 3 * size * size);
            assert!(in_bytes(square).iter().all(|&byte| byte == 7));
        }
    }
}

#[test]
fn planes_are_mirrored_and_looked_up() {
    let table: [f32; 256] = std::array::from_fn(|byte| byte as f32);
    let tables = [table, table.map(|value| 10.0 * value), table.map(|value| -value)];
    let pixels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    let planes = |flip| {
        let mut out = [0.0; 12];
        let value = |channel: usize, byte: u8| tables[channel][usize::from(byte)];
        fill_planes(&pixels, 2, flip, value, &mut out);
        out
    };
    assert_eq!(planes(false), [1., 4., 7., 10., 20., 50., 80., 110., -3., -6., -9., -12.]);
    assert_eq!(planes(true), [4., 1., 10., 7., 50., 20., 110., 80., -6., -3., -12., -9.]);
}

/// Scaled in 16 bits, where 8 would leave nothing of them.
#[test]
fn words_are_scaled_as_words() {
    let pixels = Pixels::Words((0..64 * 64).flat_map(|at| [(at % 64) as u16; 3]).collect());
    let picture = Picture { width: 64, height: 64, pixels };
    let mut scaler = Scaler::default();
    let Samples::Words(square) = scaler.centre(Path::new("x"), &picture, 32, [32; 2]).unwrap()
    else {
        panic!("16 bits are kept")
    };
    assert!(square[..3 * 32].chunks(3).is_sorted() && square[3 * 31] >= 60, "{square:?}");
}
