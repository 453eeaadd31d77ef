//! Layers of random shapes against Burn's own operations: values, every gradient, and the running
//! statistics.

use burn::module::{Param, ParamId, RunningState};
use burn::nn::{BatchNorm, conv::Conv2d};
use burn::tensor::{DType, Device, Tensor, TensorData};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{Activation, FeatureMap, Skip, batch_norm, conv, plain};

/// The largest difference, relative to the largest value, or to 1 if all values are smaller: they
/// are sums of terms near 1, and may be small by cancellation.
pub(super) fn difference<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let (a, b) = (numbers(a), numbers(b));
    let largest = b.iter().fold(1.0_f32, |max, v| max.max(v.abs()));
    let pairs = a.iter().zip(&b);
    pairs.fold(
        0.0_f32,
        |max, (a, b)| {
            if (a - b).is_nan() { f32::NAN } else { max.max((a - b).abs()) }
        },
    ) / largest
}

pub(super) fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().convert::<f32>().try_to_vec().unwrap()
}

pub(super) fn random<const D: usize>(
    shape: [usize; D],
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Tensor<D> {
    let values = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_data(TensorData::new::<f32, _>(values, shape), device)
}

/// Asks for a gradient where there can be one.
pub(super) fn leaf(tensor: Tensor<4>) -> Tensor<4> {
    if tensor.device().is_autodiff() { tensor.require_grad() } else { tensor }
}

/// A batch norm with parameters and running statistics that are not all the same.
pub(super) fn random_norm(channels: usize, rng: &mut ChaCha8Rng, device: &Device) -> BatchNorm {
    let norm = batch_norm(channels, device);
    let gamma = random([channels], rng, device) + 1.5;
    let beta = random([channels], rng, device);
    norm.running_mean.update(random([channels], rng, device));
    norm.running_var.update(random([channels], rng, device) + 1.5);
    let parameter = |tensor: Tensor<1>| Param::from_data(tensor.into_data(), device);
    BatchNorm { gamma: parameter(gamma), beta: parameter(beta), ..norm }
}

/// The same norm with running statistics of its own.
pub(super) fn twin(norm: &BatchNorm) -> BatchNorm {
    let copy = batch_norm(norm.gamma.val().dims()[0], &norm.gamma.val().device());
    copy.running_mean.update(norm.running_mean.value_sync());
    copy.running_var.update(norm.running_var.value_sync());
    BatchNorm {
        gamma: norm.gamma.clone(),
        beta: norm.beta.clone(),
        training: norm.training.clone(),
        ..copy
    }
}

/// A parameter in double precision that passes its gradient on.
fn double<const D: usize>(parameter: &Param<Tensor<D>>) -> Param<Tensor<D>> {
    Param::initialized(ParamId::new(), parameter.val().cast(DType::F64))
}

fn double_conv(conv: &Conv2d) -> Conv2d {
    Conv2d { weight: double(&conv.weight), ..conv.clone() }
}

/// A norm in double precision, with running statistics of its own.
fn double_norm(norm: &BatchNorm) -> BatchNorm {
    BatchNorm {
        gamma: double(&norm.gamma),
        beta: double(&norm.beta),
        running_mean: RunningState::new(norm.running_mean.value_sync().cast(DType::F64)),
        running_var: RunningState::new(norm.running_var.value_sync().cast(DType::F64)),
        ..norm.clone()
    }
}

#[derive(Clone, Copy, Debug)]
enum Shortcut {
    None,
    Identity,
    Projected,
}

#[derive(Clone, Debug)]
struct Case {
    batch: usize,
    channels: [usize; 2],
    size: [usize; 2],
    kernel: usize,
    stride: usize,
    shortcut: Shortcut,
    relu: bool,
    frozen_norm: bool,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let channels = prop_oneof![1_usize..10, Just(16), Just(24), Just(32)];
    let shortcut =
        prop_oneof![Just(Shortcut::None), Just(Shortcut::Identity), Just(Shortcut::Projected)];
    let kernel = prop_oneof![Just(1_usize), Just(3), Just(3), Just(5), Just(7)];
    (
        (
            prop_oneof![9 => 1_usize..6, 1 => Just(33)],
            channels.clone(),
            channels,
            3_usize..13,
            3_usize..13,
        ),
        (kernel, 1_usize..3, shortcut, any::<bool>(), prop::bool::weighted(0.2), any::<u64>()),
    )
        .prop_map(|((batch, c0, c1, height, width), rest)| {
            let (kernel, stride, shortcut, relu, frozen_norm, seed) = rest;
            Case {
                batch,
                channels: [c0, c1],
                size: [height, width],
                kernel,
                stride,
                shortcut,
                relu,
                frozen_norm,
                seed,
            }
        })
}

/// Input, convolution, norm, projection and its norm.
struct Parts {
    x: Tensor<4>,
    conv: Conv2d,
    norm: BatchNorm,
    skip: Tensor<4>,
    projection: Conv2d,
    its_norm: BatchNorm,
}

impl Case {
    fn parts(&self, device: &Device) -> Parts {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let [inputs, outputs] = self.channels;
        let x = random([self.batch, inputs, self.size[0], self.size[1]], &mut rng, device);
        let conv = conv([inputs, outputs], self.kernel, self.stride, &mut rng, device);
        let out = plain::conv(x.clone(), &conv).dims();
        let mut norm = random_norm(outputs, &mut rng, device);
        let mut its_norm = random_norm(outputs, &mut rng, device);
        if self.frozen_norm {
            norm.training = Param::from_bool(false);
            its_norm.training = Param::from_bool(false);
        }
        Parts {
            x: leaf(x),
            conv,
            norm,
            skip: leaf(random(out, &mut rng, device)),
            projection: crate::conv([inputs, outputs], 1, self.stride, &mut rng, device),
            its_norm,
        }
    }

    fn fused(&self, parts: &Parts, norms: [&BatchNorm; 2]) -> Tensor<4> {
        let map = FeatureMap::from_nchw(parts.x.clone());
        let skip = match self.shortcut {
            Shortcut::None => Skip::None,
            Shortcut::Identity => Skip::Identity(FeatureMap::from_nchw(parts.skip.clone())),
            Shortcut::Projected => Skip::Projected(map.conv(&parts.projection), norms[1]),
        };
        map.conv(&parts.conv).norm(norms[0], skip, self.activation()).to_nchw()
    }

    /// Before and after the activation, in double precision.
    fn plain(&self, parts: &Parts, norms: [&BatchNorm; 2]) -> [Tensor<4>; 2] {
        let x = parts.x.clone().cast(DType::F64);
        let conv = |conv| plain::conv(x.clone(), &double_conv(conv));
        let normed = plain::normalise(conv(&parts.conv), norms[0]);
        let sum = match self.shortcut {
            Shortcut::None => normed,
            Shortcut::Identity => normed + parts.skip.clone().cast(DType::F64),
            Shortcut::Projected => normed + plain::normalise(conv(&parts.projection), norms[1]),
        };
        [sum.clone(), plain::activate(sum, self.activation())]
    }

    /// How far the outputs may be from Burn's: Winograd loses a few bits.
    fn tolerance(&self) -> f32 {
        let [height, width] = self.size;
        let winograd = (self.kernel, self.stride) == (3, 1)
            && self.channels.iter().min() >= Some(&8)
            && height.min(width) >= 4;
        if winograd { 1e-4 } else { 1e-5 }
    }

    fn activation(&self) -> Activation {
        if self.relu { Activation::Relu } else { Activation::Identity }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_layer_trains_as_burn_does(case in cases()) {
        let device = Device::flex().autodiff();
        let parts = case.parts(&device);
        // With few values per channel the norm magnifies the rounding of both sides.
        let [batch, _, height, width] = parts.skip.dims();
        prop_assume!(case.frozen_norm || batch * height * width > 15);
        let twins = [double_norm(&parts.norm), double_norm(&parts.its_norm)];
        let fused = case.fused(&parts, [&parts.norm, &parts.its_norm]);
        let [before, plain] = case.plain(&parts, [&twins[0], &twins[1]]);
        // A value at the kink may fall on either side.
        prop_assume!(!case.relu || numbers(&before).iter().all(|v| v.abs() > 1e-4));
        prop_assert!(difference(&fused, &plain) < case.tolerance());

        let mut rng = ChaCha8Rng::seed_from_u64(case.seed + 1);
        let factors = random(plain.dims(), &mut rng, &device);
        let fused = (fused * factors.clone()).sum().backward();
        let plain = (plain * factors.cast(DType::F64)).sum().backward();
        macro_rules! same {
            ($tensor:expr) => {
                let tensor = $tensor;
                match (tensor.grad(&fused), tensor.grad(&plain)) {
                    (Some(fused), Some(plain)) => {
                        let difference = difference(&fused, &plain);
                        prop_assert!(difference < 2.0 * case.tolerance(), "{}: {difference}", stringify!($tensor));
                    }
                    (None, None) => {}
                    _ => prop_assert!(false, "{} has a gradient in one only", stringify!($tensor)),
                }
            };
        }
        same!(&parts.x);
        // A single weight before a batch norm has no effect: its gradient is rounding alone.
        if case.channels[0] * case.kernel > 1 {
            same!(parts.conv.weight.val());
        }
        same!(parts.norm.gamma.val());
        same!(parts.norm.beta.val());
        same!(&parts.skip);
        if case.channels[0] > 1 {
            same!(parts.projection.weight.val());
        }
        same!(parts.its_norm.gamma.val());
        same!(parts.its_norm.beta.val());

        let running = |norm: &BatchNorm| [norm.running_mean.value_sync(), norm.running_var.value_sync()];
        for (norm, twin) in [&parts.norm, &parts.its_norm].into_iter().zip(&twins) {
            for (ours, theirs) in running(norm).into_iter().zip(running(twin)) {
                prop_assert!(difference(&ours, &theirs) < 1e-5);
            }
        }
    }

    #[test]
    fn a_layer_evaluates_as_burn_does(case in cases()) {
        let device = Device::flex();
        let parts = case.parts(&device);
        let norms = [&parts.norm, &parts.its_norm];
        let doubled = norms.map(double_norm);
        let [_, plain] = case.plain(&parts, doubled.each_ref());
        prop_assert!(difference(&case.fused(&parts, norms), &plain) < case.tolerance());
    }
}
