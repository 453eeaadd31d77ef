//! The encoder block of a vision transformer (Dosovitskiy et al. 2021), norms before attention and
//! perceptron, a layer scale behind each (Touvron et al. 2021). Every pixel of a feature map is a
//! token. Where tokens are is told to queries and keys of every block by fixed sines, as in DETR
//! (Carion et al. 2020), so that images of any size do.

use crate::layers::{
    ClosingLayerNorm, channels_first, channels_last, layer_norm, layer_scale, on_every_pixel,
    trace_layer_norm,
};
use autogrow_core::network::{
    AnySubModule, Builder, Gate, SeedNetwork, Stem, SubModule, SubModuleKind, Traced, positions,
};
use autogrow_kernels::{Activation, FeatureMap, linear, with_bias};
use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear, conv::Conv2d};
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::{Tensor, TensorData};

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

    /// The same, described, of the pixels of a map of `size`.
    fn trace_attention(&self, tokens: &Traced, size: [usize; 2]) -> Traced {
        let (count, channels) = (size[0] * size[1], self.proj.weight.dims()[0]);
        let of_head = channels / self.heads;
        let split = |tokens: Traced, order: [usize; 3]| {
            tokens.reshape(&[count, self.heads, of_head]).transpose(&order)
        };
        let placed = tokens.add_positions(size);
        let query = split(placed.linear("query", &self.query), [1, 0, 2]);
        let query = query.scale(1.0 / (of_head as f64).sqrt());
        let key = split(placed.linear("key", &self.key), [1, 2, 0]);
        let value = split(tokens.linear("value", &self.value), [1, 0, 2]);
        let read = query.matmul(&key).softmax().matmul(&value);
        read.transpose(&[1, 0, 2]).reshape(&[count, channels]).linear("proj", &self.proj)
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
        let x = channels_last(input.to_nchw()).reshape([batch, height * width, channels]);
        let scale = |scale: &Param<Tensor<1>>| scale.val().reshape([1, 1, -1]);
        let places = positions([height, width], channels);
        let places = TensorData::new(places, [1, height * width, channels]);
        let places = Tensor::from_data(places, &x.device());
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

    fn describe(&self, input: Traced) -> Option<Traced> {
        let input = match &self.reduction {
            Some(conv) => input.conv("reduction", conv),
            None => input,
        };
        let [channels, height, width] = input.shape().try_into().ok()?;
        let x = input.reshape(&[channels, height * width]).transpose(&[1, 0]);
        let normed = trace_layer_norm("norm1", &self.norm1, &x);
        let read = self.trace_attention(&normed, [height, width]);
        let x = x.add(&read.mul(&x.parameter("ls1", &self.ls1, &[1, channels])));
        let normed = trace_layer_norm("norm2", &self.norm2, &x);
        let inner = normed.linear("fc1", &self.fc1).gelu();
        let thought = inner.linear("fc2", &self.fc2);
        let x = x.add(&thought.mul(&x.parameter("ls2", &self.ls2, &[1, channels])));
        Some(x.transpose(&[1, 0]).reshape(&[channels, height, width]))
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
        stem: Stem::Patches { patch: 4, image: 32 },
    },
    SeedNetwork {
        name: "encoder1net-imagenet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "as wide as ViT-S/16, and as deep at 12: 384 channels",
        sub_module: "encoder",
        sub_networks: 1,
        width: 384,
        stem: Stem::Patches { patch: 16, image: 224 },
    },
}
