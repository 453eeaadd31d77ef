//! A sub-module: a residual block that weighs its channels, with the gate of
//! Squeeze-and-Excitation (Hu et al. 2018) between its two convolutions.

use autogrow_core::network::{
    AnySubModule, Builder, Gate, SeedNetwork, Stem, SubModule, SubModuleKind, Traced,
};
use autogrow_kernels::{Activation, FeatureMap, Skip, linear};
use burn::module::Module;
use burn::nn::{BatchNorm, Linear, conv::Conv2d};
use burn::tensor::activation::{relu, sigmoid};

/// Channels for each number that they are squeezed into.
const REDUCTION: usize = 4;

/// `relu(bn2(conv2(weigh(relu(bn1(conv1(x)))))) + x)`; where the shape changes, every second pixel
/// of x stands for x, with channels of zeros beside its own.
#[derive(Module, Debug)]
pub struct Gated {
    conv1: Conv2d,
    bn1: BatchNorm,
    weigh: Weigh,
    conv2: Conv2d,
    bn2: BatchNorm,
}

/// Multiplies each channel by a number between 0 and 1 that depends on the means of all channels.
#[derive(Module, Debug)]
struct Weigh {
    squeeze: Linear,
    excite: Linear,
}

impl Gated {
    /// A block with random weights.
    pub fn new(builder: &mut Builder<'_>) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        Self {
            conv1: builder.conv([channels_in, width], 3, stride),
            bn1: builder.norm(width),
            weigh: Weigh::new(width, builder),
            conv2: builder.conv([width, width], 3, 1),
            bn2: builder.norm(width),
        }
    }
}

impl Weigh {
    fn new(channels: usize, builder: &mut Builder<'_>) -> Self {
        let squeezed = channels.div_ceil(REDUCTION);
        Self {
            squeeze: linear([channels, squeezed], builder.rng, builder.device),
            excite: linear([squeezed, channels], builder.rng, builder.device),
        }
    }

    /// Keeps the shape. What a feature map cannot do is done on its plain tensor
    /// `[batch, channels, height, width]`, with any operation that Burn has.
    fn forward(&self, map: FeatureMap) -> FeatureMap {
        let [batch, channels, ..] = map.dims();
        let squeezed = relu(self.squeeze.forward(map.global_average()));
        let weights = sigmoid(self.excite.forward(squeezed));
        FeatureMap::from_nchw(map.to_nchw() * weights.reshape([batch, channels, 1, 1]))
    }

    fn describe(&self, map: &Traced) -> Traced {
        let squeezed = map.global_average().linear("weigh.squeeze", &self.squeeze).relu();
        let weights = squeezed.linear("weigh.excite", &self.excite).sigmoid();
        map.mul(&weights.reshape(&[map.shape()[0], 1, 1]))
    }
}

impl SubModule for Gated {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let map = input.conv(&self.conv1).norm(&self.bn1, Skip::None, Activation::Relu);
        let map = self.weigh.forward(map).conv(&self.conv2);
        let shortcut = input.subsample_and_pad(self.conv1.stride[0], map.dims()[1]);
        map.norm(&self.bn2, Skip::Identity(shortcut), Activation::Relu)
    }

    // With scale and shift 0 the branch adds nothing: ZeroInit preserves the network's function.
    fn gates(&mut self) -> Vec<Gate<'_>> {
        vec![Gate::from(&mut self.bn2)]
    }

    // The forward pass once more, as a graph: what ONNX and PyTorch files are written from.
    fn describe(&self, input: Traced) -> Option<Traced> {
        let map = input.conv("conv1", &self.conv1).batch_norm("bn1", &self.bn1).relu();
        let map = self.weigh.describe(&map).conv("conv2", &self.conv2).batch_norm("bn2", &self.bn2);
        let shortcut = input.subsample_and_pad(self.conv1.stride[0], map.shape()[0]);
        Some(map.add(&shortcut).relu())
    }

    // Convolutions work on every pixel, the weights of channels are found once an image.
    fn macs(&self, _: [usize; 2], [height, width]: [usize; 2]) -> u64 {
        let convolutions = [&self.conv1, &self.conv2].map(|conv| conv.weight.shape());
        let linear = [&self.weigh.squeeze, &self.weigh.excite].map(|linear| linear.weight.shape());
        let weights = |shapes: [burn::tensor::Shape; 2]| -> usize {
            shapes.iter().map(burn::tensor::Shape::num_elements).sum()
        };
        (weights(convolutions) * height * width + weights(linear)) as u64
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "gated",
        origin: env!("CARGO_PKG_NAME"),
        summary: "residual block that weighs its channels inside",
        residual: true,
        channels: |width, _| width,
        layers: 2,
        build: |builder| Ok(AnySubModule::new(Gated::new(builder))),
    },
    SeedNetwork {
        name: "gated3net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "basic3resnet with weighed channels: 16, 32, 64",
        sub_module: "gated",
        sub_networks: 3,
        width: 16,
        stem: Stem::Small,
    },
}
