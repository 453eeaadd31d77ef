//! Burn's layers, and what feature maps compute in one go, as operations of a graph.

use super::{Op, Recorded};
use crate::activation::Activation;
use burn::module::{Content, DisplaySettings, ModuleDisplay, ParamId};
use burn::nn::{BatchNorm, LayerNorm, Linear, PaddingConfig2d, conv::Conv2d};

/// A convolution that is not in the graph yet: first comes what it is waited for with, so that
/// layers stand there in the order of their names.
#[derive(Debug)]
pub(crate) struct PendingConv {
    input: Recorded,
    /// Or what graphs have no operation for.
    op: Result<Op, &'static str>,
    weight: ParamId,
    dims: [usize; 4],
}

impl PendingConv {
    pub(crate) fn new(input: &Recorded, conv: &Conv2d) -> Self {
        let [batch, _, height, width] = input.dims();
        let channels = conv.weight.dims()[0];
        let dims = [batch, channels, side(conv, 0, height), side(conv, 1, width)];
        Self { input: input.clone(), op: operation(conv), weight: conv.weight.id, dims }
    }

    pub(crate) fn dims(&self) -> [usize; 4] {
        self.dims
    }

    /// The output, now in the graph.
    pub(crate) fn record(self) -> Recorded {
        match self.op {
            Ok(op) => self.input.layer(op, self.weight),
            Err(what) => self.input.unknown(&self.dims, what),
        }
    }
}

impl Recorded {
    pub(crate) fn batch_norm(&self, norm: &BatchNorm) -> Self {
        let [channels] = norm.gamma.dims();
        self.layer(Op::BatchNorm { channels, epsilon: norm.epsilon }, norm.gamma.id)
    }

    pub(crate) fn layer_norm<const D: usize>(&self, norm: &LayerNorm) -> Self {
        let [channels] = norm.gamma.dims();
        match epsilon(norm) {
            Some(epsilon) => {
                let op = Op::LayerNorm { channels, epsilon, bias: norm.beta.is_some() };
                self.layer(op, norm.gamma.id)
            }
            None => self.unknown(&self.dims::<D>(), "a layer norm of unknown epsilon"),
        }
    }

    pub(crate) fn linear(&self, linear: &Linear) -> Self {
        let op = Op::Linear { features: linear.weight.dims(), bias: linear.bias.is_some() };
        self.layer(op, linear.weight.id)
    }

    pub(crate) fn activate(&self, activation: Activation) -> Self {
        match activation {
            Activation::Identity => self.clone(),
            Activation::Relu => self.then(Op::Relu),
        }
    }

    /// See [`FeatureMap::subsample_and_pad`](crate::FeatureMap::subsample_and_pad).
    pub(crate) fn subsample_and_pad(&self, stride: usize, channels: usize) -> Self {
        let sampled = if stride == 1 { self.clone() } else { self.then(Op::Subsample(stride)) };
        match channels - self.dims::<4>()[1] {
            0 => sampled,
            missing => sampled.then(Op::PadChannels([missing / 2, missing - missing / 2])),
        }
    }
}

fn operation(conv: &Conv2d) -> Result<Op, &'static str> {
    let [out, in_group, ..] = conv.weight.dims();
    let odd = conv.kernel_size.iter().all(|size| size % 2 == 1);
    let padding = match conv.padding {
        PaddingConfig2d::Explicit(top, left, bottom, right) if (top, left) == (bottom, right) => {
            [top, left]
        }
        PaddingConfig2d::Same if odd && conv.stride == [1, 1] => {
            conv.kernel_size.map(|size| size / 2)
        }
        PaddingConfig2d::Valid => [0, 0],
        PaddingConfig2d::Explicit(..) | PaddingConfig2d::Same => {
            return Err("a convolution whose padding differs between sides");
        }
    };
    if conv.dilation != [1, 1] {
        return Err("a dilated convolution");
    }
    Ok(Op::Conv {
        channels: [in_group * conv.groups, out],
        kernel: conv.kernel_size,
        stride: conv.stride,
        padding,
        groups: conv.groups,
        bias: conv.bias.is_some(),
    })
}

/// Height (axis 0) or width of the output.
fn side(conv: &Conv2d, axis: usize, size: usize) -> usize {
    let reach = conv.dilation[axis] * (conv.kernel_size[axis] - 1) + 1;
    let padding = match conv.padding {
        PaddingConfig2d::Explicit(top, left, bottom, right) => [top + bottom, left + right][axis],
        PaddingConfig2d::Valid => 0,
        PaddingConfig2d::Same => return size.div_ceil(conv.stride[axis]),
    };
    (size + padding).saturating_sub(reach) / conv.stride[axis] + 1
}

/// What the norm adds to variances. Burn keeps it private, but shows it.
fn epsilon(norm: &LayerNorm) -> Option<f64> {
    let content = norm.custom_content(Content::new(DisplaySettings::new()))?;
    let shown = content.attributes.into_iter().find(|attribute| attribute.name == "epsilon")?;
    shown.value.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{LayerNormConfig, conv::Conv2dConfig};
    use burn::tensor::{Device, Tensor};

    #[test]
    fn the_epsilon_of_a_layer_norm_is_read() {
        for value in [1e-5, 1e-6, 3.7e-12, 0.25] {
            let norm = LayerNormConfig::new(4).with_epsilon(value).init(&Device::flex());
            assert_eq!(epsilon(&norm), Some(value));
        }
    }

    #[test]
    fn sides_are_those_of_burns_convolutions() {
        let image = Tensor::<4>::zeros([1, 4, 11, 8], &Device::flex());
        let config = || Conv2dConfig::new([4, 6], [3, 2]);
        let uneven = PaddingConfig2d::Explicit(1, 0, 2, 1);
        let cases = [
            (config(), true),
            (config().with_stride([2, 3]), true),
            (config().with_padding(PaddingConfig2d::Explicit(1, 2, 1, 2)), true),
            (config().with_padding(PaddingConfig2d::Same), false),
            (Conv2dConfig::new([4, 6], [3, 5]).with_padding(PaddingConfig2d::Same), true),
            (config().with_stride([2, 2]).with_padding(uneven), false),
            (config().with_dilation([2, 1]), false),
        ];
        for (config, known) in cases {
            let conv = config.init(&Device::flex());
            let [_, _, height, width] = conv.forward(image.clone()).dims();
            assert_eq!([side(&conv, 0, 11), side(&conv, 1, 8)], [height, width], "{config}");
            assert_eq!(operation(&conv).is_ok(), known, "{config}");
        }
    }
}
