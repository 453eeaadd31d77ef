//! What several tests of this crate share.

use crate::picture::Samples;
use crate::{Error, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file of `fixtures`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// What `fixtures/generate.py` expects to be read from its files.
pub(crate) fn expected() -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(fixture("expected.json")).unwrap()).unwrap()
}

/// The bytes as a gzip file.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The problem of an error, without its path, and its hint.
pub(crate) fn problem<T>(result: Result<T>) -> (String, String) {
    let Error { problem, hint, .. } = result.err().unwrap();
    (problem, hint.unwrap())
}

/// Numbers that look random and are the same every time (Marsaglia's xorshift).
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}

/// `file` with one to three of its first `reach` bytes changed.
pub(crate) fn damaged(file: &[u8], reach: usize, round: u64) -> Vec<u8> {
    let mut numbers = Numbers::new(round + 1);
    let mut bytes = file.to_vec();
    for _ in 0..=numbers.below(3) {
        bytes[numbers.below(reach.min(file.len()))] ^= 1 + numbers.below(255) as u8;
    }
    bytes
}

/// The pixels that an entry of [`expected`] says another program sees.
pub(crate) fn expected_pixels(of: &serde_json::Value) -> Vec<u8> {
    static ALL: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let all = ALL.get_or_init(|| {
        let mut input = crate::Input::open(&fixture("expected.rgb.gz")).unwrap();
        input.rest(10 << 20).unwrap()
    });
    let [start, width, height] =
        ["start", "width", "height"].map(|key| of[key].as_u64().unwrap() as usize);
    all[start..start + 3 * width * height].to_vec()
}

/// Values in 8 bits, rounded.
pub(crate) fn in_bytes(samples: Samples<'_>) -> Vec<u8> {
    match samples {
        Samples::Bytes(bytes) => bytes.to_vec(),
        Samples::Words(words) => {
            words.iter().map(|&word| ((u32::from(word) + 128) / 257) as u8).collect()
        }
    }
}
