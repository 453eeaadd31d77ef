//! The record of a run's growing epochs: all that policies may decide on.

use crate::Depth;

/// What one growing epoch showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The score that guides growth, percent; higher is better. Of classes: the accuracy on the
    /// validation images.
    pub score: f64,
    /// Multiply-accumulate operations of one image; 0 where they are not known.
    pub macs: u64,
    /// Which validation images were right, in stored order; none where they are not known, as of
    /// recorded accuracies, or where right and wrong make no sense, as of regression.
    pub right: Option<Bits>,
}

impl Evidence {
    /// Of a recorded score, in percent, and nothing else.
    pub fn of_score(score: f64) -> Self {
        Self { score, ..Self::default() }
    }
}

/// A bit an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    length: usize,
    bytes: Vec<u8>,
}

impl Bits {
    /// The bits in `bytes`, the first one the lowest of the first byte; none where there are not
    /// exactly as many bytes as `length` bits need.
    pub fn from_bytes(length: usize, bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == length.div_ceil(8)).then_some(Self { length, bytes })
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
        let mut all = Self::default();
        for bit in bits {
            if all.length % 8 == 0 {
                all.bytes.push(0);
            }
            all.bytes[all.length / 8] |= u8::from(bit) << (all.length % 8);
            all.length += 1;
        }
        all
    }
}

/// The evidence of every growing epoch so far, with the depth of the network that gave it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    epochs: Vec<(Depth, Evidence)>,
}

impl Record {
    /// Number of epochs.
    pub fn len(&self) -> usize {
        self.epochs.len()
    }

    /// Whether there is no epoch yet.
    pub fn is_empty(&self) -> bool {
        self.epochs.is_empty()
    }

    /// Every epoch in order: the network's depth and what it showed.
    pub fn epochs(&self) -> &[(Depth, Evidence)] {
        &self.epochs
    }

    /// The epochs of the present level: those since the depth last changed, oldest first.
    pub fn level(&self) -> &[(Depth, Evidence)] {
        let Some((depth, _)) = self.epochs.last() else { return &[] };
        let before = self.epochs.iter().rposition(|(other, _)| other != depth);
        &self.epochs[before.map_or(0, |last| last + 1)..]
    }

    pub(crate) fn push(&mut self, depth: Depth, evidence: Evidence) {
        self.epochs.push((depth, evidence));
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
            let read = Bits::from_bytes(length, packed.as_bytes().to_vec());
            assert_eq!(read, Some(packed));
        }
        assert_eq!(Bits::from_bytes(9, vec![0]), None);
    }

    #[test]
    fn a_level_begins_where_the_depth_changes() {
        let mut record = Record::default();
        assert!(record.level().is_empty());
        for (depth, score) in [("1-1", 1.0), ("2-1", 2.0), ("2-1", 3.0)] {
            record.push(depth.parse().unwrap(), Evidence::of_score(score));
        }
        let scores: Vec<_> = record.level().iter().map(|(_, evidence)| evidence.score).collect();
        assert_eq!((scores, record.len()), (vec![2.0, 3.0], 3));
    }
}
