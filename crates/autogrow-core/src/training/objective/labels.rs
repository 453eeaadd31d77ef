//! `labels`: several labels at once, each there or not. Binary cross entropy of log odds.

use super::{Objective, TargetTensor};
use crate::data::Task;
use burn::tensor::Tensor;
use burn::tensor::activation::softplus;

/// Binary cross entropy, and the part of the decisions that is right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Labels;

impl Objective for Labels {
    fn task(&self) -> Task {
        Task::Labels
    }

    /// `-t ln p - (1 - t) ln(1 - p)` for `p = sigmoid(output)`, the mean over the labels.
    fn losses(&self, outputs: Tensor<2>, targets: &TargetTensor) -> Tensor<1> {
        let [batch, labels] = outputs.dims();
        let targets = targets.numbers(labels);
        (softplus(outputs.clone(), 1.0) - outputs * targets).mean_dim(1).reshape([batch])
    }

    fn sum_count(&self, outputs: usize) -> usize {
        outputs
    }

    /// Of each label the right decisions.
    fn sums(&self, outputs: Tensor<2>, targets: &TargetTensor) -> Tensor<1> {
        let count = outputs.dims()[1];
        decisions(outputs, targets).sum_dim(0).reshape([count])
    }

    fn score(&self, images: usize, sums: &[f64]) -> f64 {
        100.0 * sums.iter().sum::<f64>() / (images * sums.len()).max(1) as f64
    }

    /// All labels of the image are right.
    fn right(&self, outputs: Tensor<2>, targets: &TargetTensor) -> Option<Tensor<1>> {
        let [batch, count] = outputs.dims();
        let right = decisions(outputs, targets).sum_dim(1);
        Some(right.equal_elem(count as f32).float().reshape([batch]))
    }

    fn score_words(&self, score: f64) -> String {
        format!("label accuracy {}", self.score_text(score))
    }
}

/// 1 for each right decision, `[batch, labels]`: a label is given where it is more likely than not.
/// What is not a number decides nothing, and so is never right.
fn decisions(outputs: Tensor<2>, targets: &TargetTensor) -> Tensor<2> {
    let targets = targets.numbers(outputs.dims()[1]);
    let yes = outputs.clone().greater_elem(0.0).bool_and(targets.clone().greater_elem(0.5));
    let no = outputs.lower_equal_elem(0.0).bool_and(targets.lower_equal_elem(0.5));
    yes.bool_or(no).float()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Targets;
    use burn::tensor::{Device, TensorData};

    /// By hand: four images of two labels; log odds of probabilities 3/4 and 1/4.
    #[test]
    fn decisions_are_counted_by_label_and_by_image() {
        let odds = 3.0_f32.ln();
        let rows = [[odds, -odds], [odds, odds], [-odds, f32::NAN], [0.0, -odds]];
        let rows = Tensor::<2>::from_data(TensorData::from(rows), &Device::flex());
        let values = vec![1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0];
        let targets = TargetTensor::new(&Targets::Numbers { width: 2, values }, &Device::flex());
        let numbers = |tensor: Tensor<1>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        assert_eq!(numbers(Labels.sums(rows.clone(), &targets)), [3.0, 2.0]);
        assert_eq!(numbers(Labels.right(rows, &targets).unwrap()), [1.0, 0.0, 0.0, 1.0]);
        assert_eq!(Labels.score(4, &[3.0, 2.0]), 62.5);
    }

    #[test]
    fn the_loss_is_that_of_probabilities_and_finite_far_out() {
        let loss = |odds: f32, target: f32| {
            let rows = Tensor::<2>::from_data(TensorData::from([[odds]]), &Device::flex());
            let targets = Targets::Numbers { width: 1, values: vec![target] };
            let targets = TargetTensor::new(&targets, &Device::flex());
            Labels.loss(rows, &targets).into_scalar::<f32>()
        };
        let odds = 3.0_f32.ln();
        assert!((loss(odds, 1.0) + 0.75_f32.ln()).abs() < 1e-6);
        assert!((loss(odds, 0.0) + 0.25_f32.ln()).abs() < 1e-6);
        assert!((loss(-1e4, 1.0) - 1e4).abs() < 1.0);
        assert_eq!(loss(1e4, 1.0), 0.0);
    }
}
