//! Layers that several families share, beyond those that a builder and a feature map have.

use autogrow_core::network::{AnySubModule, Builder, SubModule};
use autogrow_kernels::{Activation, FeatureMap, Features, Skip};
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

/// Channels last, `[batch, height, width, channels]`, where layer norms and linear layers work.
pub fn channels_last(map: &FeatureMap) -> Features<4> {
    map.to_features().permute([0, 2, 3, 1])
}

/// Back to `[batch, channels, height, width]`.
pub fn channels_first(features: Features<4>) -> Features<4> {
    features.permute([0, 3, 1, 2])
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
        FeatureMap::from_features(channels_first(channels_last(&input).layer_norm(&self.norm)))
    }
}
