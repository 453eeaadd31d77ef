//! Layers with PyTorch's default initialisation, drawn on the host so that the same seed gives
//! the same numbers on every device and any number of threads.

use burn::module::Param;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, PaddingConfig2d, conv::Conv2d};
use burn::tensor::{Device, TensorData};
use rand::{Rng, RngCore};

/// A square convolution `[in, out]` without bias, padded so that stride 1 keeps the size (odd
/// kernels). Weights are uniform in ±1/sqrt(fan in): PyTorch's default (Kaiming, a = sqrt 5).
pub fn conv(
    [channels_in, channels_out]: [usize; 2],
    kernel: usize,
    stride: usize,
    rng: &mut dyn RngCore,
    device: &Device,
) -> Conv2d {
    let shape = [channels_out, channels_in, kernel, kernel];
    let bound = 1.0 / ((channels_in * kernel * kernel) as f32).sqrt();
    let padding = kernel / 2;
    Conv2d {
        weight: uniform(shape, bound, rng, device),
        bias: None,
        stride: [stride, stride],
        kernel_size: [kernel, kernel],
        dilation: [1, 1],
        groups: 1,
        padding: PaddingConfig2d::Explicit(padding, padding, padding, padding),
    }
}

/// Redraws a convolution's weights from a normal distribution of variance 2 / fan out, as the
/// ImageNet ResNets do (He et al. 2015).
pub fn kaiming_normal_fan_out(conv: Conv2d, rng: &mut dyn RngCore) -> Conv2d {
    let shape: [usize; 4] = conv.weight.dims();
    let device = conv.weight.device();
    let deviation = (2.0 / (shape[0] * shape[2] * shape[3]) as f32).sqrt();
    let values = (0..shape.iter().product()).map(|_| deviation * standard_normal(rng)).collect();
    Conv2d { weight: param(values, shape, &device), ..conv }
}

/// The convolution with a bias, uniform in ±1/sqrt(fan in): PyTorch's default.
pub fn with_bias(conv: Conv2d, rng: &mut dyn RngCore) -> Conv2d {
    let [channels, fan @ ..]: [usize; 4] = conv.weight.dims();
    let bound = 1.0 / (fan.iter().product::<usize>() as f32).sqrt();
    let bias = uniform([channels], bound, rng, &conv.weight.device());
    Conv2d { bias: Some(bias), ..conv }
}

/// Batch norm with scale 1, shift 0, epsilon 1e-5 and momentum 0.1, PyTorch's defaults.
pub fn batch_norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNormConfig::new(channels).init(device)
}

/// A linear layer with bias, both uniform in ±1/sqrt(inputs): PyTorch's default.
pub fn linear([inputs, outputs]: [usize; 2], rng: &mut dyn RngCore, device: &Device) -> Linear {
    let bound = 1.0 / (inputs as f32).sqrt();
    Linear {
        weight: uniform([inputs, outputs], bound, rng, device),
        bias: Some(uniform([outputs], bound, rng, device)),
    }
}

/// Height or width after a convolution or pooling.
pub fn out_size(size: usize, kernel: usize, stride: usize, padding: usize) -> usize {
    (size + 2 * padding).saturating_sub(kernel) / stride + 1
}

fn uniform<const D: usize>(
    shape: [usize; D],
    bound: f32,
    rng: &mut dyn RngCore,
    device: &Device,
) -> Param<burn::tensor::Tensor<D>> {
    let values =
        (0..shape.iter().product()).map(|_| bound * (2.0 * rng.random::<f32>() - 1.0)).collect();
    param(values, shape, device)
}

fn param<const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &Device,
) -> Param<burn::tensor::Tensor<D>> {
    Param::from_data(TensorData::new(values, shape), device)
}

/// One draw from N(0, 1), by Box and Muller.
pub fn standard_normal(rng: &mut dyn RngCore) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    let angle = std::f64::consts::TAU * rng.random::<f64>();
    (radius * angle.cos()) as f32
}
