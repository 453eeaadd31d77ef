//! How many images a step takes where nobody says.

/// Steps of an epoch that are aimed at, and the batches that are given up for it.
const STEPS_OF_EPOCH: usize = 16;
const SMALLEST: usize = 16;
const LARGEST: usize = 128;

/// Images a step where there are so many to train on and nobody says: a power of two, so that an
/// epoch of small data has several steps as well.
pub fn batch_for(images: usize) -> usize {
    (images / STEPS_OF_EPOCH).next_power_of_two().clamp(SMALLEST, LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_data_take_small_batches() {
        let of = [0, 90, 400, 1_078, 6_000, 1_281_167].map(batch_for);
        assert_eq!(of, [16, 16, 32, 128, 128, 128]);
    }
}
