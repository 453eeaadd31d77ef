//! A linear model of standardised numbers.

use rayon::prelude::*;

/// Images whose gradients are added up one after the other: the order of the sums does not depend on
/// threads.
const CHUNK: usize = 64;
/// Steps at least and at most, and multiplications that all of them may take.
const STEPS: [usize; 2] = [40, 300];
const MULTIPLICATIONS: usize = 1 << 33;
/// Rounds of the power iteration that bounds the step size.
const ROUNDS: usize = 12;
/// Numbers that are added up side by side.
const LANES: usize = 16;

/// What outputs mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Scores of classes, of which one is right.
    Classes,
    /// Each above 0 where a label is there.
    Labels,
    /// Numbers.
    Values,
}

/// Weights `[outputs, features]` of standardised features, and what those are standardised with.
pub(super) struct LinearModel {
    weights: Vec<f32>,
    bias: Vec<f32>,
    mean: Vec<f32>,
    scale: Vec<f32>,
}

impl LinearModel {
    /// Fits a model to `[images, features]` numbers and `[images, outputs]` targets.
    pub(super) fn fit(
        kind: Kind,
        numbers: &[f32],
        targets: &[f32],
        features: usize,
        outputs: usize,
    ) -> Self {
        let images = (numbers.len() / features.max(1)).max(1);
        let (mean, scale) = statistics(numbers, features);
        let mut model =
            Self { weights: vec![0.0; outputs * features], bias: vec![0.0; outputs], mean, scale };
        let numbers = model.standardised(numbers);
        // The penalty of scikit-learn's C = 1, of the mean loss.
        let penalty = 1.0 / images as f32;
        let curvature = match kind {
            Kind::Classes => 0.5,
            Kind::Labels => 0.25,
            Kind::Values => 1.0,
        };
        // Of the bias, which sees a feature that is always 1.
        let largest = largest_eigenvalue(&numbers, features) + 1.0;
        let step = 1.0 / (curvature * largest * 1.05 + penalty);
        let work = 2 * images * features * outputs;
        let steps = (MULTIPLICATIONS / work.max(1)).clamp(STEPS[0], STEPS[1]);
        let (mut before, mut before_bias) = (model.weights.clone(), model.bias.clone());
        for number in 0..steps {
            // Nesterov's momentum: the gradient is taken ahead of where the model is.
            let ahead = number as f32 / (number + 3) as f32;
            let forward = |now: &mut Vec<f32>, before: &mut Vec<f32>| {
                for (now, before) in now.iter_mut().zip(before) {
                    let here = *now;
                    *now += ahead * (here - *before);
                    *before = here;
                }
            };
            forward(&mut model.weights, &mut before);
            forward(&mut model.bias, &mut before_bias);
            let gradient = model.gradient(kind, &numbers, targets);
            let (weights, bias) = gradient.split_at(outputs * features);
            for (weight, gradient) in model.weights.iter_mut().zip(weights) {
                *weight -= step * (gradient / images as f32 + penalty * *weight);
            }
            for (bias, gradient) in model.bias.iter_mut().zip(bias) {
                *bias -= step * gradient / images as f32;
            }
        }
        model
    }

    /// Outputs `[images, outputs]` of numbers that are not standardised yet.
    pub(super) fn outputs(&self, numbers: &[f32]) -> Vec<f32> {
        let numbers = self.standardised(numbers);
        numbers.chunks_exact(self.mean.len().max(1)).flat_map(|row| self.of_row(row)).collect()
    }

    fn of_row<'a>(&'a self, row: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        let weights = self.weights.chunks_exact(self.mean.len().max(1));
        weights.zip(&self.bias).map(|(weights, bias)| dot(weights, row) + bias)
    }

    fn standardised(&self, numbers: &[f32]) -> Vec<f32> {
        let rows = numbers.chunks_exact(self.mean.len().max(1));
        rows.flat_map(|row| {
            row.iter().zip(&self.mean).zip(&self.scale).map(|((x, mean), scale)| (x - mean) * scale)
        })
        .collect()
    }

    /// The sum of the gradients of all images: of the weights, then of the biases.
    fn gradient(&self, kind: Kind, numbers: &[f32], targets: &[f32]) -> Vec<f32> {
        let (features, outputs) = (self.mean.len().max(1), self.bias.len().max(1));
        let chunks = numbers.par_chunks(CHUNK * features).zip(targets.par_chunks(CHUNK * outputs));
        let of_chunk = |(numbers, targets): (&[f32], &[f32])| {
            let mut sums = vec![0.0; outputs * features + outputs];
            let (weights, biases) = sums.split_at_mut(outputs * features);
            for (row, target) in numbers.chunks_exact(features).zip(targets.chunks_exact(outputs)) {
                let mut errors: Vec<f32> = self.of_row(row).collect();
                kind.errors(&mut errors, target);
                for (error, (weights, bias)) in
                    errors.iter().zip(weights.chunks_exact_mut(features).zip(biases.iter_mut()))
                {
                    *bias += error;
                    weights.iter_mut().zip(row).for_each(|(sum, x)| *sum += error * x);
                }
            }
            sums
        };
        let parts: Vec<Vec<f32>> = chunks.map(of_chunk).collect();
        let mut all = vec![0.0; outputs * features + outputs];
        for part in parts {
            all.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        all
    }
}

impl Kind {
    /// Makes outputs what they are too large by.
    fn errors(self, outputs: &mut [f32], targets: &[f32]) {
        match self {
            Self::Classes => {
                let largest = outputs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                outputs.iter_mut().for_each(|output| *output = (*output - largest).exp());
                let sum: f32 = outputs.iter().sum();
                outputs.iter_mut().for_each(|output| *output /= sum);
            }
            Self::Labels => {
                outputs.iter_mut().for_each(|output| *output = 1.0 / (1.0 + (-*output).exp()));
            }
            Self::Values => {}
        }
        outputs.iter_mut().zip(targets).for_each(|(output, target)| *output -= target);
    }
}

/// Mean of each feature, and what makes its deviation 1; 0 where it is always the same.
fn statistics(numbers: &[f32], features: usize) -> (Vec<f32>, Vec<f32>) {
    let images = (numbers.len() / features.max(1)).max(1) as f64;
    let mut sums = vec![[0.0_f64; 2]; features];
    for row in numbers.chunks_exact(features.max(1)) {
        for (sums, &number) in sums.iter_mut().zip(row) {
            let number = f64::from(number);
            sums[0] += number;
            sums[1] += number * number;
        }
    }
    sums.into_iter()
        .map(|[sum, squares]| {
            let mean = sum / images;
            let deviation = (squares / images - mean * mean).max(0.0).sqrt();
            let is_constant = deviation <= 1e-6 * (1.0 + mean.abs());
            (mean as f32, if is_constant { 0.0 } else { (1.0 / deviation) as f32 })
        })
        .unzip()
}

/// The largest eigenvalue of the covariance of standardised numbers, by power iteration.
fn largest_eigenvalue(numbers: &[f32], features: usize) -> f32 {
    let images = (numbers.len() / features.max(1)).max(1);
    // Not across any direction that data are likely to have.
    let start = |feature: usize| 1.0 + (feature as f32 * 0.618).fract();
    let mut direction: Vec<f32> = (0..features).map(start).collect();
    let length = dot(&direction, &direction).sqrt().max(f32::MIN_POSITIVE);
    direction.iter_mut().for_each(|x| *x /= length);
    let mut value = 0.0;
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; features];
        for row in numbers.chunks_exact(features.max(1)) {
            let along = dot(row, &direction);
            next.iter_mut().zip(row).for_each(|(sum, x)| *sum += along * x);
        }
        let length = dot(&next, &next).sqrt();
        if length <= 0.0 {
            // Across that direction: the trace is a bound.
            return features as f32;
        }
        value = length / images as f32;
        direction = next.into_iter().map(|x| x / length).collect();
    }
    value
}

/// The sum of products, in an order of its own that a processor can work on side by side.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, b_lanes) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a_lanes.0.iter().zip(b_lanes.0) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_lanes.1.iter().zip(b_lanes.1).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// y = 2 a - b + 3, and a column that is always the same.
    #[test]
    fn least_squares_finds_the_line() {
        let rows: Vec<[f32; 3]> =
            (0..200).map(|i| [(i % 17) as f32, (i % 5) as f32 * 10.0, 7.0]).collect();
        let numbers: Vec<f32> = rows.iter().flatten().copied().collect();
        let targets: Vec<f32> = rows.iter().map(|row| 2.0 * row[0] - row[1] + 3.0).collect();
        let model = LinearModel::fit(Kind::Values, &numbers, &targets, 3, 1);
        for (found, target) in model.outputs(&numbers).iter().zip(&targets) {
            assert!((found - target).abs() < 0.5, "{found} {target}");
        }
    }

    #[test]
    fn classes_far_apart_are_told_apart() {
        let numbers: Vec<f32> =
            (0..90).flat_map(|i| [(i % 3) as f32 * 5.0 + (i % 7) as f32 * 0.1, 1.0]).collect();
        let targets: Vec<f32> = (0..90)
            .flat_map(|i| [0, 1, 2].map(|class| f32::from(u8::from(i % 3 == class))))
            .collect();
        let model = LinearModel::fit(Kind::Classes, &numbers, &targets, 2, 3);
        let outputs = model.outputs(&numbers);
        let right = outputs.chunks(3).zip(targets.chunks(3)).filter(|(row, target)| {
            let most = row.iter().copied().fold(f32::MIN, f32::max);
            row.iter().zip(*target).all(|(output, target)| (*output == most) == (*target > 0.5))
        });
        assert_eq!(right.count(), 90);
    }
}
