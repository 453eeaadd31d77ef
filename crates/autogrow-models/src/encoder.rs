//! The encoder block of a vision transformer (Dosovitskiy et al. 2021), norms before attention and
//! perceptron, a layer scale behind each (Touvron et al. 2021). Every pixel of a feature map is a
//! token. Where tokens are is told to queries and keys of every block by fixed sines, as in DETR
//! (Carion et al. 2020), so that images of any size do.

use crate::layers::{
    ClosingLayerNorm, channels_first, channels_last, layer_norm, layer_scale, on_every_pixel,
};
use autogrow_core::network::{
    AnySubModule, Builder, Gate, SeedNetwork, Stem, SubModule, SubModuleKind,
};
use autogrow_kernels::{Activation, FeatureMap, linear, with_bias};
use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear, conv::Conv2d};
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::{Device, Tensor, TensorData};

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

    /// What each of `tokens`, `[batch, tokens, channels]`, reads from all of them.
    fn attention(&self, tokens: Tensor<3>, positions: Tensor<3>) -> Tensor<3> {
        let [batch, count, channels] = tokens.dims();
        let size = channels / self.heads;
        let split =
            |tokens: Tensor<3>| tokens.reshape([batch, count, self.heads, size]).swap_dims(1, 2);
        let placed = tokens.clone() + positions;
        let query = split(self.query.forward(placed.clone())) / (size as f32).sqrt();
        let key = split(self.key.forward(placed));
        let weights = softmax(query.matmul(key.swap_dims(2, 3)), 3);
        let read = weights.matmul(split(self.value.forward(tokens)));
        self.proj.forward(read.swap_dims(1, 2).reshape([batch, count, channels]))
    }
}

/// The number of heads that share `width` evenly and have about 16 channels each.
fn heads(width: usize) -> usize {
    let most = width.div_ceil(HEAD);
    (1..=most).rev().find(|heads| width.is_multiple_of(*heads)).unwrap_or(1)
}

/// Sines and cosines of row and column in turn, `[1, height x width, channels]`, waves of 2 pi to
/// 20,000 pi pixels.
fn positions([channels, height, width]: [usize; 3], device: &Device) -> Tensor<3> {
    let waves = channels.div_ceil(4) as f32;
    let mut values = Vec::with_capacity(channels * height * width);
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        values.extend((0..channels).map(|channel| {
            let place = if channel % 2 == 0 { y } else { x } as f32;
            let angle = place / 10_000f32.powf((channel / 4) as f32 / waves);
            if channel % 4 < 2 { angle.sin() } else { angle.cos() }
        }));
    }
    Tensor::from_data(TensorData::new(values, [1, height * width, channels]), device)
}

impl SubModule for Encoder {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let input = match &self.reduction {
            Some(conv) => input.conv(conv).act(Activation::Identity),
            None => input,
        };
        let [batch, channels, height, width] = input.dims();
        let x = channels_last(input.to_nchw()).reshape([batch, height * width, channels]);
        let scale = |scale: &Param<Tensor<1>>| scale.val().reshape([1, 1, -1]);
        let places = positions([channels, height, width], &x.device());
        let read = self.attention(self.norm1.forward(x.clone()), places);
        let x = x + read * scale(&self.ls1);
        let thought = self.fc2.forward(gelu(self.fc1.forward(self.norm2.forward(x.clone()))));
        let x = x + thought * scale(&self.ls2);
        let map = x.reshape([batch, height, width, channels]);
        FeatureMap::from_nchw(channels_first(map))
    }

    fn gates(&mut self) -> Vec<Gate<'_>> {
        vec![Gate::from(&mut self.ls1), Gate::from(&mut self.ls2)]
    }

    fn closing(&self, builder: &mut Builder<'_>) -> Option<AnySubModule> {
        ClosingLayerNorm::of(builder)
    }

    fn macs(&self, _: [usize; 2], after: [usize; 2]) -> u64 {
        let linear = [&self.query, &self.key, &self.value, &self.proj, &self.fc1, &self.fc2];
        let reduction: Vec<_> = self.reduction.iter().map(|conv| &conv.weight).collect();
        // Every token meets every token twice: in the scores and in the sums.
        let tokens = after[0] * after[1];
        let attention = 2 * tokens * tokens * self.proj.weight.dims()[0];
        on_every_pixel(&linear.map(|linear| &linear.weight), after)
            + on_every_pixel(&reduction, after)
            + attention as u64
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
        stem: Stem::Patches(4),
    },
    SeedNetwork {
        name: "encoder1net-imagenet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "as wide as ViT-S/16, and as deep at 12: 384 channels",
        sub_module: "encoder",
        sub_networks: 1,
        width: 384,
        stem: Stem::Patches(16),
    },
}
