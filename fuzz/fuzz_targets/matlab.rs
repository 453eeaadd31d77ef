//! MAT-files of any content: each variable as numbers, as blocks of bytes, or passed over.
#![no_main]

use autogrow_formats::{Input, matlab};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &[u8]| {
    for how in 0..4 {
        let _ = matlab::variables(Input::embedded("file.mat", content), |variable| match how {
            0 => variable.numbers().map(drop),
            1 => variable.blocks(8, |block| assert_eq!(block.len(), 8)),
            2 => variable.structures(|_, _, _| {}),
            _ => Ok(()),
        });
    }
});
