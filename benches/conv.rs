//! Single convolutions on one thread: criterion's own statistics, with floating-point operations
//! as elements, and beforehand a table of GFLOP/s and of their share of the measured peak.
//!
//! Operations are counted as for the direct sum, so that Winograd's may exceed the peak. `train` is
//! the forward pass and both gradients.

#![allow(clippy::print_stdout, missing_docs, reason = "a benchmark")]
#![allow(unsafe_code, reason = "the peak is measured with the CPU's own registers")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use autogrow_kernels::{Activation, Convolution, FeatureMap, conv, set_convolution};
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Distribution, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const BATCH: usize = 32;

/// Channels in and out, size, kernel, stride.
const SHAPES: [[usize; 5]; 9] = [
    [3, 16, 32, 3, 1],
    [16, 16, 32, 3, 1],
    [16, 32, 32, 3, 2],
    [32, 32, 16, 3, 1],
    [64, 64, 8, 3, 1],
    [64, 64, 32, 3, 1],
    [128, 128, 16, 3, 1],
    [512, 512, 4, 3, 1],
    [256, 64, 32, 1, 1],
];

struct Case {
    images: Tensor<4>,
    conv: Conv2d,
    flops: f64,
}

impl Case {
    fn new([inputs, outputs, size, kernel, stride]: [usize; 5], device: &Device) -> Self {
        let conv =
            conv([inputs, outputs], kernel, stride, &mut ChaCha8Rng::seed_from_u64(0), device);
        let shape = [BATCH, inputs, size, size];
        let images = Tensor::random(shape, Distribution::Normal(0.0, 1.0), device);
        let pixels = BATCH * (size / stride).pow(2);
        Self { images, conv, flops: (2 * pixels * inputs * outputs * kernel * kernel) as f64 }
    }

    fn forward(&self, map: &FeatureMap) -> FeatureMap {
        map.conv(&self.conv).act(Activation::Identity)
    }

    fn train(&self) {
        let map = FeatureMap::from_nchw(self.images.clone().require_grad());
        black_box(self.forward(&map).global_average().into_tensor().sum().backward());
    }
}

fn name([inputs, outputs, size, kernel, stride]: [usize; 5], method: Convolution) -> String {
    format!("{inputs} to {outputs} at {size}x{size}, {kernel}x{kernel}/{stride}, {method:?}")
}

/// The shortest of some runs, in seconds.
fn shortest(mut run: impl FnMut()) -> f64 {
    let times = (0..15).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

/// GFLOP/s of fused multiply-adds in registers.
fn peak() -> f64 {
    const ROUNDS: usize = 1 << 20;
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::*;

        #[target_feature(enable = "avx2,fma")]
        fn rounds() -> __m256 {
            let factor = black_box(_mm256_set1_ps(0.5));
            let mut sums = [factor; 12];
            for _ in 0..ROUNDS {
                for sum in &mut sums {
                    *sum = _mm256_fmadd_ps(*sum, factor, factor);
                }
            }
            sums.into_iter().fold(factor, |a, b| _mm256_add_ps(a, b))
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the CPU has both features.
            let seconds = shortest(|| {
                black_box(unsafe { rounds() });
            });
            return (ROUNDS * 12 * 16) as f64 / seconds / 1e9;
        }
    }
    let seconds = shortest(|| {
        let factor = black_box(0.5_f32);
        let mut sums = [factor; 32];
        for _ in 0..ROUNDS {
            sums = sums.map(|sum| sum * factor + factor);
        }
        black_box(sums);
    });
    (ROUNDS * 32 * 2) as f64 / seconds / 1e9
}

fn convolutions(criterion: &mut Criterion) {
    // `cargo test` runs benchmarks once, to see that they work.
    let table = std::env::args().any(|argument| argument == "--bench");
    let peak = if table { peak() } else { 0.0 };
    println!("peak of fused multiply-adds: {peak:.0} GFLOP/s");
    let (plain, autodiff) = (Device::flex(), Device::flex().autodiff());
    for method in [Convolution::Direct, Convolution::Winograd] {
        set_convolution(method);
        for shape in SHAPES {
            // Every other convolution is direct either way.
            if method == Convolution::Winograd && shape[3..] != [3, 1] {
                continue;
            }
            let (case, training) = (Case::new(shape, &plain), Case::new(shape, &autodiff));
            let map = FeatureMap::from_nchw(case.images.clone());
            if table {
                let forward = case.flops / 1e9 / shortest(|| drop(black_box(case.forward(&map))));
                let train = 3.0 * case.flops / 1e9 / shortest(|| training.train());
                println!(
                    "{:46} forward {forward:4.0} GFLOP/s ({:3.0} %), train {train:4.0} ({:3.0} %)",
                    name(shape, method),
                    100.0 * forward / peak,
                    100.0 * train / peak,
                );
            }
            for (job, factor) in [("forward", 1.0), ("train", 3.0)] {
                let mut group = criterion.benchmark_group(job);
                group.warm_up_time(Duration::from_millis(200));
                group.measurement_time(Duration::from_secs(1)).sample_size(10);
                group.throughput(Throughput::Elements((factor * case.flops) as u64));
                let id = BenchmarkId::from_parameter(name(shape, method));
                group.bench_function(id, |bencher| {
                    bencher.iter(|| match job {
                        "forward" => drop(black_box(case.forward(&map))),
                        _ => training.train(),
                    });
                });
                group.finish();
            }
        }
    }
}

fn one_thread(criterion: &mut Criterion) {
    // The pool may exist already, if the harness runs this twice.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    convolutions(criterion);
}

criterion_group!(benches, one_thread);
criterion_main!(benches);
