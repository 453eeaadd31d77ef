//! `validation.bin`: what every epoch showed of every validation image.
//!
//! The file begins with the eight bytes of [`MAGIC`]. Each epoch follows as: the length of a header
//! (4 bytes), the CRC-32 of all that comes behind this number (4 bytes), the header as JSON
//! ([`ValidationEpoch`] without the images), a bit an image (whether it was right, the first image the
//! lowest bit of the first byte; only where `right` in the header says so), and the loss of each
//! image as a half-precision float. Numbers are little-endian.

use crate::{Phase, names};
use autogrow_base::{Error, Result};
use autogrow_growth::{Bits, Depth, Evidence};
use half::f16;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How the file begins.
pub const MAGIC: &[u8; 8] = b"AUTOGV1\n";

/// What an epoch showed of the validation images.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidationEpoch {
    /// Number of the epoch in the run, from 1.
    pub epoch: usize,
    /// The part of the run.
    pub phase: Phase,
    /// The network's depth.
    pub depth: Depth,
    /// Step size.
    pub learning_rate: f64,
    /// Scores, cost, and each image.
    pub evidence: Evidence,
}

#[derive(Serialize, Deserialize)]
struct Header {
    epoch: usize,
    phase: Phase,
    depth: Depth,
    learning_rate: f64,
    score: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chance: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    train_score: Option<f64>,
    macs: u64,
    images: usize,
    right: bool,
}

/// A loss as the file keeps it: policies decide on these, so that they decide the same on what is
/// read again.
pub fn rounded(loss: f32) -> f32 {
    f16::from_f32(loss).to_f32()
}

impl ValidationEpoch {
    /// As it is appended to the file.
    ///
    /// # Errors
    /// [`Error::Run`] where the header cannot be written down.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let evidence = &self.evidence;
        let header = Header {
            epoch: self.epoch,
            phase: self.phase,
            depth: self.depth.clone(),
            learning_rate: self.learning_rate,
            score: evidence.score,
            chance: evidence.chance,
            train_score: evidence.train_score,
            macs: evidence.macs,
            images: evidence.losses.len(),
            right: evidence.right.is_some(),
        };
        let header = serde_json::to_vec(&header)
            .map_err(|error| Error::run(names::VALIDATION, error.to_string()))?;
        let mut bytes = (header.len() as u32).to_le_bytes().to_vec();
        bytes.extend([0; 4]);
        bytes.extend(header);
        bytes.extend(evidence.right.iter().flat_map(Bits::as_bytes));
        let losses = evidence.losses.iter();
        bytes.extend(losses.flat_map(|&loss| f16::from_f32(loss).to_le_bytes()));
        let sum = crc32fast::hash(&bytes[8..]);
        bytes[4..8].copy_from_slice(&sum.to_le_bytes());
        Ok(bytes)
    }

    /// The next epoch of what is left of a file, which is moved behind it; none where it is not
    /// whole.
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (sum, rest) = rest.split_first_chunk()?;
        let (header, images) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let header: Header = serde_json::from_slice(header).ok()?;
        let count = header.images;
        let bits = if header.right { count.div_ceil(8) } else { 0 };
        let (bits, behind) = images.split_at_checked(bits)?;
        let (losses, behind) = behind.split_at_checked(count.checked_mul(2)?)?;
        if crc32fast::hash(&rest[..rest.len() - behind.len()]) != u32::from_le_bytes(*sum) {
            return None;
        }
        *bytes = behind;
        let losses = losses.as_chunks().0.iter().map(|&loss| f16::from_le_bytes(loss).to_f32());
        let right = if header.right { Some(Bits::from_bytes(count, bits)?) } else { None };
        Some(Self {
            epoch: header.epoch,
            phase: header.phase,
            depth: header.depth,
            learning_rate: header.learning_rate,
            evidence: Evidence {
                score: header.score,
                chance: header.chance,
                train_score: header.train_score,
                macs: header.macs,
                right,
                losses: losses.collect(),
            },
        })
    }
}

/// All epochs in the bytes of the file at `path`, which is for errors.
///
/// # Errors
/// [`Error::Run`] where it is damaged.
pub fn read_validation(path: &Path, bytes: &[u8]) -> Result<Vec<ValidationEpoch>> {
    match whole_epochs(bytes) {
        (epochs, None) => Ok(epochs),
        (_, Some(problem)) => Err(Error::run(path, format!("is damaged: {problem}"))
            .with_hint("metrics.csv of the same run has the scores")),
    }
}

/// The epochs in the bytes of such a file up to the first that is not whole, and what is wrong with
/// that.
pub fn whole_epochs(bytes: &[u8]) -> (Vec<ValidationEpoch>, Option<String>) {
    let mut epochs = Vec::new();
    let Some(mut rest) = bytes.strip_prefix(&MAGIC[..]) else {
        return (epochs, Some("it does not begin as such files do".into()));
    };
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        match ValidationEpoch::take(&mut rest) {
            Some(epoch) => epochs.push(epoch),
            None => return (epochs, Some(format!("the epoch at byte {at} is not whole"))),
        }
    }
    (epochs, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs() -> Vec<ValidationEpoch> {
        let of = |epoch, phase, right: Option<Bits>, losses: &[f32]| ValidationEpoch {
            epoch,
            phase,
            depth: "2-1-1".parse().unwrap(),
            learning_rate: 0.1,
            evidence: Evidence {
                score: 66.666_666_666_666_67,
                chance: (epoch == 1).then_some(10.0),
                train_score: (epoch == 1).then_some(71.234_567_890_123),
                macs: 1_234_567,
                right,
                losses: losses.iter().map(|&loss| rounded(loss)).collect(),
            },
        };
        vec![
            of(
                1,
                Phase::Growing,
                Some([true, false, true].into_iter().collect()),
                &[0.1, 2.5, 7e4],
            ),
            of(2, Phase::FineTuning, None, &[0.25; 9]),
            of(3, Phase::Growing, None, &[]),
        ]
    }

    fn file(epochs: &[ValidationEpoch]) -> Vec<u8> {
        let bytes = epochs.iter().flat_map(|epoch| epoch.to_bytes().unwrap());
        MAGIC.iter().copied().chain(bytes).collect()
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let path = Path::new("validation.bin");
        assert_eq!(read_validation(path, &file(&epochs())).unwrap(), epochs());
        assert_eq!(read_validation(path, &file(&[])).unwrap(), []);
    }

    #[test]
    fn what_is_cut_off_or_changed_is_damage() {
        let path = Path::new("validation.bin");
        let whole = file(&epochs());
        let ends: Vec<usize> = (0..=3).map(|count| file(&epochs()[..count]).len()).collect();
        for length in 0..whole.len() {
            let read = read_validation(path, &whole[..length]);
            match ends.iter().position(|&end| end == length) {
                Some(count) => assert_eq!(read.unwrap(), epochs()[..count]),
                None => assert_eq!(read.unwrap_err().exit_code(), 4, "cut to {length}"),
            }
        }
        for byte in 0..whole.len() {
            let mut changed = whole.clone();
            changed[byte] ^= 1 << (byte % 8);
            assert!(read_validation(path, &changed).is_err(), "byte {byte}");
        }
    }
}
