//! `values`: regression of one or several standardised numbers. Squared error, or Huber's loss
//! (Huber 1964), which far-off images pull at less.

use super::{Objective, TargetTensor};
use crate::data::Task;
use burn::tensor::Tensor;

/// What is left of a sum of squares by rounding where all targets are the same.
const ROUNDING: f64 = 1e-6;

/// Squared error, and the part of the variance that is explained.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values {
    /// Errors from which on the loss rises evenly, in standard deviations; 0: squared error.
    pub(super) huber: f64,
}

impl Objective for Values {
    fn task(&self) -> Task {
        Task::Values
    }

    /// The mean over the outputs.
    fn losses(&self, outputs: Tensor<2>, targets: &TargetTensor) -> Tensor<1> {
        let [batch, count] = outputs.dims();
        let error = outputs - targets.numbers(count);
        let losses = if self.huber == 0.0 {
            error.clone() * error
        } else {
            let size = error.abs();
            let near = size.clone().clamp_max(self.huber);
            (size - near.clone()) * self.huber + near.clone() * near * 0.5
        };
        losses.mean_dim(1).reshape([batch])
    }

    fn sum_count(&self, outputs: usize) -> usize {
        3 * outputs
    }

    /// Of each output the squared errors, then of each the targets, then of each their squares.
    fn sums(&self, outputs: Tensor<2>, targets: &TargetTensor) -> Tensor<1> {
        let count = outputs.dims()[1];
        let targets = targets.numbers(count);
        let error = outputs - targets.clone();
        let squares = targets.clone() * targets.clone();
        let sums = [error.clone() * error, targets, squares].map(|numbers| numbers.sum_dim(0));
        Tensor::cat(sums.into(), 1).reshape([3 * count])
    }

    /// R2 times 100, the mean over the outputs.
    fn score(&self, images: usize, sums: &[f64]) -> f64 {
        let (count, images) = (sums.len() / 3, images.max(1) as f64);
        let explained = |output: usize| {
            let [errors, sum, squares] = [0, 1, 2].map(|part| sums[part * count + output]);
            let variance = squares - sum * sum / images;
            if variance > ROUNDING * squares {
                1.0 - errors / variance
            } else {
                // All targets are the same: there is nothing to be explained.
                f64::from(u8::from(errors <= ROUNDING * squares))
            }
        };
        100.0 * (0..count).map(explained).sum::<f64>() / count.max(1) as f64
    }

    fn score_text(&self, score: f64) -> String {
        format!("R2 {:.4}", score / 100.0)
    }

    fn score_words(&self, score: f64) -> String {
        self.score_text(score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Targets;
    use burn::tensor::{Device, TensorData};

    const SQUARED: Values = Values { huber: 0.0 };

    fn outputs<const N: usize, const K: usize>(rows: [[f32; K]; N]) -> Tensor<2> {
        Tensor::from_data(TensorData::from(rows), &Device::flex())
    }

    fn targets(width: usize, values: &[f32]) -> TargetTensor {
        let targets = Targets::Numbers { width, values: values.to_vec() };
        TargetTensor::new(&targets, &Device::flex())
    }

    fn sums(objective: Values, outputs: Tensor<2>, targets: &TargetTensor) -> Vec<f64> {
        let sums = objective.sums(outputs, targets).into_data();
        sums.iter::<f32>().map(f64::from).collect()
    }

    /// By hand: one output explains all, the other half of the variance; errors 0, 0 and 1, 1.
    #[test]
    fn r2_is_the_mean_over_outputs() {
        let rows = outputs([[1.0, 2.0], [-1.0, -2.0]]);
        let targets = targets(2, &[1.0, 1.0, -1.0, -1.0]);
        let loss = SQUARED.loss(rows.clone(), &targets).into_scalar::<f32>();
        assert_eq!(loss, 0.5);
        let sums = sums(SQUARED, rows, &targets);
        assert_eq!(sums, [0.0, 2.0, 0.0, 0.0, 2.0, 2.0]);
        assert_eq!(SQUARED.score(2, &sums), 50.0);
        assert_eq!(SQUARED.score_text(87.314), "R2 0.8731");
    }

    #[test]
    fn sums_of_parts_give_the_score_of_the_whole() {
        let rows = [[0.3], [0.9], [-0.4], [2.0]];
        let truth = [0.1, 1.0, -0.2, 1.5];
        let whole = sums(SQUARED, outputs(rows), &targets(1, &truth));
        let first = sums(SQUARED, outputs([rows[0]]), &targets(1, &truth[..1]));
        let rest = sums(SQUARED, outputs([rows[1], rows[2], rows[3]]), &targets(1, &truth[1..]));
        let added: Vec<f64> = first.iter().zip(rest).map(|(one, two)| one + two).collect();
        assert!((SQUARED.score(4, &whole) - SQUARED.score(4, &added)).abs() < 1e-4);
    }

    #[test]
    fn targets_without_variance_have_a_score() {
        let truth = targets(1, &[0.5, 0.5]);
        let score = |rows| SQUARED.score(2, &sums(SQUARED, outputs(rows), &truth));
        assert_eq!([score([[0.5], [0.5]]), score([[0.5], [0.6]])], [100.0, 0.0]);
    }

    #[test]
    fn hubers_loss_is_half_the_square_up_to_delta_and_straight_from_there() {
        let objective = Values { huber: 1.0 };
        let loss = |error: f32| {
            objective.loss(outputs([[error]]), &targets(1, &[0.0])).into_scalar::<f32>()
        };
        assert_eq!([loss(0.5), loss(-1.0), loss(3.0)], [0.125, 0.5, 2.5]);
    }
}
