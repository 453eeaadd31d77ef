//! `synthetic`: generated images, for tests, demonstrations and measurements without a file.
//!
//! An image shows two of five signs, and which two is its class. All signs are made of the same
//! strokes, so local features do not tell them apart: a network has to see how strokes are put
//! together, which is what depth is for. `data.difficulty` moves the signs about and
//! fades them into noise: at 0 the signs stand still and alone, at 1 there is nothing but noise.

use crate::images::{Images, Source};
use crate::parts::Parts;
use crate::random::{Draws, Purpose};
use crate::transform::Transform;
use autogrow_core::Result;
use autogrow_core::data::{DataRequest, DataSet, DataSetKind, Outputs, Statistics};
use std::path::Path;
use std::sync::Arc;

autogrow_core::register! {
    DataSetKind {
        name: "synthetic",
        origin: env!("CARGO_PKG_NAME"),
        summary: "generated pairs of signs in noise, 32x32 colour, 5,000 images; data.difficulty",
        open,
    }
}

const TRAIN_IMAGES: usize = 4_000;
const TEST_IMAGES: usize = 1_000;
/// Height and width of an image.
const SIZE: usize = 32;
/// Height and width of a sign.
const SIGN: usize = 7;
/// Rows of each sign, a bit a pixel: two strokes of seven pixels in five arrangements.
const SIGNS: [[u8; SIGN]; 5] = [
    [0b1111111, 0b0001000, 0b0001000, 0b0001000, 0b0001000, 0b0001000, 0b0001000],
    [0b1000000, 0b1000000, 0b1000000, 0b1000000, 0b1000000, 0b1000000, 0b1111111],
    [0b0001000, 0b0001000, 0b0001000, 0b1111111, 0b0001000, 0b0001000, 0b0001000],
    [0b1000000, 0b1000000, 0b1000000, 0b1111111, 0b1000000, 0b1000000, 0b1000000],
    [0b0000001, 0b0000001, 0b0000001, 0b0000001, 0b0000001, 0b0000001, 0b1111111],
];
const NAMES: [&str; 5] = ["tee", "ell", "plus", "fork", "jay"];
/// The signs of each class.
const CLASSES: [[usize; 2]; 10] =
    [[0, 1], [0, 2], [0, 3], [0, 4], [1, 2], [1, 3], [1, 4], [2, 3], [2, 4], [3, 4]];
/// Grey in the middle; the spread is about that of the images at the default difficulty.
const STATISTICS: Statistics = Statistics { mean: 0.5, std: 0.25 };

fn open(request: &DataRequest<'_>) -> Result<DataSet> {
    Ok(Parts {
        outputs: Outputs::Classes(
            CLASSES.map(|[a, b]| format!("{} and {}", NAMES[a], NAMES[b])).to_vec(),
        ),
        train: generate(TRAIN_IMAGES, request, Purpose::SyntheticTrain)?,
        validation: None,
        test: generate(TEST_IMAGES, request, Purpose::SyntheticTest)?,
    }
    .open(request))
}

/// Images whose classes take turns; each image is a function of seed, purpose and its index.
fn generate(images: usize, request: &DataRequest<'_>, purpose: Purpose) -> Result<Arc<dyn Source>> {
    let difficulty = Difficulty::new(request.config.difficulty);
    let mut pixels = vec![0; images * 3 * SIZE * SIZE];
    for (index, image) in pixels.chunks_exact_mut(3 * SIZE * SIZE).enumerate() {
        let signs = CLASSES[index % CLASSES.len()];
        draw(image, signs, &difficulty, &mut Draws::new(request.seed, purpose, index));
    }
    let labels = (0..images).map(|index| (index % CLASSES.len()) as u16).collect();
    let transform = Transform::new([SIZE, SIZE], 255, [STATISTICS; 3]).configured(request.config);
    Ok(Arc::new(Images::new(Path::new("synthetic"), pixels, labels, transform)?))
}

/// What a difficulty from 0 to 1 means, in whole numbers: results are the same on any machine.
struct Difficulty {
    /// Out of 256: how much of a pixel is noise.
    noise: i32,
    /// Out of 256: how likely signs are in other quarters of the image than at difficulty 0.
    disorder: usize,
    /// Places in each direction that a sign may take within its quarter.
    places: usize,
}

impl Difficulty {
    fn new(difficulty: f64) -> Self {
        Self {
            noise: (256.0 * difficulty).round() as i32,
            disorder: (256.0 * difficulty).round() as usize,
            places: 1 + ((SIZE / 2 - SIGN - 1) as f64 * difficulty).round() as usize,
        }
    }
}

/// Draws the signs into an image `[3, 32, 32]`.
fn draw(image: &mut [u8], signs: [usize; 2], difficulty: &Difficulty, draws: &mut Draws) {
    let mut signal = [0_i32; 3 * SIZE * SIZE];
    let mut quarters = [0, 3, 1, 2];
    if draws.below(256) < difficulty.disorder {
        draws.shuffle(&mut quarters);
    }
    for (sign, quarter) in signs.into_iter().zip(quarters) {
        let top = quarter / 2 * SIZE / 2 + draws.below(difficulty.places);
        let left = quarter % 2 * SIZE / 2 + draws.below(difficulty.places);
        for plane in signal.chunks_exact_mut(SIZE * SIZE) {
            let brightness = 50 + draws.below(78) as i32;
            for (row, bits) in SIGNS[sign].into_iter().enumerate() {
                let at = (top + row) * SIZE + left;
                for (column, pixel) in plane[at..at + SIGN].iter_mut().enumerate() {
                    if bits >> (SIGN - 1 - column) & 1 == 1 {
                        *pixel = brightness;
                    }
                }
            }
        }
    }
    draws.fill(image);
    for (pixel, signal) in image.iter_mut().zip(signal) {
        let noise = i32::from(*pixel) - 128;
        let mixed = (256 - difficulty.noise) * signal + difficulty.noise * noise;
        *pixel = (128 + mixed / 256).clamp(0, 255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use autogrow_core::config::DataConfig;

    fn open(difficulty: f64, seed: u64) -> DataSet {
        let config = DataConfig { name: "synthetic".into(), difficulty, ..DataConfig::default() };
        testing::open(&config, seed).unwrap()
    }

    /// Share of test images nearest to the mean training image of their class, in percent.
    fn nearest_mean(set: &DataSet) -> usize {
        let size = set.image.iter().product();
        let mut means = vec![vec![0.0_f32; size]; 10];
        let labels = testing::labels(set.train.as_ref());
        for (image, label) in testing::pixels(set.train.as_ref()).chunks(size).zip(labels) {
            means[label].iter_mut().zip(image).for_each(|(mean, pixel)| *mean += pixel / 360.0);
        }
        let labels = testing::labels(set.test.as_ref());
        let right = testing::pixels(set.test.as_ref())
            .chunks(size)
            .zip(&labels)
            .filter(|(image, label)| {
                let distance = |class: &usize| -> f32 {
                    means[*class].iter().zip(*image).map(|(a, b)| (a - b).powi(2)).sum()
                };
                (0..10).min_by(|a, b| distance(a).total_cmp(&distance(b))) == Some(**label)
            })
            .count();
        100 * right / labels.len()
    }

    #[test]
    fn shape_sizes_and_balance() {
        let set = open(0.5, 0);
        assert_eq!((set.image, set.outputs.len()), ([3, 32, 32], 10));
        assert_eq!((set.train.len(), set.validation.len(), set.test.len()), (3_500, 500, 1_000));
        let labels = testing::labels(set.test.as_ref());
        assert!((0..10).all(|class| labels.iter().filter(|&&label| label == class).count() == 100));
        assert_eq!(set.outputs.names()[9], "fork and jay");
    }

    #[test]
    fn images_are_a_function_of_the_seed() {
        let pixels = |seed| testing::pixels(open(0.5, seed).test.as_ref());
        assert_eq!(pixels(1), pixels(1));
        assert_ne!(pixels(1), pixels(2));
    }

    #[test]
    fn difficulty_goes_from_trivial_to_hopeless() {
        let found = [0.0, 0.5, 1.0].map(|difficulty| nearest_mean(&open(difficulty, 0)));
        assert_eq!(found[0], 100);
        assert!(found[1] < 90, "{found:?}");
        assert!(found[2] < 20, "{found:?}");
    }

    #[test]
    fn every_sign_is_two_strokes_of_seven_pixels() {
        for sign in SIGNS {
            assert_eq!(sign.iter().map(|row| row.count_ones()).sum::<u32>(), 13);
        }
    }
}
