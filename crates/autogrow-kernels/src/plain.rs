//! The default body of every operation: Burn's own, on plain tensors `[batch, channels, height,
//! width]`, right on every device. What the fast path does not know falls back to it, and tests
//! measure the fast path against it.

use burn::nn::{BatchNorm, PaddingConfig2d, conv::Conv2d};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::{batch_norm, batch_norm_train, conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};

use crate::activation::Activation;
use crate::flex::{FusedMap, supports, update_running};
use crate::peers::{Peers, peers};
use crate::running::{blend, goes_by_batch};
use std::sync::Arc;

/// See [`FeatureMap::conv`](crate::FeatureMap::conv).
pub(crate) fn conv(x: Tensor<4>, conv: &Conv2d) -> Tensor<4> {
    let padding = match &conv.padding {
        PaddingConfig2d::Explicit(top, left, bottom, right) if (top, left) == (bottom, right) => {
            [*top, *left]
        }
        PaddingConfig2d::Valid => [0, 0],
        // Not the same on both sides.
        PaddingConfig2d::Explicit(..) | PaddingConfig2d::Same => return conv.forward(x),
    };
    let options = ConvOptions::new(conv.stride, padding, conv.dilation, conv.groups);
    let bias = conv.bias.as_ref().map(burn::module::Param::val);
    conv2d(x, conv.weight.val(), bias, options)
}

/// See [`FeatureMap::max_pool`](crate::FeatureMap::max_pool).
pub(crate) fn max_pool(x: Tensor<4>, kernel: usize, stride: usize, padding: usize) -> Tensor<4> {
    let options = MaxPoolOptions::new([kernel, kernel])
        .with_stride([stride, stride])
        .with_padding([padding, padding]);
    max_pool2d(x, options)
}

/// See [`FeatureMap::global_average`](crate::FeatureMap::global_average).
pub(crate) fn global_average(x: Tensor<4>) -> Tensor<2> {
    let [batch, channels, _, _] = x.dims();
    x.mean_dim(3).mean_dim(2).reshape([batch, channels])
}

/// See [`FeatureMap::subsample_and_pad`](crate::FeatureMap::subsample_and_pad).
pub(crate) fn subsample_and_pad(x: Tensor<4>, stride: usize, channels: usize) -> Tensor<4> {
    let [batch, own, _, _] = x.dims();
    let stride = stride as isize;
    let device = x.device();
    let sampled = x.slice(burn::tensor::s![.., .., ..;stride, ..;stride]);
    let [_, _, height, width] = sampled.dims();
    let zeros = |count| Tensor::zeros([batch, count, height, width], &device);
    let missing = channels - own;
    let parts = match (missing / 2, missing - missing / 2) {
        (0, 0) => return sampled,
        (0, after) => vec![sampled, zeros(after)],
        (before, after) => vec![zeros(before), sampled, zeros(after)],
    };
    Tensor::cat(parts, 1)
}

pub(crate) fn activate(x: Tensor<4>, activation: Activation) -> Tensor<4> {
    match activation {
        Activation::Identity => x,
        Activation::Relu => relu(x),
    }
}

/// Batch norm over `[batch, height, width]` of each channel.
///
/// Not `BatchNorm::forward`: that one keeps the biased variance.
pub(crate) fn normalise(x: Tensor<4>, norm: &BatchNorm) -> Tensor<4> {
    let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
    if !goes_by_batch(norm, x.device().is_autodiff()) {
        let (mean, variance) = (norm.running_mean.value_sync(), norm.running_var.value_sync());
        return batch_norm(x, gamma, beta, mean, variance, norm.epsilon);
    }
    if let Some(peers) = peers().filter(|_| supports(&x)) {
        return normalise_across(x, norm, peers);
    }
    let [batch, _, height, width] = x.dims();
    let count = (batch * height * width) as f64;
    let result = batch_norm_train(x, gamma, beta, norm.epsilon);
    let unbiased = result.variance * (count / (count - 1.0).max(1.0));
    blend(norm, result.mean, unbiased);
    result.output
}

/// The same by the statistics of all peers' batches.
fn normalise_across(x: Tensor<4>, norm: &BatchNorm, peers: Arc<dyn Peers>) -> Tensor<4> {
    let (channels, device) = (x.dims()[1], x.device());
    let (standard, statistics) = FusedMap::enter(x).standardise(norm.epsilon, peers);
    update_running(norm, &statistics, channels, &device);
    let by_channel = |parameter: Tensor<1>| parameter.reshape([1, -1, 1, 1]);
    standard * by_channel(norm.gamma.val()) + by_channel(norm.beta.val())
}
