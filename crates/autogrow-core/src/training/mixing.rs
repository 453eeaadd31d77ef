//! Batches of mixed images with soft targets: mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019), by
//! the formulas of torchvision.

use crate::config::TrainingConfig;
use crate::data::{Batch, Targets};
use rand::seq::SliceRandom;
use rand::{Rng, RngCore};

/// How batches are mixed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mixing {
    /// Alpha of mixup; 0: none.
    mixup: f64,
    /// Alpha of CutMix; 0: none.
    cutmix: f64,
}

/// How one batch is mixed: each image with a partner's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mix {
    /// The part that is an image's own, from 0 to 1; the rest of each pixel is its partner's.
    Whole(f64),
    /// The part that is about an image's own, and the row and column of the middle of a box that is its
    /// partner's, as parts of the image.
    Box(f64, [f64; 2]),
}

impl Mixing {
    /// As `training.mixup` and `training.cutmix` ask; none where neither does.
    pub(super) fn of(training: &TrainingConfig) -> Option<Self> {
        let Self { mixup, cutmix } = Self { mixup: training.mixup, cutmix: training.cutmix };
        (mixup > 0.0 || cutmix > 0.0).then_some(Self { mixup, cutmix })
    }

    /// Mixes the images `[channels, height, width]` of a batch with each other, and the targets with
    /// them, which become numbers for each of so many outputs.
    pub(super) fn mix(
        self,
        batch: &Batch,
        image: [usize; 3],
        outputs: usize,
        rng: &mut dyn RngCore,
    ) -> Batch {
        let cuts = match (self.mixup > 0.0, self.cutmix > 0.0) {
            (true, true) => rng.random(),
            (_, cuts) => cuts,
        };
        let mix = match cuts {
            true => Mix::Box(beta(self.cutmix, rng), [rng.random(), rng.random()]),
            false => Mix::Whole(beta(self.mixup, rng)),
        };
        let mut partners: Vec<usize> = (0..batch.len()).collect();
        partners.shuffle(rng);
        mixed(batch, image, outputs, &partners, mix)
    }
}

/// The batch, each image mixed with the one that `partners` names.
fn mixed(
    batch: &Batch,
    image @ [_, height, width]: [usize; 3],
    outputs: usize,
    partners: &[usize],
    mix: Mix,
) -> Batch {
    let size: usize = image.iter().product();
    let of = |number: usize| &batch.images[number * size..(number + 1) * size];
    let mut images = batch.images.clone();
    let pairs = images.chunks_exact_mut(size.max(1)).zip(partners);
    let own = match mix {
        Mix::Whole(own) => {
            pairs.for_each(|(image, &partner)| blend(image, of(partner), own));
            own
        }
        Mix::Box(own, middle) => {
            let [[top, bottom], [left, right]] = cut([height, width], own, middle);
            for (image, &partner) in pairs {
                let planes = image.chunks_exact_mut(height * width);
                for (plane, other) in planes.zip(of(partner).chunks_exact(height * width)) {
                    for row in top..bottom {
                        let line = row * width + left..row * width + right;
                        plane[line.clone()].copy_from_slice(&other[line]);
                    }
                }
            }
            1.0 - ((bottom - top) * (right - left)) as f64 / (height * width) as f64
        }
    };
    let numbers = numbers(&batch.targets, outputs);
    let mut values = numbers.clone();
    for (target, &partner) in values.chunks_exact_mut(outputs.max(1)).zip(partners) {
        blend(target, &numbers[partner * outputs..(partner + 1) * outputs], own);
    }
    Batch { images, targets: Targets::Numbers { width: outputs, values } }
}

/// Leaves a part of each number its own; the rest is the partner's.
fn blend(numbers: &mut [f32], partner: &[f32], own: f64) {
    let (own, other) = (own as f32, (1.0 - own) as f32);
    let pairs = numbers.iter_mut().zip(partner);
    pairs.for_each(|(number, &partner)| *number = partner * other + *number * own);
}

/// First and last-but-one row, then column, of the partner's box in an image of `[height, width]`.
fn cut(size: [usize; 2], own: f64, middle: [f64; 2]) -> [[usize; 2]; 2] {
    let half = 0.5 * (1.0 - own).sqrt();
    std::array::from_fn(|way| {
        let length = size[way];
        let half = (half * length as f64) as usize;
        let middle = (middle[way] * length as f64) as usize;
        [middle.saturating_sub(half), (middle + half).min(length)]
    })
}

/// Targets as numbers, `[images, outputs]`; of a class, 1 for it and 0 for all others.
fn numbers(targets: &Targets, outputs: usize) -> Vec<f32> {
    match targets {
        Targets::Numbers { values, .. } => values.clone(),
        Targets::Classes(classes) => {
            let mut values = vec![0.0; classes.len() * outputs];
            let rows = values.chunks_exact_mut(outputs.max(1)).zip(classes);
            rows.for_each(|(row, &class)| row[class] = 1.0);
            values
        }
    }
}

/// A number of the distribution Beta(alpha, alpha), alpha above 0.
fn beta(alpha: f64, rng: &mut dyn RngCore) -> f64 {
    let (one, other) = (log_gamma_variate(alpha, rng), log_gamma_variate(alpha, rng));
    // As logarithms, since both may be too small for a number where alpha is.
    1.0 / (1.0 + (other - one).exp())
}

/// The logarithm of a number of the gamma distribution of this shape (Marsaglia and Tsang 2000).
fn log_gamma_variate(shape: f64, rng: &mut dyn RngCore) -> f64 {
    // Above 0, at most 1: it has a logarithm.
    let mut uniform = || 1.0 - rng.random::<f64>();
    if shape < 1.0 {
        let lift = uniform().ln() / shape;
        return lift + log_gamma_variate(shape + 1.0, rng);
    }
    let depth = shape - 1.0 / 3.0;
    let scale = 1.0 / (9.0 * depth).sqrt();
    loop {
        let (radius, angle) = ((-2.0 * uniform().ln()).sqrt(), uniform());
        let normal = radius * (std::f64::consts::TAU * angle).cos();
        let cube = (1.0 + scale * normal).powi(3);
        if cube > 0.0 {
            let bound = 0.5 * normal * normal + depth * (1.0 - cube + cube.ln());
            if uniform().ln() < bound {
                return (depth * cube).ln();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};
    use serde_json::Value;

    fn list(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    }

    fn fixture() -> Vec<Value> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/fixtures/augmentation.json");
        let all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        all["mixing"].as_array().unwrap().clone()
    }

    fn near(got: &[f32], want: &[f64]) -> bool {
        got.len() == want.len()
            && got.iter().zip(want).all(|(&got, want)| (f64::from(got) - want).abs() < 1e-5)
    }

    #[test]
    fn batches_are_torchvisions() {
        let cases = fixture();
        assert!(cases.iter().any(|case| case["kind"] == "cutmix"));
        for case in cases {
            let size = list(&case["image"]);
            let image = [0, 1, 2].map(|at| size[at] as usize);
            let classes: Vec<_> =
                list(&case["labels"]).iter().map(|&label| label as usize).collect();
            let count = classes.len();
            let images = list(&case["before"]).iter().map(|&pixel| pixel as f32).collect();
            let batch = Batch { images, targets: Targets::Classes(classes) };
            let own = case["lambda"].as_f64().unwrap();
            let mix = match case["kind"].as_str().unwrap() {
                "mixup" => Mix::Whole(own),
                _ => {
                    let middle = list(&case["middle"]);
                    // Whole pixels there, the middle of their parts here.
                    let part = |way: usize| (middle[way] + 0.5) / image[way + 1] as f64;
                    Mix::Box(own, [part(0), part(1)])
                }
            };
            // There, each image goes with the one before it.
            let partners: Vec<_> = (0..count).map(|number| (number + count - 1) % count).collect();
            let mixed = mixed(&batch, image, 5, &partners, mix);
            assert!(near(&mixed.images, &list(&case["after"])), "{mix:?}");
            let Targets::Numbers { width: 5, values } = mixed.targets else { panic!() };
            assert!(near(&values, &list(&case["targets"])), "{mix:?}: {values:?}");
        }
    }

    /// Mean 1/2 and variance 1 / (4 (2 alpha + 1)).
    #[test]
    fn parts_are_of_the_beta_distribution() {
        for alpha in [0.2, 1.0, 4.0, 100.0] {
            let mut rng = generator(0, Purpose::Mixing, 0);
            let parts: Vec<_> = (0..20_000).map(|_| beta(alpha, &mut rng)).collect();
            assert!(parts.iter().all(|part| (0.0..=1.0).contains(part)));
            let mean = parts.iter().sum::<f64>() / 2e4;
            let variance = parts.iter().map(|part| (part - 0.5).powi(2)).sum::<f64>() / 2e4;
            let wanted = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.015, "{alpha}: mean {mean}");
            assert!((variance / wanted - 1.0).abs() < 0.06, "{alpha}: variance {variance}");
        }
        let mut rng = generator(0, Purpose::Mixing, 0);
        assert!((0..500).all(|_| beta(1e-6, &mut rng).is_finite()));
    }

    #[test]
    fn a_batch_is_mixed_by_its_generator_alone_and_keeps_its_sums() {
        let images: Vec<f32> = (0..8 * 2 * 4 * 5).map(|at| (at as f32).sin()).collect();
        let batch = Batch { images, targets: Targets::Classes((0..8).collect()) };
        for training in [(0.4, 0.0), (0.0, 1.0), (0.4, 1.0)] {
            let (mixup, cutmix) = training;
            let training = TrainingConfig { mixup, cutmix, ..TrainingConfig::default() };
            let mixing = Mixing::of(&training).unwrap();
            let mix = |count| {
                let mut rng = generator(3, Purpose::Mixing, count);
                mixing.mix(&batch, [2, 4, 5], 10, &mut rng)
            };
            assert_eq!(mix(1), mix(1));
            assert_ne!(mix(1), mix(2));
            for count in 0..20 {
                let mixed = mix(count);
                let sum = |images: &[f32]| images.iter().sum::<f32>();
                assert!((sum(&mixed.images) - sum(&batch.images)).abs() < 1e-3);
                let Targets::Numbers { values, .. } = mixed.targets else { panic!() };
                assert!(values.chunks(10).all(|row| (sum(row) - 1.0).abs() < 1e-6));
            }
        }
        assert_eq!(Mixing::of(&TrainingConfig::default()), None);
    }
}
