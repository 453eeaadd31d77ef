//! Records of CIFAR-10 and CIFAR-100 of any content, plain and packed.
#![no_main]

use autogrow_formats::{Input, cifar};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &[u8]| {
    for below in [&[10][..], &[20, 100]] {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        let input = Input::embedded("file.bin", content);
        if cifar::records(input, below, &mut pixels, &mut labels).is_ok() {
            assert!(!labels.is_empty() && pixels.len() == labels.len() * cifar::PIXELS);
            assert!(labels.iter().all(|&label| label < u16::from(below[below.len() - 1])));
        }
    }
});
