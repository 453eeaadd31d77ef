//! The encoder block of a vision transformer (Dosovitskiy et al. 2021), norms before attention and
//! perceptron, a layer scale behind each (Touvron et al. 2021). Every pixel of a feature map is a
//! token. Where tokens are is told to queries and keys of every block by fixed sines, as in DETR
//! (Carion et al. 2020), so that images of any size do.

use crate::layers::{ClosingLayerNorm, channels_first, channels_last, layer_norm, layer_scale};
use autogrow_core::network::{
    AnySubModule, Builder, Gate, Recipe, SeedNetwork, SubModule, SubModuleKind,
};
use autogrow_kernels::{Activation, FeatureMap, Features, linear, with_bias};
use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear, conv::Conv2d};
use burn::tensor::Tensor;

/// At SGD's usual step size it hardly learns in the first epochs.
const RECIPE: Recipe = Recipe { optimizer: "adamw", learning_rate: 0.003, weight_decay: 0.05 };

/// Channels inside the perceptron for each one outside.
const EXPANSION: usize = 4;
/// Channels of a head, about.
const HEAD: usize = 16;

/// `y = x + ls1 * proj(attention(norm1(x)))`, then `y + ls2 * fc2(gelu(fc1(norm2(y))))`; where shape
/// changes, x goes through a convolution first.
#[derive(Module, Debug)]
pub struct Encoder {
    reduction: Option<Conv2d>,
    norm1: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    proj: Linear,
    ls1: Param<Tensor<1>>,
    norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    ls2: Param<Tensor<1>>,
    heads: usize,
}

impl Encoder {
    /// A block with random weights.
    pub fn new(builder: &mut Builder<'_>) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        let reduction = (stride != 1 || channels_in != width).then(|| {
            let conv = builder.conv([channels_in, width], 3, stride);
            with_bias(conv, builder.rng)
        });
        let mut linear = |channels| linear(channels, builder.rng, builder.device);
        let square = [width, width];
        let [query, key, value, proj] = [square; 4].map(&mut linear);
        let (fc1, fc2) = (linear([width, EXPANSION * width]), linear([EXPANSION * width, width]));
        Self {
            reduction,
            norm1: layer_norm(width, builder.device),
            query,
            key,
            value,
            proj,
            ls1: layer_scale(width, builder.device),
            norm2: layer_norm(width, builder.device),
            fc1,
            fc2,
            ls2: layer_scale(width, builder.device),
            heads: heads(width),
        }
    }

    /// What each of `tokens`, `[batch, height x width, channels]`, reads from all of them.
    fn attention(&self, tokens: Features<3>, size: [usize; 2]) -> Features<3> {
        let [batch, count, channels] = tokens.dims();
        let of_head = channels / self.heads;
        let split = |tokens: Features<3>, order| {
            tokens.reshape([batch, count, self.heads, of_head]).permute(order)
        };
        let placed = tokens.clone().add_positions(size);
        let query = split(placed.clone().linear(&self.query), [0, 2, 1, 3]);
        let key = split(placed.linear(&self.key), [0, 2, 3, 1]);
        let weights = (query / (of_head as f32).sqrt()).matmul(key).softmax();
        let read = weights.matmul(split(tokens.linear(&self.value), [0, 2, 1, 3]));
        read.permute([0, 2, 1, 3]).reshape([batch, count, channels]).linear(&self.proj)
    }
}

/// The number of heads that share `width` evenly and have about 16 channels each.
fn heads(width: usize) -> usize {
    let most = width.div_ceil(HEAD);
    (1..=most).rev().find(|heads| width.is_multiple_of(*heads)).unwrap_or(1)
}

impl SubModule for Encoder {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let input = match &self.reduction {
            Some(conv) => input.conv(conv).act(Activation::Identity),
            None => input,
        };
        let [batch, channels, height, width] = input.dims();
        let x = channels_last(&input).reshape([batch, height * width, channels]);
        let scale = |branch: Features<3>, scale: &Param<Tensor<1>>| {
            let scale = branch.parameter(scale, [1, 1, channels]);
            (branch * scale).drop_path()
        };
        let read = self.attention(x.clone().layer_norm(&self.norm1), [height, width]);
        let x = x + scale(read, &self.ls1);
        let inner = x.clone().layer_norm(&self.norm2).linear(&self.fc1).gelu();
        let x = x + scale(inner.linear(&self.fc2), &self.ls2);
        let map = x.reshape([batch, height, width, channels]);
        FeatureMap::from_features(channels_first(map))
    }

    fn gates(&mut self) -> Vec<Gate<'_>> {
        vec![Gate::from(&mut self.ls1), Gate::from(&mut self.ls2)]
    }

    fn closing(&self, builder: &mut Builder<'_>) -> Option<AnySubModule> {
        ClosingLayerNorm::of(builder)
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "encoder",
        origin: env!("CARGO_PKG_NAME"),
        summary: "transformer encoder block over pixels as tokens",
        residual: true,
        channels: |width, _| width,
        layers: 4,
        build: |builder| Ok(AnySubModule::new(Encoder::new(builder))),
    },
    SeedNetwork {
        name: "encoder1net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "vision transformer of 64 channels over patches of 4x4, for small images",
        sub_module: "encoder",
        sub_networks: 1,
        width: 64,
        stem: "patches4",
        head: "linear",
        image: 32,
        recipe: Some(RECIPE),
    },
    SeedNetwork {
        name: "encoder1net-imagenet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "as wide as ViT-S/16, and as deep at 12: 384 channels",
        sub_module: "encoder",
        sub_networks: 1,
        width: 384,
        stem: "patches16",
        head: "linear",
        image: 224,
        recipe: Some(RECIPE),
    },
}
