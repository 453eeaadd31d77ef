//! `classes`: one class an image. Cross entropy, with label smoothing where it is asked for
//! (Szegedy et al. 2016); classes may be told as probabilities.

use super::{Objective, TargetTensor, numbered};
use crate::data::Task;
use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

/// Cross entropy and top-1 accuracy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Classes {
    /// The part of each target that is spread evenly over all classes, from 0 to below 1.
    pub(super) smoothing: f64,
}

impl Objective for Classes {
    fn task(&self) -> Task {
        Task::Classes
    }

    fn losses(&self, outputs: Tensor<2>, targets: &TargetTensor) -> Tensor<1> {
        let [batch, _] = outputs.dims();
        let logarithms = log_softmax(outputs, 1);
        if self.smoothing == 0.0 {
            return cross_entropy(logarithms, targets);
        }
        let even = logarithms.clone().mean_dim(1).neg().reshape([batch]);
        cross_entropy(logarithms, targets) * (1.0 - self.smoothing) + even * self.smoothing
    }

    fn sum_count(&self, _: usize) -> usize {
        1
    }

    fn sums(&self, outputs: Tensor<2>, targets: &TargetTensor) -> Tensor<1> {
        right(outputs, targets).sum()
    }

    fn score(&self, images: usize, sums: &[f64]) -> f64 {
        100.0 * sums.first().copied().unwrap_or(0.0) / images.max(1) as f64
    }

    fn right(&self, outputs: Tensor<2>, targets: &TargetTensor) -> Option<Tensor<1>> {
        Some(right(outputs, targets))
    }
}

/// Of each image, `[batch]`.
fn cross_entropy(logarithms: Tensor<2>, targets: &TargetTensor) -> Tensor<1> {
    let [batch, _] = logarithms.dims();
    let likely = match targets {
        TargetTensor::Classes(classes) => logarithms.gather(1, classes.clone()),
        TargetTensor::Numbers(probabilities) => (logarithms * probabilities.clone()).sum_dim(1),
    };
    likely.reshape([batch]).neg()
}

/// 1 for each image whose class has the highest score, `[batch]`. Of equal scores the first one
/// counts as the highest; one that is not a number is below all others.
fn right(outputs: Tensor<2>, targets: &TargetTensor) -> Tensor<1> {
    let shape @ [batch, _] = outputs.dims();
    let truth = targets.classes();
    let own = outputs.clone().gather(1, truth.clone()).expand(shape);
    let truth = truth.expand(shape);
    let all = numbered(shape, &outputs.device());
    let first_of_equal =
        outputs.clone().equal(own.clone()).bool_and(all.clone().lower(truth.clone()));
    let above_nothing = own.clone().is_nan().bool_and(all.not_equal(truth));
    let higher = outputs.greater(own).bool_or(first_of_equal).bool_or(above_nothing);
    higher.float().sum_dim(1).equal_elem(0.0).float().reshape([batch])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Targets;
    use burn::tensor::{Device, TensorData};

    const PLAIN: Classes = Classes { smoothing: 0.0 };

    fn outputs<const N: usize, const K: usize>(rows: [[f32; K]; N]) -> Tensor<2> {
        Tensor::from_data(TensorData::from(rows), &Device::flex())
    }

    fn classes(classes: &[usize]) -> TargetTensor {
        TargetTensor::new(&Targets::Classes(classes.to_vec()), &Device::flex())
    }

    fn numbers(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn the_first_of_equal_scores_wins_and_what_is_not_a_number_loses() {
        let nan = f32::NAN;
        let rows = outputs([
            [0.1, 0.9, 0.5],
            [1.0, 1.0, 0.0],
            [1.0, 1.0, 0.0],
            [nan, 0.0, -1.0],
            [nan, 0.0, -1.0],
            [nan, nan, nan],
        ]);
        let targets = classes(&[1, 0, 1, 0, 1, 0]);
        let right = PLAIN.right(rows.clone(), &targets).unwrap();
        assert_eq!(numbers(right), [1.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
        let sums = numbers(PLAIN.sums(rows, &targets));
        assert_eq!(sums, [3.0]);
        assert_eq!(PLAIN.score(6, &[3.0]), 50.0);
    }

    #[test]
    fn probabilities_of_one_class_are_that_class() {
        let rows = [[0.3, -1.0, 2.0], [1.5, 0.0, 0.1]];
        let hard = classes(&[2, 1]);
        let soft = Targets::Numbers { width: 3, values: vec![0.0, 0.0, 1.0, 0.0, 1.0, 0.0] };
        let soft = TargetTensor::new(&soft, &Device::flex());
        for objective in [PLAIN, Classes { smoothing: 0.2 }] {
            let loss = |targets| numbers(objective.loss(outputs(rows), targets))[0];
            assert!((loss(&hard) - loss(&soft)).abs() < 1e-6);
            let sums = |targets| numbers(objective.sums(outputs(rows), targets));
            assert_eq!(sums(&hard), sums(&soft));
        }
    }

    /// By hand: two classes with probabilities 3/4 and 1/4, smoothed by 0.2 to 0.9 and 0.1.
    #[test]
    fn smoothing_spreads_a_part_over_all_classes() {
        let rows = outputs([[3.0_f32.ln(), 0.0]]);
        let loss = numbers(Classes { smoothing: 0.2 }.loss(rows, &classes(&[0])))[0];
        let expected = -0.9 * 0.75_f32.ln() - 0.1 * 0.25_f32.ln();
        assert!((loss - expected).abs() < 1e-6, "{loss} is not {expected}");
    }
}
