//! The block of ConvNeXt (Liu et al. 2022): a 7x7 convolution of each channel for itself, a layer
//! norm over channels, two linear layers with GELU between, and a layer scale. What is added is
//! never normalised, so a network of such blocks ends with a layer norm of its own.

use crate::layers::{
    ClosingLayerNorm, channels_first, channels_last, grouped_conv, layer_norm, layer_scale,
};
use autogrow_core::network::{
    AnySubModule, Builder, Gate, Recipe, SeedNetwork, SubModule, SubModuleKind,
};
use autogrow_kernels::{Activation, FeatureMap, linear, with_bias};
use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear, conv::Conv2d};
use burn::tensor::Tensor;

/// At SGD's usual step size it hardly learns in the first epochs.
const RECIPE: Recipe = Recipe { optimizer: "adamw", learning_rate: 0.003, weight_decay: 0.05 };

/// Channels inside for each one outside.
const EXPANSION: usize = 4;

/// `x + gamma * pwconv2(gelu(pwconv1(norm(dwconv(x)))))`; where shape changes, x goes through the
/// reduction first.
#[derive(Module, Debug)]
pub struct ConvNext {
    reduction: Option<Reduction>,
    dwconv: Conv2d,
    norm: LayerNorm,
    pwconv1: Linear,
    pwconv2: Linear,
    gamma: Param<Tensor<1>>,
}

/// `conv(norm(x))`; 3x3 pixels of stride 2, not 2x2, so that sizes which are odd lose no border.
#[derive(Module, Debug)]
struct Reduction {
    norm: LayerNorm,
    conv: Conv2d,
}

impl ConvNext {
    /// A block with random weights.
    pub fn new(builder: &mut Builder<'_>) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        let reduction = (stride != 1 || channels_in != width).then(|| {
            let conv = builder.conv([channels_in, width], 3, stride);
            Reduction {
                norm: layer_norm(channels_in, builder.device),
                conv: with_bias(conv, builder.rng),
            }
        });
        let dwconv = grouped_conv(builder, [width, width], 7, 1, width);
        let inner = EXPANSION * width;
        Self {
            reduction,
            dwconv: with_bias(dwconv, builder.rng),
            norm: layer_norm(width, builder.device),
            pwconv1: linear([width, inner], builder.rng, builder.device),
            pwconv2: linear([inner, width], builder.rng, builder.device),
            gamma: layer_scale(width, builder.device),
        }
    }
}

impl Reduction {
    fn forward(&self, input: &FeatureMap) -> FeatureMap {
        let normed = channels_first(channels_last(input).layer_norm(&self.norm));
        FeatureMap::from_features(normed).conv(&self.conv).act(Activation::Identity)
    }
}

impl SubModule for ConvNext {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let input = match &self.reduction {
            Some(reduction) => reduction.forward(&input),
            None => input,
        };
        let mixed = input.conv(&self.dwconv).act(Activation::Identity);
        let normed = channels_last(&mixed).layer_norm(&self.norm);
        let branch = normed.linear(&self.pwconv1).gelu().linear(&self.pwconv2);
        let gamma = branch.parameter(&self.gamma, [1, 1, 1, mixed.dims()[1]]);
        let branch = channels_first((branch * gamma).drop_path());
        FeatureMap::from_features(input.to_features() + branch)
    }

    fn gates(&mut self) -> Vec<Gate<'_>> {
        vec![Gate::from(&mut self.gamma)]
    }

    fn closing(&self, builder: &mut Builder<'_>) -> Option<AnySubModule> {
        ClosingLayerNorm::of(builder)
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "convnext",
        origin: env!("CARGO_PKG_NAME"),
        summary: "ConvNeXt: depthwise 7x7, layer norm, two linear layers, layer scale",
        residual: true,
        channels: |width, _| width,
        layers: 3,
        build: |builder| Ok(AnySubModule::new(ConvNext::new(builder))),
    },
    SeedNetwork {
        name: "convnext3net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "ConvNeXt for small images: 32, 64, 128 channels",
        sub_module: "convnext",
        sub_networks: 3,
        width: 32,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: Some(RECIPE),
    },
    SeedNetwork {
        name: "convnext4net-imagenet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "as deep and wide as ConvNeXt-T at 3-3-9-3: 96 to 768 channels",
        sub_module: "convnext",
        sub_networks: 4,
        width: 96,
        stem: "patches4",
        head: "linear",
        image: 224,
        recipe: Some(RECIPE),
    },
}
