//! Running statistics of batch norms.

use burn::nn::BatchNorm;
use burn::tensor::Tensor;

/// Blends a batch's mean and (unbiased) variance into the running ones.
pub(crate) fn blend(norm: &BatchNorm, mean: Tensor<1>, variance: Tensor<1>) {
    let blend = |running: Tensor<1>, new: Tensor<1>| {
        (running * (1.0 - norm.momentum) + new.detach() * norm.momentum).detach()
    };
    norm.running_mean.update(blend(norm.running_mean.value_sync(), mean));
    norm.running_var.update(blend(norm.running_var.value_sync(), variance));
}
