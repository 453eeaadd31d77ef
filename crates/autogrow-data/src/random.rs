//! Random numbers that are a function of what they are for: a seed, a purpose and an index.
//!
//! Every image, every order has a stream of its own, so nothing depends on which thread gets to it
//! first. Integers are drawn here rather than by a distribution crate: the same seed must mean
//! the same run after an upgrade of dependencies.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What a stream is for. The numbers are part of every published result: never reuse one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// Which training images are held out, and which a fraction leaves.
    Partition = 1,
    /// The order of an epoch.
    Order = 2,
    /// How one image is shifted and mirrored in one epoch.
    Augmentation = 3,
    /// What one generated training image looks like.
    SyntheticTrain = 4,
    /// What one generated test image looks like.
    SyntheticTest = 5,
    /// What one generated training strip looks like.
    MarksTrain = 6,
    /// What one generated test strip looks like.
    MarksTest = 7,
}

/// A stream of random draws.
#[derive(Clone, Debug)]
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// The stream of `index` under `seed`, for one purpose.
    pub(crate) fn new(seed: u64, purpose: Purpose, index: usize) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(index as u64).to_le_bytes());
        key[16] = purpose as u8;
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number from 0 to below `bound`, each as likely as the others up to `bound` / 2^64;
    /// 0 where `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A number from 0 to below 1, a multiple of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True half of the time.
    pub fn coin(&mut self) -> bool {
        self.0.next_u32() & 1 == 1
    }

    /// Fills `bytes` with bytes, each value as likely as the others.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    /// Puts `items` into a random order, each as likely as the others.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_a_function_of_seed_purpose_and_index() {
        let first = |seed, purpose, index| Draws::new(seed, purpose, index).below(usize::MAX);
        let one = first(1, Purpose::Order, 2);
        assert_eq!(one, first(1, Purpose::Order, 2));
        assert_ne!(one, first(2, Purpose::Order, 2));
        assert_ne!(one, first(1, Purpose::Augmentation, 2));
        assert_ne!(one, first(1, Purpose::Order, 3));
    }

    #[test]
    fn draws_cover_their_range_evenly() {
        let mut draws = Draws::new(0, Purpose::Order, 0);
        let mut counts = [0; 9];
        for _ in 0..9_000 {
            counts[draws.below(9)] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        assert_eq!((draws.below(0), draws.below(1)), (0, 0));
        let mean = (0..9_000).map(|_| draws.uniform()).sum::<f64>() / 9_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_is_pinned() {
        let mut items: Vec<u8> = (0..10).collect();
        Draws::new(7, Purpose::Order, 0).shuffle(&mut items);
        assert_eq!(items, [7, 9, 4, 8, 5, 2, 0, 6, 1, 3]);
        items.sort_unstable();
        assert_eq!(items, (0..10).collect::<Vec<_>>());
    }
}
