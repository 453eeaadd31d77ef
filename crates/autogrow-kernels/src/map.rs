//! [`FeatureMap`], the activation between two layers, and [`Convolved`], a convolution's output
//! that waits for its batch norm.

use burn::nn::{BatchNorm, PaddingConfig2d, conv::Conv2d};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::{batch_norm, batch_norm_train, conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};

/// An activation of shape `[batch, channels, height, width]`, in a layout of its own choice.
///
/// Cheap to clone: the numbers are shared.
#[derive(Clone, Debug)]
pub struct FeatureMap {
    nchw: Tensor<4>,
}

/// The output of a convolution, waiting for the batch norm that every convolution here has.
#[derive(Debug)]
pub struct Convolved {
    nchw: Tensor<4>,
}

/// What is added to a normalised convolution before its activation: the shortcut of a residual
/// block (He et al. 2016).
#[derive(Debug)]
pub enum Skip<'a> {
    /// Nothing: a plain layer.
    None,
    /// The block's own input, unchanged.
    Identity(FeatureMap),
    /// The block's input through a convolution and batch norm of its own.
    Projected(Convolved, &'a BatchNorm),
}

/// The nonlinearity that closes a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// None.
    Identity,
    /// `max(x, 0)`.
    Relu,
}

impl FeatureMap {
    /// Takes a plain tensor `[batch, channels, height, width]`. Differentiable.
    pub fn from_nchw(nchw: Tensor<4>) -> Self {
        Self { nchw }
    }

    /// The plain tensor `[batch, channels, height, width]`, for what this crate has no operation
    /// for. Differentiable.
    pub fn to_nchw(&self) -> Tensor<4> {
        self.nchw.clone()
    }

    /// `[batch, channels, height, width]`.
    pub fn dims(&self) -> [usize; 4] {
        self.nchw.dims()
    }

    /// Convolves with the weights `[out, in, kernel, kernel]`, stride and padding of `conv`, which
    /// is made by [`conv`](crate::conv()).
    pub fn conv(&self, conv: &Conv2d) -> Convolved {
        let padding = match &conv.padding {
            PaddingConfig2d::Explicit(top, left, ..) => [*top, *left],
            PaddingConfig2d::Valid | PaddingConfig2d::Same => [0, 0],
        };
        let options = ConvOptions::new(conv.stride, padding, conv.dilation, conv.groups);
        let bias = conv.bias.as_ref().map(|bias| bias.val());
        Convolved { nchw: conv2d(self.nchw.clone(), conv.weight.val(), bias, options) }
    }

    /// The largest value of each `kernel` x `kernel` window; the border is padded with minus
    /// infinity.
    pub fn max_pool(&self, kernel: usize, stride: usize, padding: usize) -> Self {
        let options = MaxPoolOptions::new([kernel, kernel])
            .with_stride([stride, stride])
            .with_padding([padding, padding]);
        Self::from_nchw(max_pool2d(self.nchw.clone(), options))
    }

    /// The mean of each channel over all pixels, `[batch, channels]`.
    pub fn global_average(&self) -> Tensor<2> {
        let [batch, channels, _, _] = self.dims();
        self.nchw.clone().mean_dim(3).mean_dim(2).reshape([batch, channels])
    }

    /// Every `stride`-th pixel, with zero channels added evenly before and after up to `channels`:
    /// the parameter-free shortcut of the CIFAR ResNets (option A of He et al. 2016).
    ///
    /// `channels` is not less than the channels there are.
    pub fn subsample_and_pad(&self, stride: usize, channels: usize) -> Self {
        let [batch, own, _, _] = self.dims();
        let stride = stride as isize;
        let sampled = self.nchw.clone().slice(burn::tensor::s![.., .., ..;stride, ..;stride]);
        let [_, _, height, width] = sampled.dims();
        let zeros = |count| Tensor::zeros([batch, count, height, width], &self.nchw.device());
        let missing = channels - own;
        let parts = match (missing / 2, missing - missing / 2) {
            (0, 0) => return Self::from_nchw(sampled),
            (0, after) => vec![sampled, zeros(after)],
            (before, after) => vec![zeros(before), sampled, zeros(after)],
        };
        Self::from_nchw(Tensor::cat(parts, 1))
    }
}

impl Convolved {
    /// `[batch, channels, height, width]`.
    pub fn dims(&self) -> [usize; 4] {
        self.nchw.dims()
    }

    /// `activation(norm(self) + skip)`.
    ///
    /// While training (autodiff device, norm in training mode) the batch's own statistics
    /// normalise, and the running ones are updated as PyTorch does: with the unbiased variance.
    /// Otherwise the running statistics normalise.
    pub fn norm(self, norm: &BatchNorm, skip: Skip<'_>, activation: Activation) -> FeatureMap {
        let normed = normalise(self.nchw, norm);
        let sum = match skip {
            Skip::None => normed,
            Skip::Identity(map) => normed + map.nchw,
            Skip::Projected(convolved, its_norm) => normed + normalise(convolved.nchw, its_norm),
        };
        FeatureMap::from_nchw(activate(sum, activation))
    }

    /// `activation(self)`, for a layer without batch norm.
    pub fn act(self, activation: Activation) -> FeatureMap {
        FeatureMap::from_nchw(activate(self.nchw, activation))
    }
}

fn activate(x: Tensor<4>, activation: Activation) -> Tensor<4> {
    match activation {
        Activation::Identity => x,
        Activation::Relu => relu(x),
    }
}

/// Batch norm over `[batch, height, width]` of each channel.
///
/// Not `BatchNorm::forward`: that one keeps the biased variance.
fn normalise(x: Tensor<4>, norm: &BatchNorm) -> Tensor<4> {
    let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
    if !(x.device().is_autodiff() && norm.training.is_enabled()) {
        let (mean, variance) = (norm.running_mean.value_sync(), norm.running_var.value_sync());
        return batch_norm(x, gamma, beta, mean, variance, norm.epsilon);
    }
    let [batch, _, height, width] = x.dims();
    let count = (batch * height * width) as f64;
    let result = batch_norm_train(x, gamma, beta, norm.epsilon);
    let unbiased = result.variance * (count / (count - 1.0).max(1.0));
    let blend = |running: Tensor<1>, new: Tensor<1>| {
        (running * (1.0 - norm.momentum) + new.detach() * norm.momentum).detach()
    };
    norm.running_mean.update(blend(norm.running_mean.value_sync(), result.mean));
    norm.running_var.update(blend(norm.running_var.value_sync(), unbiased));
    result.output
}
