//! Where randomness comes from: the run's seed, what it is for, and a counter. Nothing is drawn
//! from a generator that lives across epochs, so a resumed run needs none of their states.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What random numbers are for. Each purpose has a stream of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The draws of growing mode `random`; counted by growing epochs.
    Mode = 0,
    /// The seed network's weights.
    Seed = 1,
    /// A new sub-module's weights; counted by growths.
    Growth = 2,
    /// Order and augmentation; counted by epochs.
    Epoch = 3,
    /// Which images in memory are held out.
    Partition = 4,
    /// Images and directions of a loss landscape.
    Landscape = 5,
    /// Images on which batch norms are measured anew; counted by epochs.
    Recalibration = 6,
    /// Which images of a batch are mixed, and how; counted by batches.
    Mixing = 7,
    /// Which residual branches are left out of which images of a batch; counted by batches, then by
    /// sub-modules.
    Paths = 8,
}

/// The generator of draw number `count` for a purpose.
pub fn generator(seed: u64, purpose: Purpose, count: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((purpose as u64) << 48) | count as u64);
    rng
}

/// A seed for draw number `count` for a purpose.
pub fn derive(seed: u64, purpose: Purpose, count: usize) -> u64 {
    generator(seed, purpose, count).next_u64()
}
