//! [`FeatureMap`], the activation between two layers, and [`Convolved`], a convolution's output
//! that waits for its batch norm.

use burn::nn::{BatchNorm, conv::Conv2d};
use burn::tensor::Tensor;

use crate::activation::Activation;
use crate::features::{Features, Kind};
use crate::flex::{FusedConv, FusedMap, FusedSkip, supports};
use crate::graph::{Op, PendingConv, Recorded, Window};
use crate::paths::{dropped, is_dropping};
use crate::plain;

/// An activation of shape `[batch, channels, height, width]`, in a layout of its own choice.
///
/// Cheap to clone: the numbers are shared. A [`Recorder`](crate::Recorder) makes feature maps
/// that hold no numbers and write down what is done with them.
#[derive(Clone, Debug)]
pub struct FeatureMap(Map);

#[derive(Clone, Debug)]
enum Map {
    Plain(Tensor<4>),
    Fused(FusedMap),
    Recorded(Recorded),
}

/// The output of a convolution, waiting for the batch norm that every convolution here has.
#[derive(Debug)]
pub struct Convolved(Conv);

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "consumed at once")]
enum Conv {
    Plain(Tensor<4>),
    Fused(Box<FusedConv>),
    Recorded(PendingConv),
}

/// What is added to a normalised convolution before its activation: the shortcut of a residual
/// block (He et al. 2016).
#[derive(Debug)]
pub enum Skip<'a> {
    /// Nothing: a plain layer.
    None,
    /// The block's own input, unchanged.
    Identity(FeatureMap),
    /// The block's input through a convolution and batch norm of its own.
    Projected(Convolved, &'a BatchNorm),
}

impl FeatureMap {
    /// Takes a plain tensor `[batch, channels, height, width]`. Differentiable.
    pub fn from_nchw(nchw: Tensor<4>) -> Self {
        if supports(&nchw) {
            Self(Map::Fused(FusedMap::enter(nchw)))
        } else {
            Self(Map::Plain(nchw))
        }
    }

    /// The plain tensor `[batch, channels, height, width]`, for what this crate has no operation
    /// for. What is computed with it cannot be recorded; [`to_features`](Self::to_features) comes
    /// first. Differentiable.
    pub fn to_nchw(&self) -> Tensor<4> {
        match &self.0 {
            Map::Plain(nchw) => nchw.clone(),
            Map::Fused(map) => map.leave(),
            Map::Recorded(value) => value.leave(),
        }
    }

    /// Takes an activation `[batch, channels, height, width]`. Differentiable.
    pub fn from_features(features: Features<4>) -> Self {
        match features.into_kind() {
            Kind::Plain(nchw) => Self::from_nchw(nchw),
            Kind::Recorded(value) => Self(Map::Recorded(value)),
        }
    }

    /// As an activation `[batch, channels, height, width]` that can take other shapes.
    /// Differentiable.
    pub fn to_features(&self) -> Features<4> {
        match &self.0 {
            Map::Recorded(value) => Features::recorded(value.clone()),
            _ => self.to_nchw().into(),
        }
    }

    /// `[batch, channels, height, width]`.
    pub fn dims(&self) -> [usize; 4] {
        match &self.0 {
            Map::Plain(nchw) => nchw.dims(),
            Map::Fused(map) => map.dims(),
            Map::Recorded(value) => value.dims(),
        }
    }

    /// Convolves with the weights `[out, in / groups, kernel, kernel]`, stride, padding and groups
    /// of `conv`, which is made by [`conv`](crate::conv()), and adds its bias, if it has one.
    pub fn conv(&self, conv: &Conv2d) -> Convolved {
        let map = match &self.0 {
            Map::Plain(nchw) => return Convolved(Conv::Plain(plain::conv(nchw.clone(), conv))),
            Map::Recorded(value) => {
                return Convolved(Conv::Recorded(PendingConv::new(value, conv)));
            }
            Map::Fused(map) => map,
        };
        let fused = match &conv.bias {
            None => map.conv(conv),
            Some(_) => map.conv(&Conv2d { bias: None, ..conv.clone() }),
        };
        Convolved(match (fused, &conv.bias) {
            (Some(fused), None) => Conv::Fused(Box::new(fused)),
            (Some(fused), Some(bias)) => {
                let nchw = fused.act(Activation::Identity).leave();
                Conv::Plain(nchw + bias.val().reshape([1, -1, 1, 1]))
            }
            (None, _) => Conv::Plain(plain::conv(self.to_nchw(), conv)),
        })
    }

    /// `activation(norm(self))`, for a batch norm that no convolution precedes: pre-activation. See
    /// [`Convolved::norm`].
    pub fn norm(&self, norm: &BatchNorm, activation: Activation) -> Self {
        if let Map::Recorded(value) = &self.0 {
            return Self(Map::Recorded(value.batch_norm(norm).activate(activation)));
        }
        Self::from_nchw(plain::activate(plain::normalise(self.to_nchw(), norm), activation))
    }

    /// The channels of maps of one size, one after the other. There is at least one map.
    pub fn concat(maps: &[Self]) -> Self {
        Self::from_features(Features::concat(maps.iter().map(Self::to_features).collect(), 1))
    }

    /// The largest value of each `kernel` x `kernel` window; the border is padded with minus
    /// infinity.
    pub fn max_pool(&self, kernel: usize, stride: usize, padding: usize) -> Self {
        match &self.0 {
            Map::Plain(nchw) => {
                Self::from_nchw(plain::max_pool(nchw.clone(), kernel, stride, padding))
            }
            Map::Fused(map) => Self(Map::Fused(map.max_pool(kernel, stride, padding))),
            Map::Recorded(value) => {
                let window = Window { kernel, stride, padding };
                Self(Map::Recorded(value.then(Op::MaxPool(window))))
            }
        }
    }

    /// The mean of each square of `size` x `size` pixels, side by side; at the far borders, of
    /// those pixels of it that there are.
    pub fn average_pool(&self, size: usize) -> Self {
        if let Map::Recorded(value) = &self.0 {
            return Self(Map::Recorded(value.then(Op::AveragePool(size))));
        }
        Self::from_nchw(plain::average_pool(self.to_nchw(), size))
    }

    /// The mean of each channel over all pixels, `[batch, channels]`.
    pub fn global_average(&self) -> Features<2> {
        match &self.0 {
            Map::Plain(nchw) => plain::global_average(nchw.clone()).into(),
            Map::Fused(map) => map.global_average().into(),
            Map::Recorded(value) => Features::recorded(value.then(Op::GlobalAverage)),
        }
    }

    /// Every `stride`-th pixel, with zero channels added evenly before and after up to `channels`:
    /// the parameter-free shortcut of the CIFAR ResNets (option A of He et al. 2016).
    ///
    /// `channels` is not less than the channels there are.
    pub fn subsample_and_pad(&self, stride: usize, channels: usize) -> Self {
        match &self.0 {
            Map::Plain(nchw) => {
                Self::from_nchw(plain::subsample_and_pad(nchw.clone(), stride, channels))
            }
            Map::Fused(map) => Self(Map::Fused(map.subsample_and_pad(stride, channels))),
            Map::Recorded(value) => Self(Map::Recorded(value.subsample_and_pad(stride, channels))),
        }
    }
}

impl Convolved {
    /// `[batch, channels, height, width]`.
    pub fn dims(&self) -> [usize; 4] {
        match &self.0 {
            Conv::Plain(nchw) => nchw.dims(),
            Conv::Fused(conv) => conv.dims(),
            Conv::Recorded(conv) => conv.dims(),
        }
    }

    /// `activation(norm(self) + skip)`.
    ///
    /// While training (autodiff device, norm in training mode) the batch's own statistics
    /// normalise, and the running ones are updated as PyTorch does: with the unbiased variance.
    /// Otherwise the running statistics normalise.
    ///
    /// Within [`with_paths_dropped`](crate::with_paths_dropped) what is added to a skip is left out of
    /// some images.
    pub fn norm(self, norm: &BatchNorm, skip: Skip<'_>, activation: Activation) -> FeatureMap {
        let leaves_out = is_dropping() && !matches!(skip, Skip::None);
        let conv = match self.0 {
            Conv::Plain(_) => return self.norm_apart(norm, skip, activation),
            Conv::Fused(_) if leaves_out => return self.norm_apart(norm, skip, activation),
            Conv::Recorded(conv) => {
                let normed = Features::recorded(conv.record().batch_norm(norm));
                let sum = match skip {
                    Skip::None => normed,
                    Skip::Identity(map) => normed + map.to_features(),
                    Skip::Projected(convolved, its_norm) => {
                        let map = convolved.norm(its_norm, Skip::None, Activation::Identity);
                        normed + map.to_features()
                    }
                };
                return FeatureMap::from_features(match activation {
                    Activation::Identity => sum,
                    Activation::Relu => sum.relu(),
                });
            }
            Conv::Fused(conv) => conv,
        };
        let skip = match skip {
            Skip::None => FusedSkip::None,
            Skip::Identity(FeatureMap(Map::Fused(map))) => FusedSkip::Identity(map),
            Skip::Identity(map) => FusedSkip::Identity(FusedMap::enter(map.to_nchw())),
            Skip::Projected(Convolved(Conv::Fused(conv)), its_norm) => {
                FusedSkip::Projected(*conv, its_norm)
            }
            Skip::Projected(convolved, its_norm) => {
                FusedSkip::Identity(FusedMap::enter(convolved.normed(its_norm)))
            }
        };
        FeatureMap(Map::Fused(conv.norm(norm, skip, activation)))
    }

    /// The same by operations on plain tensors, between which images may be left out.
    fn norm_apart(self, norm: &BatchNorm, skip: Skip<'_>, activation: Activation) -> FeatureMap {
        let normed = self.normed(norm);
        let sum = match skip {
            Skip::None => normed,
            Skip::Identity(map) => dropped(normed) + map.to_nchw(),
            Skip::Projected(convolved, its_norm) => dropped(normed) + convolved.normed(its_norm),
        };
        FeatureMap::from_nchw(plain::activate(sum, activation))
    }

    /// `activation(self)`, for a layer without batch norm.
    pub fn act(self, activation: Activation) -> FeatureMap {
        match self.0 {
            Conv::Plain(nchw) => FeatureMap::from_nchw(plain::activate(nchw, activation)),
            Conv::Fused(conv) => FeatureMap(Map::Fused(conv.act(activation))),
            Conv::Recorded(conv) => FeatureMap(Map::Recorded(conv.record().activate(activation))),
        }
    }

    /// The plain tensor after a batch norm alone.
    fn normed(self, norm: &BatchNorm) -> Tensor<4> {
        match self.0 {
            Conv::Plain(nchw) => plain::normalise(nchw, norm),
            conv => Self(conv).norm(norm, Skip::None, Activation::Identity).to_nchw(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{batch_norm, conv, with_bias};
    use burn::tensor::{Device, TensorData};
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    fn waves(shape: [usize; 4]) -> Tensor<4> {
        let numbers: Vec<f32> =
            (0..shape.iter().product()).map(|i: usize| (0.7 * i as f32).sin()).collect();
        Tensor::from_data(TensorData::new(numbers, shape), &Device::flex())
    }

    fn numbers(tensor: Tensor<4>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn a_bias_is_added_to_a_fast_convolution() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let image = waves([2, 3, 7, 5]);
        for (kernel, stride) in [(1, 1), (3, 1), (3, 2), (5, 1)] {
            let bare = conv([3, 9], kernel, stride, &mut rng, &Device::flex());
            let conv = with_bias(bare, &mut rng);
            let fast = FeatureMap::from_nchw(image.clone()).conv(&conv).act(Activation::Relu);
            let plain = plain::activate(plain::conv(image.clone(), &conv), Activation::Relu);
            for (fast, plain) in numbers(fast.to_nchw()).into_iter().zip(numbers(plain)) {
                assert!((fast - plain).abs() < 1e-5, "{kernel} {stride}: {fast} against {plain}");
            }
        }
    }

    #[test]
    fn maps_are_normalised_alone_and_put_side_by_side() {
        let map = FeatureMap::from_nchw(waves([2, 3, 4, 5]));
        let norm = batch_norm(3, &Device::flex());
        // Mean 0 and variance 1 are assumed until a batch has been seen.
        let scale = 1.0 / (1.0f32 + 1e-5).sqrt();
        let both = FeatureMap::concat(&[map.norm(&norm, Activation::Relu), map.clone()]);
        assert_eq!(both.dims(), [2, 6, 4, 5]);
        let (images, both) = (numbers(map.to_nchw()), numbers(both.to_nchw()));
        for (image, both) in images.chunks(60).zip(both.chunks(120)) {
            assert_eq!(image, &both[60..]);
            for (value, normed) in image.iter().zip(&both[..60]) {
                assert!((value.max(0.0) * scale - normed).abs() < 1e-6);
            }
        }
    }
}
