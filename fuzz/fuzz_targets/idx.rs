//! IDX files, plain and packed: images and labels of any content.
#![no_main]

use autogrow_formats::{Input, idx};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &[u8]| {
    if let Ok(pixels) = idx::images(Input::embedded("images", content), [4, 3]) {
        assert!(!pixels.is_empty() && pixels.len().is_multiple_of(12));
    }
    if let Ok(labels) = idx::labels(Input::embedded("labels", content), 10) {
        assert!(labels.iter().all(|&label| label < 10));
    }
});
