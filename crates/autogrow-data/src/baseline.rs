//! Simple models on the same images: the biggest class, and a linear one. A network that is no better
//! than these has found nothing that they have not.
//!
//! The linear model is logistic regression (least squares for values) on standardised numbers, with
//! the penalty that scikit-learn has by default, fitted by accelerated gradient descent. Its result
//! is a function of the data alone, whatever the number of threads.

mod linear;

use crate::waiting::Waiting;
use autogrow_core::Result;
use autogrow_core::data::{Baselines, DataSet, Linear, Outputs, Pass, Share, Split, Targets};
use linear::{Kind, LinearModel};

/// Numbers that a pass over the training images multiplies at most: images x features x outputs.
const WORK: usize = 1 << 26;
/// Height and width from which on images are made smaller, as means of squares of pixels.
const LARGEST: usize = 32;
/// Images of larger height or width that are looked at, of the training and of the test images: they
/// are decoded for it.
const DECODED: usize = 1_000;
/// Training images for each output that a linear model needs at least.
const LEAST: usize = 2;

/// The scores of simple models on the test images of `data`.
///
/// # Errors
/// Data errors.
pub fn baselines(data: &DataSet) -> Result<Baselines> {
    let [channels, height, width] = data.image;
    let factor = height.max(width).div_ceil(LARGEST).max(1);
    let features = channels * height.div_ceil(factor) * width.div_ceil(factor);
    let outputs = data.outputs.len().max(1);
    let most = if factor > 1 { DECODED } else { usize::MAX };
    let affordable = (WORK / (features * outputs)).min(most);
    let kind = match &data.outputs {
        Outputs::Classes(_) => Kind::Classes,
        Outputs::Labels(_) => Kind::Labels,
        Outputs::Values(_) => Kind::Values,
    };
    let all = numbers_of(&data.train.targets()?, outputs);
    let answer = answer(kind, &all, outputs);
    let is_linear = affordable.min(data.train.len()) >= LEAST * outputs;
    let test = Sample::of(&*data.test, data.image, factor, outputs, most, is_linear)?;
    let constant = kind.score(&answer.repeat(test.images), &test.targets, outputs);
    let class = match &data.outputs {
        Outputs::Classes(names) => largest(&answer).and_then(|class| names.get(class)).cloned(),
        _ => None,
    };
    let linear = match is_linear {
        true => {
            let train = Sample::of(&*data.train, data.image, factor, outputs, affordable, true)?;
            let model = LinearModel::fit(kind, &train.features, &train.targets, features, outputs);
            let score = kind.score(&model.outputs(&test.features), &test.targets, outputs);
            Some(Linear { score, trained: train.images, features })
        }
        false => None,
    };
    Ok(Baselines { constant, class, linear, tested: test.images })
}

/// Images of a split as numbers.
struct Sample {
    images: usize,
    /// `[images, features]`.
    features: Vec<f32>,
    /// `[images, outputs]`: of a class 1 at its place.
    targets: Vec<f32>,
}

impl Sample {
    /// At most `most` images, spread evenly over the split, as means of squares of `factor` pixels; the
    /// targets alone where numbers are not wanted.
    fn of(
        split: &dyn Split,
        image: [usize; 3],
        factor: usize,
        outputs: usize,
        most: usize,
        with_features: bool,
    ) -> Result<Self> {
        if !with_features {
            let targets = numbers_of(&split.targets()?, outputs);
            let images = targets.len() / outputs;
            return Ok(Self { images, features: Vec::new(), targets });
        }
        let of = split.len().div_ceil(most.max(1)).max(1);
        // One image of each `of`, the same number of them at a time.
        let pass = match of {
            1 => Pass { batch_size: 500, ..Pass::default() },
            of => Pass { batch_size: of, share: Share { index: 0, of }, ..Pass::default() },
        };
        let (mut features, mut targets) = (Vec::new(), Vec::new());
        let waiting = Waiting::for_pass("looking at images", split.len() / of);
        for batch in split.batches(pass) {
            let batch = batch?;
            waiting.add(batch.len());
            let size = image.iter().product::<usize>().max(1);
            for pixels in batch.images.chunks_exact(size) {
                smaller(pixels, image, factor, &mut features);
            }
            targets.extend(numbers_of(&batch.targets, outputs));
        }
        Ok(Self { images: targets.len() / outputs, features, targets })
    }
}

/// Adds the means of squares of `factor` pixels of an image `[channels, height, width]`.
fn smaller(pixels: &[f32], [_, height, width]: [usize; 3], factor: usize, out: &mut Vec<f32>) {
    if factor == 1 {
        out.extend_from_slice(pixels);
        return;
    }
    for plane in pixels.chunks_exact((height * width).max(1)) {
        for top in (0..height).step_by(factor) {
            for left in (0..width).step_by(factor) {
                let (bottom, right) = ((top + factor).min(height), (left + factor).min(width));
                let rows = plane.chunks_exact(width).take(bottom).skip(top);
                let sum: f32 = rows.flat_map(|row| &row[left..right]).sum();
                out.push(sum / ((bottom - top) * (right - left)) as f32);
            }
        }
    }
}

/// Targets as `outputs` numbers an image: of a class 1 at its place.
fn numbers_of(targets: &Targets, outputs: usize) -> Vec<f32> {
    match targets {
        Targets::Classes(classes) => {
            let mut numbers = vec![0.0; classes.len() * outputs];
            for (row, &class) in numbers.chunks_exact_mut(outputs).zip(classes) {
                if let Some(place) = row.get_mut(class) {
                    *place = 1.0;
                }
            }
            numbers
        }
        Targets::Numbers { values, .. } => values.clone(),
    }
}

/// The answer that is best where nothing is known of an image.
fn answer(kind: Kind, targets: &[f32], outputs: usize) -> Vec<f32> {
    let images = (targets.len() / outputs).max(1) as f64;
    let mean = |output: usize| -> f32 {
        let column = targets.iter().skip(output).step_by(outputs);
        (column.map(|&target| f64::from(target)).sum::<f64>() / images) as f32
    };
    let means = (0..outputs).map(mean);
    match kind {
        // An output above 0 says yes.
        Kind::Labels => means.map(|part| part - 0.5).collect(),
        Kind::Classes | Kind::Values => means.collect(),
    }
}

/// The place of the largest number, the first of several.
fn largest(numbers: &[f32]) -> Option<usize> {
    (0..numbers.len())
        .reduce(|best, place| if numbers[place] > numbers[best] { place } else { best })
}

impl Kind {
    /// What the objective says of outputs `[images, outputs]`, in percent.
    fn score(self, outputs: &[f32], targets: &[f32], width: usize) -> f64 {
        let images = (targets.len() / width).max(1) as f64;
        let rows = || outputs.chunks_exact(width).zip(targets.chunks_exact(width));
        match self {
            Self::Classes => {
                let right = rows().filter(|(row, target)| largest(row) == largest(target)).count();
                100.0 * right as f64 / images
            }
            Self::Labels => {
                let pairs = outputs.iter().zip(targets);
                let right = pairs.filter(|&(&output, &target)| (output > 0.0) == (target > 0.5));
                100.0 * right.count() as f64 / (images * width as f64)
            }
            Self::Values => {
                let explained = |output: usize| {
                    let numbers = |of: &[f32]| f64::from(of[output]);
                    let mean = rows().map(|(_, target)| numbers(target)).sum::<f64>() / images;
                    let spread: f64 =
                        rows().map(|(_, target)| (numbers(target) - mean).powi(2)).sum();
                    let error: f64 =
                        rows().map(|(row, target)| (numbers(row) - numbers(target)).powi(2)).sum();
                    match spread > 0.0 {
                        true => 1.0 - error / spread,
                        false => f64::from(u8::from(error == 0.0)),
                    }
                };
                100.0 * (0..width).map(explained).sum::<f64>() / width as f64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use autogrow_core::config::DataConfig;

    #[test]
    fn digits_are_told_apart_by_a_linear_model() {
        let set = testing::open(&DataConfig::default(), 0).unwrap();
        let found = baselines(&set).unwrap();
        let linear = found.linear.unwrap();
        // scikit-learn's LogisticRegression has 95 to 97 % on such splits.
        assert!((93.0..98.5).contains(&linear.score), "{}", linear.score);
        assert_eq!((linear.features, linear.trained, found.tested), (64, set.train.len(), 360));
        assert_eq!(found.constant, 10.0);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        assert_eq!(pool.install(|| baselines(&set)).unwrap().linear.unwrap(), linear);
    }

    #[test]
    fn large_images_are_made_smaller() {
        let mut out = Vec::new();
        smaller(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1, 2, 3], 2, &mut out);
        assert_eq!(out, [3.0, 4.5]);
    }

    #[test]
    fn the_mean_of_values_explains_nothing() {
        let targets = [1.0, 2.0, 3.0, 6.0];
        let answer = answer(Kind::Values, &targets, 1);
        assert_eq!(answer, [3.0]);
        assert_eq!(Kind::Values.score(&answer.repeat(4), &targets, 1), 0.0);
        let labels = [1.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        let answer = super::answer(Kind::Labels, &labels, 2);
        assert_eq!(Kind::Labels.score(&answer.repeat(3), &labels, 2).round(), 83.0);
    }
}
