//! Running statistics of batch norms.

use crate::recalibration::recalibrating;
use burn::nn::BatchNorm;
use burn::tensor::Tensor;

/// Whether a batch norm goes by the batch's own statistics and not by the running ones.
pub(crate) fn goes_by_batch(norm: &BatchNorm, autodiff: bool) -> bool {
    (autodiff && norm.training.is_enabled()) || recalibrating().is_some()
}

/// Blends a batch's mean and (unbiased) variance into the running ones.
pub(crate) fn blend(norm: &BatchNorm, mean: Tensor<1>, variance: Tensor<1>) {
    let weight = recalibrating().unwrap_or(norm.momentum);
    let blend = |running: Tensor<1>, new: Tensor<1>| {
        (running * (1.0 - weight) + new.detach() * weight).detach()
    };
    norm.running_mean.update(blend(norm.running_mean.value_sync(), mean));
    norm.running_var.update(blend(norm.running_var.value_sync(), variance));
}
