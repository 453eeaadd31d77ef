//! Floats of other sizes, as model files keep them, as float32.

use half::{bf16, f16};

/// How a float is kept, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Float {
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of a single.
    BF16,
    /// IEEE double precision.
    F64,
}

impl Float {
    /// Bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// The numbers in `bytes`; what is left over at the end is passed over. Doubles are rounded, the
/// others kept exactly.
pub fn decode(float: Float, bytes: &[u8]) -> Vec<f32> {
    match float {
        Float::F16 => each(bytes, |word| f16::from_le_bytes(word).to_f32()),
        Float::BF16 => each(bytes, |word| bf16::from_le_bytes(word).to_f32()),
        Float::F32 => each(bytes, f32::from_le_bytes),
        Float::F64 => each(bytes, |word| f64::from_le_bytes(word) as f32),
    }
}

fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&word| number(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers() {
        let half = |bits: u16| decode(Float::F16, &bits.to_le_bytes())[0];
        assert_eq!((half(0x3C00), half(0xC000), half(0x7BFF)), (1.0, -2.0, 65_504.0));
        assert_eq!((half(0x0001), half(0x0400)), (2.0_f32.powi(-24), 2.0_f32.powi(-14)));
        assert!(half(0x7E00).is_nan() && half(0xFC00) == f32::NEG_INFINITY);
        assert!(half(0x8000) == 0.0 && half(0x8000).is_sign_negative());
        assert_eq!(decode(Float::BF16, &0x4049_u16.to_le_bytes()), [3.140_625]);
        assert_eq!(decode(Float::F64, &(-0.1_f64).to_le_bytes()), [-0.1]);
        assert_eq!(decode(Float::F32, &[0, 0, 0x80, 0x3F, 1]), [1.0]);
    }
}
