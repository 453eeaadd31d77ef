//! Sizes that real data sets have, memory that holds anything, values that are no numbers, and
//! gradients by finite differences.

use burn::tensor::{Device, Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::buffer::poison;
use super::layer_tests::{difference, numbers, random, random_norm};
use crate::{Activation::Relu, FeatureMap, Skip, conv, plain};

/// A stem, a pooling and a residual block, on `shape` images, evaluated by both paths.
fn compare(shape: [usize; 4], width: usize, stem: (usize, usize)) {
    let device = Device::flex();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let x = random(shape, &mut rng, &device);
    let convs = [
        conv([shape[1], width], stem.0, stem.1, &mut rng, &device),
        conv([width, width], 3, 1, &mut rng, &device),
        conv([width, 2 * width], 3, 2, &mut rng, &device),
        conv([width, 2 * width], 1, 2, &mut rng, &device),
    ];
    let norms = [width, width, 2 * width, 2 * width].map(|c| random_norm(c, &mut rng, &device));

    let map = FeatureMap::from_nchw(x.clone()).conv(&convs[0]);
    let map = map.norm(&norms[0], Skip::None, Relu).max_pool(3, 2, 1);
    let map = map.conv(&convs[1]).norm(&norms[1], Skip::Identity(map), Relu);
    let skip = Skip::Projected(map.conv(&convs[3]), &norms[3]);
    let ours = map.conv(&convs[2]).norm(&norms[2], skip, Relu).to_nchw();

    let layer =
        |x: &Tensor<4>, i: usize| plain::normalise(plain::conv(x.clone(), &convs[i]), &norms[i]);
    let x = plain::max_pool(plain::activate(layer(&x, 0), Relu), 3, 2, 1);
    let x = plain::activate(layer(&x, 1) + x, Relu);
    let theirs = plain::activate(layer(&x, 2) + layer(&x, 3), Relu);
    assert!(difference(&ours, &theirs) < 1e-4, "{shape:?}");
}

#[test]
fn digits_mnist_cifar_and_imagenet() {
    compare([3, 1, 8, 8], 4, (3, 1));
    compare([33, 1, 28, 28], 10, (3, 1));
    compare([1, 3, 32, 32], 16, (3, 1));
    compare([1, 3, 224, 224], 16, (7, 2));
    compare([2, 3, 21, 40], 24, (7, 2));
}

#[test]
fn what_buffers_held_before_does_not_matter() {
    let device = Device::flex().autodiff();
    let run = || {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let x = random([3, 5, 9, 11], &mut rng, &device).require_grad();
        let convs = [[5, 16], [16, 16]].map(|c| conv(c, 3, 1, &mut rng, &device));
        let norms = [16, 16].map(|c| random_norm(c, &mut rng, &device));
        let map = FeatureMap::from_nchw(x.clone()).conv(&convs[0]);
        let map = map.norm(&norms[0], Skip::None, Relu).max_pool(3, 2, 1);
        let map = map.conv(&convs[1]).norm(&norms[1], Skip::Identity(map), Relu);
        let out = map.subsample_and_pad(2, 20).to_nchw();
        let gradients = out.clone().powi_scalar(2).sum().backward();
        (numbers(&out), numbers(&x.grad(&gradients).unwrap()))
    };
    let first = run();
    for _ in 0..3 {
        poison();
        assert_eq!(run(), first);
    }
}

#[test]
fn what_is_not_a_number_stays_visible() {
    let device = Device::flex();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let conv = conv([1, 16], 3, 1, &mut rng, &device);
    let norm = random_norm(16, &mut rng, &device);
    let x = Tensor::<4>::full([1, 1, 8, 8], f32::NAN, &device);
    let out = FeatureMap::from_nchw(x).conv(&conv).norm(&norm, Skip::None, Relu);
    assert!(numbers(&out.max_pool(2, 2, 0).to_nchw()).iter().all(|v| v.is_nan()));
}

#[test]
fn gradients_agree_with_finite_differences() {
    let device = Device::flex().autodiff();
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let conv = conv([2, 3], 3, 2, &mut rng, &device);
    let projection = crate::conv([2, 3], 1, 2, &mut rng, &device);
    let norms = [3, 3].map(|c| random_norm(c, &mut rng, &device));
    let start = random([2, 2, 6, 7], &mut rng, &device);
    let factors = random([2, 3, 3, 4], &mut rng, &device);
    let loss = |x: &Tensor<4>| {
        let map = FeatureMap::from_nchw(x.clone());
        let skip = Skip::Projected(map.conv(&projection), &norms[1]);
        let out = map.conv(&conv).norm(&norms[0], skip, crate::Activation::Identity);
        (out.to_nchw() * factors.clone()).sum()
    };
    let x = start.require_grad();
    let gradient = numbers(&x.grad(&loss(&x).backward()).unwrap());
    let values = numbers(&x);
    let at = |index: usize, step: f32| {
        let mut moved = values.clone();
        moved[index] += step;
        let moved = Tensor::from_data(TensorData::new(moved, [2, 2, 6, 7]), &device);
        f64::from(numbers(&loss(&moved))[0])
    };
    for index in (0..values.len()).step_by(5) {
        let slope = (at(index, 1e-2) - at(index, -1e-2)) / 2e-2;
        let gradient = f64::from(gradient[index]);
        assert!((slope - gradient).abs() < 2e-2 * gradient.abs().max(1.0), "{slope} {gradient}");
    }
}
