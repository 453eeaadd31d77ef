//! What fuzzing found interesting once is still read, or refused.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_formats::{Input, cifar, idx, matlab, tar};
use std::fs;
use std::path::Path;

/// The kept cases of a fuzz target.
fn cases(target: &str) -> Vec<Vec<u8>> {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus-kept").join(target);
    let cases = fs::read_dir(kept).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let cases: Vec<_> = cases.collect();
    assert!(cases.len() > 20);
    cases
}

#[test]
fn idx_files() {
    for case in cases("idx") {
        if let Ok(pixels) = idx::images(Input::embedded("images", &case), [4, 3]) {
            assert!(pixels.len().is_multiple_of(12));
        }
        if let Ok(labels) = idx::labels(Input::embedded("labels", &case), 10) {
            assert!(labels.iter().all(|&label| label < 10));
        }
    }
}

#[test]
fn cifar_files() {
    for case in cases("cifar") {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        let input = Input::embedded("file.bin", &case);
        if cifar::records(input, &[20, 100], &mut pixels, &mut labels).is_ok() {
            assert_eq!(pixels.len(), labels.len() * cifar::PIXELS);
        }
    }
}

#[test]
fn matlab_files() {
    for case in cases("matlab") {
        let read = |how: fn(&mut matlab::Variable<'_, '_>) -> autogrow_formats::Result<()>| {
            let _ = matlab::variables(Input::embedded("file.mat", &case), how);
        };
        read(|variable| variable.numbers().map(drop));
        read(|variable| variable.blocks(8, |block| assert_eq!(block.len(), 8)));
        read(|variable| variable.structures(|_, _, _| {}));
        read(|_| Ok(()));
    }
}

#[test]
fn archives() {
    for case in cases("tar") {
        let end = case.len() as u64;
        let _ = tar::members(Path::new("a.tar"), &case[..], 0..end, |member| {
            assert!(member.offset + member.length <= end);
            Ok(())
        });
    }
}
