//! [`Bits`]: a bit an image.

use std::sync::Arc;

/// A bit an image. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    length: usize,
    bytes: Arc<[u8]>,
}

impl Bits {
    /// The bits in `bytes`, the first one the lowest of the first byte; none where there are not
    /// exactly as many bytes as `length` bits need.
    pub fn from_bytes(length: usize, bytes: &[u8]) -> Option<Self> {
        (bytes.len() == length.div_ceil(8)).then(|| Self { length, bytes: bytes.into() })
    }

    /// Eight bits a byte, the first one the lowest of the first byte.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of bits.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = bool> + '_ {
        (0..self.length).map(|index| self.bytes[index / 8] >> (index % 8) & 1 == 1)
    }

    /// How many are set.
    pub fn count(&self) -> usize {
        self.iter().filter(|&bit| bit).count()
    }
}

impl FromIterator<bool> for Bits {
    fn from_iter<I: IntoIterator<Item = bool>>(bits: I) -> Self {
        let (mut length, mut bytes) = (0, Vec::new());
        for bit in bits {
            if length % 8 == 0 {
                bytes.push(0);
            }
            bytes[length / 8] |= u8::from(bit) << (length % 8);
            length += 1;
        }
        Self { length, bytes: bytes.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_keep_their_places() {
        for length in 0..20usize {
            let bits: Vec<bool> = (0..length).map(|i| i % 3 == 0).collect();
            let packed: Bits = bits.iter().copied().collect();
            assert_eq!(packed.iter().collect::<Vec<_>>(), bits);
            assert_eq!((packed.len(), packed.count()), (length, length.div_ceil(3)));
            let read = Bits::from_bytes(length, packed.as_bytes());
            assert_eq!(read, Some(packed));
        }
        assert_eq!(Bits::from_bytes(9, &[0]), None);
    }
}
