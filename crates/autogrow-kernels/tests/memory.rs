//! Once warm, a training step takes its large buffers from the pool: memory stays flat.

#![allow(unsafe_code, reason = "allocations are counted by the allocator itself")]
#![expect(clippy::unwrap_used, reason = "a layer without a gradient is a failure")]

use autogrow_kernels::{Activation, FeatureMap, Sgd, Skip, batch_norm, conv};
use burn::nn::{BatchNorm, conv::Conv2d};
use burn::tensor::{Device, Distribution, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

/// The system's allocator, counting.
struct Counting;

/// Allocations of at least [`LARGE`] bytes so far.
static LARGE_ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

/// Bytes in use.
static IN_USE: AtomicIsize = AtomicIsize::new(0);

/// Activations of the network below have a multiple of this; parameters and what autodiff keeps of
/// an operation are smaller.
const LARGE: usize = 64 << 10;

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() >= LARGE {
            LARGE_ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        IN_USE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Layer {
    conv: Conv2d,
    norm: BatchNorm,
    momentum: Option<Tensor<4>>,
}

impl Layer {
    fn apply(&self, map: &FeatureMap, skip: Skip<'_>) -> FeatureMap {
        map.conv(&self.conv).norm(&self.norm, skip, Activation::Relu)
    }
}

/// A stem, a residual block, a reduction without shortcut.
fn step(layers: &mut [Layer; 4], images: &Tensor<4>) {
    let stem = layers[0].apply(&FeatureMap::from_nchw(images.clone()), Skip::None);
    let inner = layers[1].apply(&stem, Skip::None);
    let block = layers[2].apply(&inner, Skip::Identity(stem));
    let loss =
        layers[3].apply(&block, Skip::None).global_average().into_tensor().powi_scalar(2).sum();
    let gradients = loss.backward();
    let sgd = Sgd { learning_rate: 0.01, momentum: 0.9, weight_decay: 1e-4 };
    for layer in layers {
        let weight = layer.conv.weight.val();
        let gradient = weight.grad(&gradients).unwrap();
        let (weight, momentum) = sgd.step(weight.inner(), gradient, layer.momentum.take());
        layer.momentum = Some(momentum);
        layer.conv.weight =
            layer.conv.weight.clone().map(|_| Tensor::from_inner(weight).require_grad());
    }
}

#[test]
fn a_warm_step_allocates_nothing_large_and_keeps_nothing() {
    // Each thread has buffers of its own, and on a busy machine a second one may take its first part
    // of the work after any number of steps.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let device = Device::flex().autodiff();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut layer = |channels: [usize; 2], stride| Layer {
        conv: conv(channels, 3, stride, &mut rng, &device),
        norm: batch_norm(channels[1], &device),
        momentum: None,
    };
    let mut layers =
        [layer([3, 16], 1), layer([16, 16], 1), layer([16, 16], 1), layer([16, 32], 2)];
    let images = Tensor::random([32, 3, 32, 32], Distribution::Normal(0.0, 1.0), &Device::flex());
    let images = Tensor::from_inner(images);
    let mut seen = Vec::new();
    for _ in 0..12 {
        let before = LARGE_ALLOCATIONS.load(Ordering::Relaxed);
        step(&mut layers, &images);
        let large = LARGE_ALLOCATIONS.load(Ordering::Relaxed) - before;
        seen.push((large, IN_USE.load(Ordering::Relaxed)));
    }
    assert!(seen[0].0 > 4, "nothing large was ever allocated: this counts nothing: {seen:?}");
    let warm = &seen[4..];
    assert!(warm.iter().all(|(large, _)| *large == 0), "{seen:?}");
    let (least, most) = warm
        .iter()
        .fold((isize::MAX, 0), |(least, most), (_, bytes)| (least.min(*bytes), most.max(*bytes)));
    assert!(most - least < LARGE as isize, "{seen:?}");
}
