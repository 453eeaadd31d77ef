//! Layers that several families share, beyond those that a builder and a feature map have.

use autogrow_core::network::{AnySubModule, Builder, SubModule, Traced};
use autogrow_kernels::{Activation, FeatureMap, Skip};
use burn::module::{Module, Param};
use burn::nn::{BatchNorm, LayerNorm, LayerNormConfig, conv::Conv2d};
use burn::tensor::{Device, Tensor};

/// What a layer scale is before training. Shallow networks, which seeds are, learn faster from 0.1
/// than from the 1e-6 that deep ones want (Touvron et al. 2021, table 1).
const LAYER_SCALE: f32 = 0.1;

/// What layer norms add to variances: PyTorch's default.
const LAYER_NORM_EPSILON: f64 = 1e-5;

/// A convolution with its batch norm, closed by a ReLU.
#[derive(Module, Debug)]
pub struct Unit {
    pub(crate) conv: Conv2d,
    pub(crate) bn: BatchNorm,
}

impl Unit {
    /// `[in, out]` channels.
    pub fn new(
        builder: &mut Builder<'_>,
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
    ) -> Self {
        let conv = builder.conv(channels, kernel, stride);
        Self { conv, bn: builder.norm(channels[1]) }
    }

    /// `relu(bn(conv(x)))`.
    pub fn forward(&self, input: &FeatureMap) -> FeatureMap {
        input.conv(&self.conv).norm(&self.bn, Skip::None, Activation::Relu)
    }

    /// [`Unit::forward`] of the unit that is in `field`, described.
    pub fn describe(&self, field: &str, input: &Traced) -> Traced {
        let map = input.conv(&format!("{field}.conv"), &self.conv);
        map.batch_norm(&format!("{field}.bn"), &self.bn).relu()
    }
}

/// A convolution in `groups`, each of which sees its own part of the input channels alone.
pub fn grouped_conv(
    builder: &mut Builder<'_>,
    [channels_in, channels_out]: [usize; 2],
    kernel: usize,
    stride: usize,
    groups: usize,
) -> Conv2d {
    Conv2d { groups, ..builder.conv([channels_in / groups, channels_out], kernel, stride) }
}

/// A number a channel that closes a residual branch.
pub fn layer_scale(channels: usize, device: &Device) -> Param<Tensor<1>> {
    Param::from_tensor(Tensor::full([channels], LAYER_SCALE, device))
}

/// A layer norm over channels.
pub fn layer_norm(channels: usize, device: &Device) -> LayerNorm {
    LayerNormConfig::new(channels).with_epsilon(LAYER_NORM_EPSILON).init(device)
}

/// A [`layer_norm`] that is in `field`, described.
pub fn trace_layer_norm(field: &str, norm: &LayerNorm, input: &Traced) -> Traced {
    input.layer_norm(field, norm, LAYER_NORM_EPSILON)
}

/// Channels last, `[batch, height, width, channels]`, where layer norms and linear layers work.
pub fn channels_last(nchw: Tensor<4>) -> Tensor<4> {
    nchw.permute([0, 2, 3, 1])
}

/// Back to `[batch, channels, height, width]`.
pub fn channels_first(nhwc: Tensor<4>) -> Tensor<4> {
    nhwc.permute([0, 3, 1, 2])
}

/// Multiply-accumulate operations of weights that work on every pixel.
pub fn on_every_pixel<const D: usize>(
    weights: &[&Param<Tensor<D>>],
    [height, width]: [usize; 2],
) -> u64 {
    let weights: usize = weights.iter().map(|weight| weight.shape().num_elements()).sum();
    (weights * height * width) as u64
}

/// The end of a network of pre-activation blocks: `relu(bn(x))`.
#[derive(Module, Debug)]
pub struct ClosingBatchNorm {
    bn: BatchNorm,
}

impl ClosingBatchNorm {
    /// For what the last sub-network gives.
    pub fn of(builder: &mut Builder<'_>) -> Option<AnySubModule> {
        let bn = builder.norm(builder.channels_in);
        Some(AnySubModule::new(Self { bn }))
    }
}

impl SubModule for ClosingBatchNorm {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        input.norm(&self.bn, Activation::Relu)
    }

    fn describe(&self, input: Traced) -> Option<Traced> {
        Some(input.batch_norm("bn", &self.bn).relu())
    }
}

/// The end of a network of blocks that begin with a layer norm.
#[derive(Module, Debug)]
pub struct ClosingLayerNorm {
    norm: LayerNorm,
}

impl ClosingLayerNorm {
    /// For what the last sub-network gives.
    pub fn of(builder: &mut Builder<'_>) -> Option<AnySubModule> {
        let norm = layer_norm(builder.channels_in, builder.device);
        Some(AnySubModule::new(Self { norm }))
    }
}

impl SubModule for ClosingLayerNorm {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let normed = self.norm.forward(channels_last(input.to_nchw()));
        FeatureMap::from_nchw(channels_first(normed))
    }

    fn describe(&self, input: Traced) -> Option<Traced> {
        Some(trace_layer_norm("norm", &self.norm, &input))
    }
}
