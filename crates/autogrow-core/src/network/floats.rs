//! Floats of other sizes, as model files keep them, as float32.

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
    let pairs = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    match float {
        Float::F16 => pairs.map(from_half).collect(),
        Float::BF16 => pairs.map(|bits| f32::from_bits(u32::from(bits) << 16)).collect(),
        Float::F32 => {
            let words = bytes.chunks_exact(4);
            words.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        }
        Float::F64 => {
            let words = bytes.chunks_exact(8);
            let double =
                |b: &[u8]| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
            words.map(|b| double(b) as f32).collect()
        }
    }
}

/// Half precision: a sign, five bits of exponent (bias 15), ten of fraction.
fn from_half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2.0_f32.powi(exponent - 15),
    }
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

    /// Between two neighbours the distance is that of their exponent.
    #[test]
    fn halves_are_in_order_and_evenly_spaced() {
        let half = |bits: u16| decode(Float::F16, &bits.to_le_bytes())[0];
        for bits in 0..0x7BFF_u16 {
            let step = 2.0_f32.powi(i32::from(bits >> 10).max(1) - 25);
            assert_eq!(half(bits + 1) - half(bits), step, "{bits:04x}");
        }
    }
}
