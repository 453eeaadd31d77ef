//! The fast path at the level of tensors and modules.

use std::sync::{Arc, OnceLock};

use burn::backend::{Dispatch, DispatchDevice};
use burn::nn::{BatchNorm, PaddingConfig2d, conv::Conv2d};
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::conv::Methods;
use super::ends::{Average, Enter, Leave};
use super::extension::{FusedOps, LayerCall, MapOperation};
use super::extent::Extent;
use super::geometry::Shape;
use super::layer::{Computed, Kept, Layer, Norm};
use super::map::Map;
use super::pool::{MaxPool, Subsample, Window};
use super::standardise::Standardise;
use super::statistics::Statistics;
use crate::activation::Activation;
use crate::layers::out_size;
use crate::peers::{Peers, peers};
use crate::running::{blend, goes_by_batch};
use crate::simd::bf16::{Engine, engine};

/// A map and its token in the autodiff graph.
#[derive(Clone, Debug)]
pub(crate) struct FusedMap {
    token: Tensor<1>,
    map: Arc<Map>,
}

/// A convolution to be computed with its norm.
#[derive(Debug)]
pub(crate) struct FusedConv {
    input: FusedMap,
    weight: Tensor<4>,
    shape: Shape,
}

/// What is added before the activation.
#[allow(clippy::large_enum_variant, reason = "passed on at once")]
pub(crate) enum FusedSkip<'a> {
    None,
    Identity(FusedMap),
    Projected(FusedConv, &'a BatchNorm),
}

/// Whether the fast path computes with this tensor.
pub(crate) fn supports<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype() == DType::F32 && is_flex(&tensor.device())
}

/// Whether batch norms on this device can take their statistics over several processes.
pub fn supports_peers(device: &Device) -> bool {
    is_flex(device)
}

/// Whether layers on this device are computed with the processor's instructions for bf16: AMX where
/// the system permits it, else AVX-512 BF16. The two add in different orders, so that sums differ in
/// their last bits. Elsewhere [`Precision::Bf16`](crate::Precision::Bf16) is of no use: on Flex slow,
/// on other devices without effect.
pub fn supports_bf16(device: &Device) -> bool {
    is_flex(device) && engine() != Engine::Portable
}

/// Whether the fast path computes on this device. It computes at once: whoever reads from it waits for
/// nothing.
pub fn is_flex(device: &Device) -> bool {
    matches!(device.clone().inner().as_dispatch(), DispatchDevice::Flex(_))
}

impl FusedMap {
    pub(crate) fn enter(nchw: Tensor<4>) -> Self {
        let extent = Extent::new(nchw.dims());
        let enter = Arc::new(Enter { extent, map: OnceLock::new() });
        let token = Dispatch::fused_entry(nchw.into_dispatch(), enter.clone());
        match enter.map.get() {
            Some(map) => Self { token: Tensor::from_dispatch(token), map: map.clone() },
            None => unreachable!("an entry makes its map"),
        }
    }

    pub(crate) fn leave(&self) -> Tensor<4> {
        self.apply(Arc::new(Leave(self.map.clone())))
    }

    pub(crate) fn dims(&self) -> [usize; 4] {
        self.map.extent.dims()
    }

    /// `(x - mean) / sqrt(variance + epsilon)` by the statistics of all peers' batches, as a plain
    /// tensor, and those statistics.
    pub(crate) fn standardise(
        &self,
        epsilon: f64,
        peers: Arc<dyn Peers>,
    ) -> (Tensor<4>, Statistics) {
        let operation = Arc::new(Standardise::new(self.map.clone(), epsilon, peers));
        (self.apply(operation.clone()), operation.statistics.clone())
    }

    fn apply<const D: usize>(&self, operation: Arc<dyn MapOperation>) -> Tensor<D> {
        let token = self.token.clone().into_dispatch();
        Tensor::from_dispatch(Dispatch::fused_map(token, operation))
    }

    /// The convolution, if it is of the kind that the fast path knows.
    pub(crate) fn conv(&self, conv: &Conv2d) -> Option<FusedConv> {
        let weight = conv.weight.val();
        let [channels, inputs, kernel, width] = weight.dims();
        let padding = match &conv.padding {
            PaddingConfig2d::Explicit(top, left, bottom, right)
                if [left, bottom, right].into_iter().all(|p| p == top) =>
            {
                *top
            }
            PaddingConfig2d::Valid => 0,
            _ => return None,
        };
        let [_, own, height, image_width] = self.dims();
        let known = kernel == width
            && inputs == own
            && conv.stride[0] == conv.stride[1]
            && conv.dilation == [1, 1]
            && conv.groups == 1
            && conv.bias.is_none()
            && padding < kernel
            && kernel <= height.min(image_width) + 2 * padding
            && supports(&weight);
        known.then(|| FusedConv {
            shape: Shape::new(self.map.extent, channels, kernel, conv.stride[0], padding),
            input: self.clone(),
            weight,
        })
    }

    pub(crate) fn max_pool(&self, kernel: usize, stride: usize, padding: usize) -> Self {
        let source = self.map.clone();
        let size = |size| out_size(size, kernel, stride, padding);
        let Extent { height, width, .. } = source.extent;
        let extent = Extent { height: size(height), width: size(width), ..source.extent };
        let window = Window { kernel, stride, padding };
        let target = Arc::new(window.pool(&source, extent));
        let token = self.apply(Arc::new(MaxPool { source, target: target.clone(), window }));
        Self { token, map: target }
    }

    pub(crate) fn global_average(&self) -> Tensor<2> {
        self.apply(Arc::new(Average(self.map.clone())))
    }

    pub(crate) fn subsample_and_pad(&self, stride: usize, channels: usize) -> Self {
        let source = self.map.clone();
        let before = (channels - source.extent.channels) / 2;
        let Extent { images, height, width, .. } = source.extent;
        let (height, width) = (height.div_ceil(stride), width.div_ceil(stride));
        let extent = Extent { images, channels, height, width };
        let target = Arc::new(Subsample::sample(&source, extent, stride, before));
        let operation = Subsample { source, target: target.clone(), stride, before };
        Self { token: self.apply(Arc::new(operation)), map: target }
    }
}

impl FusedConv {
    pub(crate) fn dims(&self) -> [usize; 4] {
        self.shape.output.dims()
    }

    pub(crate) fn norm(
        self,
        norm: &BatchNorm,
        skip: FusedSkip<'_>,
        activation: Activation,
    ) -> FusedMap {
        let skip = match skip {
            FusedSkip::None => None,
            FusedSkip::Identity(map) => Some(map),
            FusedSkip::Projected(conv, its_norm) => {
                Some(conv.layer(Some(its_norm), None, Activation::Identity, true))
            }
        };
        self.layer(Some(norm), skip, activation, false)
    }

    pub(crate) fn act(self, activation: Activation) -> FusedMap {
        self.layer(None, None, activation, false)
    }

    fn layer(
        self,
        norm: Option<&BatchNorm>,
        skip: Option<FusedMap>,
        activation: Activation,
        projection: bool,
    ) -> FusedMap {
        let Self { input, weight, shape } = self;
        if let Some(skip) = &skip {
            assert_eq!(skip.dims(), shape.output.dims(), "a skip of another size");
        }
        let autodiff = input.token.device().is_autodiff() || weight.device().is_autodiff();
        let layer = Layer {
            input: input.map,
            shape,
            methods: Methods::of(&shape),
            norm: norm.map_or(Norm::None, |norm| how_to_normalise(norm, shape.output, autodiff)),
            skip: skip.as_ref().map(|skip| skip.map.clone()),
            relu: activation == Activation::Relu,
            projection,
        };
        let by_batch = matches!(layer.norm, Norm::Batch { .. });
        let computed = Arc::new(OnceLock::new());
        let absent = || Tensor::<1>::zeros([1], &Device::flex());
        let (gamma, beta) = match norm {
            Some(norm) => (norm.gamma.val(), norm.beta.val()),
            None => (absent(), absent()),
        };
        let token = Dispatch::fused_layer(
            input.token.into_dispatch(),
            weight.into_dispatch(),
            gamma.into_dispatch(),
            beta.into_dispatch(),
            skip.map_or_else(absent, |skip| skip.token).into_dispatch(),
            LayerCall { layer, computed: computed.clone() },
        );
        let token = Tensor::from_dispatch(token);
        let Some(Computed { map, kept }) = computed.get() else {
            unreachable!("the operation computes its layer")
        };
        if let (true, Some(norm), Some(Kept { statistics: Some(statistics), .. })) =
            (by_batch, norm, kept)
        {
            update_running(norm, statistics, shape.output.channels, &token.device());
        }
        FusedMap { token, map: map.clone() }
    }
}

/// By the batch's own statistics or the running ones, see [`goes_by_batch`].
fn how_to_normalise(norm: &BatchNorm, extent: Extent, autodiff: bool) -> Norm {
    let epsilon = norm.epsilon;
    if goes_by_batch(norm, autodiff) {
        return Norm::Batch { epsilon, peers: peers() };
    }
    let [mean, variance] = [&norm.running_mean, &norm.running_var].map(|running| {
        // The fast path is taken for f32 weights, whose norms are f32 too.
        running.value_sync().into_data().try_to_vec::<f32>().unwrap_or_default()
    });
    Norm::Fixed(Statistics::fixed(extent, &mean, &variance, epsilon))
}

/// Blends the batch's statistics into the running ones, as PyTorch does: the unbiased variance.
pub(crate) fn update_running(
    norm: &BatchNorm,
    batch: &Statistics,
    channels: usize,
    device: &Device,
) {
    let count = batch.count as f64;
    let unbiased = (count / (count - 1.0).max(1.0)) as f32;
    let mean = batch.mean[..channels].to_vec();
    let variance = batch.variance[..channels].iter().map(|v| v * unbiased).collect::<Vec<_>>();
    let tensor = |values| Tensor::<1>::from_data(TensorData::new(values, [channels]), device);
    blend(norm, tensor(mean), tensor(variance));
}
