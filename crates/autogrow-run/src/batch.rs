//! What few images or rows are trained with where nobody says.

/// Steps of an epoch that are aimed at, and the batches that are given up for it.
const STEPS_OF_EPOCH: usize = 16;
const SMALLEST: usize = 16;
const LARGEST: usize = 128;

/// Steps between two checks of growth, and of fine-tuning, of small data.
const STEPS_OF_INTERVAL: usize = 64;
const STEPS_OF_FINE_TUNING: usize = 640;

/// Weight decay times the number of rows, and the most there is: what scikit-learn's small tables
/// (iris, wine, breast_cancer, diabetes) generalise best with.
const DECAY_OF_CLASSES: (f64, f64) = (4.0, 0.02);
const DECAY_OF_VALUES: (f64, f64) = (32.0, 0.1);

/// Images a step where there are so many to train on and nobody says: a power of two, so that an
/// epoch of small data has several steps as well.
pub fn batch_for(images: usize) -> usize {
    (images / STEPS_OF_EPOCH).next_power_of_two().clamp(SMALLEST, LARGEST)
}

/// What suits a number of images or rows: few are trained for more epochs, so that even a hundred come
/// to some hundred steps, and with more weight decay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suiting {
    /// Images a step.
    pub batch_size: usize,
    /// At least; where more is usual, that.
    pub weight_decay: f64,
    /// K, epochs.
    pub interval: usize,
    /// N, epochs.
    pub epochs: usize,
}

impl Suiting {
    /// For so many to train on, of an objective such as `values`.
    pub fn of(images: usize, objective: &str) -> Self {
        let batch_size = batch_for(images);
        let steps = images.div_ceil(batch_size).max(1);
        let (decay, most) = if objective == "values" { DECAY_OF_VALUES } else { DECAY_OF_CLASSES };
        Self {
            batch_size,
            weight_decay: (decay / images.max(1) as f64).min(most),
            interval: STEPS_OF_INTERVAL.div_ceil(steps).clamp(2, 10),
            epochs: STEPS_OF_FINE_TUNING.div_ceil(steps).clamp(10, 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_data_take_small_batches() {
        let of = [0, 90, 400, 1_078, 6_000, 1_281_167].map(batch_for);
        assert_eq!(of, [16, 16, 32, 128, 128, 128]);
    }

    #[test]
    fn small_data_take_more_epochs_and_weight_decay() {
        let iris = Suiting::of(90, "classes");
        let expected = Suiting { batch_size: 16, weight_decay: 0.02, interval: 10, epochs: 60 };
        assert_eq!(iris, expected);
        let diabetes = Suiting::of(320, "values");
        assert_eq!((diabetes.weight_decay, diabetes.batch_size), (0.1, 32));
        let large = Suiting::of(100_000, "values");
        assert_eq!((large.interval, large.epochs), (2, 10));
        assert!(large.weight_decay < 5e-4);
    }
}
