//! Plugins for the tests of graphs and exports: `medley` does what no built-in sub-module does,
//! `told` computes on plain tensors and describes the same in operations that can be recorded.

use autogrow_core::network::{AnySubModule, Builder, Gate, SeedNetwork, SubModule, SubModuleKind};
use autogrow_kernels::{Activation, FeatureMap, Features, Skip, with_bias};
use burn::module::{Module, Param};
use burn::nn::{BatchNorm, conv::Conv2d};
use burn::tensor::activation::relu;
use burn::tensor::{Tensor, TensorData};
use rand::Rng;

/// One convolution twice, once with a batch norm behind it, parts of maps cut off and put elsewhere,
/// and a matrix over channels that is no linear layer, twice and in two shapes.
#[derive(Module, Debug)]
pub struct Medley {
    conv: Conv2d,
    bn: BatchNorm,
    again: Conv2d,
    bn_again: BatchNorm,
    matrix: Param<Tensor<2>>,
    gamma: Param<Tensor<1>>,
}

impl Medley {
    fn new(builder: &mut Builder<'_>) -> Self {
        let (channels_in, width, stride) = (builder.channels_in, builder.width, builder.stride);
        let bound = 1.0 / (width as f32).sqrt();
        let matrix: Vec<f32> =
            (0..width * width).map(|_| bound * (2.0 * builder.rng.random::<f32>() - 1.0)).collect();
        Self {
            conv: builder.conv([channels_in, width], 3, stride),
            bn: builder.norm(width),
            again: builder.conv([width, width], 3, 1),
            bn_again: builder.norm(width),
            matrix: Param::from_data(TensorData::new(matrix, [width, width]), builder.device),
            gamma: Param::from_tensor(Tensor::full([width], 0.5, builder.device)),
        }
    }
}

impl SubModule for Medley {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let map = input.conv(&self.conv).norm(&self.bn, Skip::None, Activation::Relu);
        let map = map.conv(&self.again).norm(&self.bn_again, Skip::None, Activation::Relu);
        let features = map.conv(&self.again).act(Activation::Identity).to_features();
        let [batch, channels, height, width] = features.dims();
        let half = channels / 2;
        let cut = features.clone().narrow(1, 0, half).relu6();
        let swapped = Features::concat(vec![features.narrow(1, half, channels - half), cut], 1);
        let tall = Features::concat(vec![swapped.clone(), swapped], 2);
        let rolled = tall.narrow(2, height / 2, height).permute([0, 2, 3, 1]);
        let pixels = rolled.reshape([batch, height * width, channels]);
        let matrix = pixels.parameter(&self.matrix, [1, channels, channels]);
        let rows = pixels.matmul(matrix).reshape([batch, height, width, channels]);
        let matrix = rows.parameter(&self.matrix, [1, 1, channels, channels]);
        let mixed = rows.matmul(matrix);
        let gamma = mixed.parameter(&self.gamma, [1, 1, 1, channels]);
        let branch = mixed * gamma;
        let shortcut = input.subsample_and_pad(self.conv.stride[0], channels).to_features();
        FeatureMap::from_features(branch.permute([0, 3, 1, 2]) + shortcut)
    }

    fn gates(&mut self) -> Vec<Gate<'_>> {
        vec![Gate::from(&mut self.gamma)]
    }
}

/// `relu(conv(x))` by Burn's own layer.
#[derive(Module, Debug)]
pub struct Told {
    conv: Conv2d,
}

impl SubModule for Told {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        FeatureMap::from_nchw(relu(self.conv.forward(input.to_nchw())))
    }

    fn describe(&self, input: FeatureMap) -> FeatureMap {
        input.conv(&self.conv).act(Activation::Relu)
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "medley",
        origin: env!("CARGO_PKG_NAME"),
        summary: "what no built-in sub-module does",
        residual: true,
        channels: |width, _| width,
        layers: 3,
        build: |builder| Ok(AnySubModule::new(Medley::new(builder))),
    },
    SubModuleKind {
        name: "told",
        origin: env!("CARGO_PKG_NAME"),
        summary: "a convolution on plain tensors",
        residual: false,
        channels: |width, _| width,
        layers: 1,
        build: |builder| {
            let conv = builder.conv([builder.channels_in, builder.width], 3, builder.stride);
            Ok(AnySubModule::new(Told { conv: with_bias(conv, builder.rng) }))
        },
    },
    SeedNetwork {
        name: "medley2net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "two sub-networks of medleys",
        sub_module: "medley",
        sub_networks: 2,
        width: 8,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
    SeedNetwork {
        name: "told2net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "two sub-networks of convolutions on plain tensors",
        sub_module: "told",
        sub_networks: 2,
        width: 8,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
}
