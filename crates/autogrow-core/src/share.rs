//! The part of a batch that one process computes.

use std::ops::Range;

/// One of `of` parts of every batch, of equal size or one image less: images that follow each
/// other, so that the parts in their order are the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which one, from 0.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

impl Default for Share {
    /// All of it.
    fn default() -> Self {
        Self { index: 0, of: 1 }
    }
}

impl Share {
    /// Positions of this share within `length` things.
    pub fn range(self, length: usize) -> Range<usize> {
        let bound = |index| length * index / self.of.max(1);
        bound(self.index)..bound(self.index + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_the_whole_and_even() {
        for of in 1..9 {
            for length in 0..40 {
                let ranges: Vec<_> =
                    (0..of).map(|index| Share { index, of }.range(length)).collect();
                let positions: Vec<_> = ranges.iter().cloned().flatten().collect();
                assert_eq!(positions, (0..length).collect::<Vec<_>>(), "{of} of {length}");
                assert!(ranges.iter().all(|range| range.len() / of <= length / of));
                let lengths = ranges.iter().map(ExactSizeIterator::len);
                assert!(lengths.clone().max() <= lengths.min().map(|least| least + 1));
            }
        }
        assert_eq!(Share::default().range(7), 0..7);
    }
}
