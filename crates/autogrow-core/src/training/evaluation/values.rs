//! What there is to say of a network's numbers, in the units of the data.

use crate::data::ValueOutput;
use serde::Serialize;

/// Sums over the images seen so far.
#[derive(Clone, Debug)]
pub(super) struct ValueEvaluation {
    outputs: Vec<ValueOutput>,
    images: usize,
    sums: Vec<Sums>,
}

/// Of one output, in the units of the data.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    squared: f64,
    absolute: f64,
    /// Mean of the targets so far, and the sum of their squared distances from it (Welford 1962).
    mean: f64,
    spread: f64,
}

/// The results of an evaluation of numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValuesReport {
    /// Number of images.
    pub images: usize,
    /// The part of the variance that is explained, at most 1: the mean over all values.
    pub r2: f64,
    /// Each value by itself.
    pub values: Vec<ValueReport>,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValueReport {
    /// Its name.
    pub value: String,
    /// The part of its variance that is explained, at most 1. Where all targets are the same: 1
    /// without any error, else 0.
    pub r2: f64,
    /// Root of the mean squared error, in the units of the data.
    pub rmse: f64,
    /// Mean size of the error, in the units of the data.
    pub mae: f64,
}

impl ValueEvaluation {
    pub(super) fn new(outputs: &[ValueOutput]) -> Self {
        let sums = vec![Sums::default(); outputs.len()];
        Self { outputs: outputs.to_vec(), images: 0, sums }
    }

    /// Adds images: outputs and targets `[batch, outputs]`, standardised, row-major.
    pub(super) fn add(&mut self, outputs: &[f32], targets: &[f32]) {
        let width = self.outputs.len().max(1);
        for (outputs, targets) in outputs.chunks_exact(width).zip(targets.chunks_exact(width)) {
            self.images += 1;
            let pairs = outputs.iter().zip(targets);
            for ((sums, of), (&output, &target)) in
                self.sums.iter_mut().zip(&self.outputs).zip(pairs)
            {
                let target = of.in_units(target);
                let error = of.in_units(output) - target;
                sums.squared += error * error;
                sums.absolute += error.abs();
                let before = target - sums.mean;
                sums.mean += before / self.images as f64;
                sums.spread += before * (target - sums.mean);
            }
        }
    }

    pub(super) fn report(&self) -> ValuesReport {
        let images = self.images.max(1) as f64;
        let value = |(of, sums): (&ValueOutput, &Sums)| ValueReport {
            value: of.name.clone(),
            r2: match sums.spread > 0.0 {
                true => 1.0 - sums.squared / sums.spread,
                false => f64::from(u8::from(sums.squared == 0.0)),
            },
            rmse: (sums.squared / images).sqrt(),
            mae: sums.absolute / images,
        };
        let values: Vec<_> = self.outputs.iter().zip(&self.sums).map(value).collect();
        let r2 = values.iter().map(|value| value.r2).sum::<f64>() / values.len().max(1) as f64;
        ValuesReport { images: self.images, r2, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: targets 10 and 30 with predictions 15 and 30; a second value that is always right.
    #[test]
    fn errors_are_in_the_units_of_the_data() {
        let output = |name: &str| ValueOutput { name: name.into(), mean: 20.0, deviation: 10.0 };
        let mut sums = ValueEvaluation::new(&[output("price"), output("same")]);
        sums.add(&[-0.5, 0.0], &[-1.0, 0.0]);
        sums.add(&[1.0, 0.0], &[1.0, 0.0]);
        let report = sums.report();
        let price = &report.values[0];
        assert_eq!((price.rmse, price.mae, price.r2), (12.5_f64.sqrt(), 2.5, 0.875));
        assert_eq!((report.values[1].r2, report.images), (1.0, 2));
        assert_eq!(report.r2, (0.875 + 1.0) / 2.0);
    }
}
