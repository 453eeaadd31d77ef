//! The choices of the algorithm and of the precision, made for one thread.

use autogrow_kernels::{Activation, Convolution, FeatureMap, Precision, Skip, batch_norm, conv};
use autogrow_kernels::{set_convolution, set_precision};
use burn::tensor::{Device, Distribution, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[test]
fn the_algorithm_is_chosen_for_one_thread() {
    let device = Device::flex();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let images = Tensor::random([2, 32, 12, 12], Distribution::Normal(0.0, 1.0), &device);
    let map = FeatureMap::from_nchw(images);
    let (conv, norm) = (conv([32, 32], 3, 1, &mut rng, &device), batch_norm(32, &device));
    let run = |choice: Option<Convolution>| {
        if let Some(choice) = choice {
            set_convolution(choice);
        }
        let out = map.conv(&conv).norm(&norm, Skip::None, Activation::Relu).to_nchw();
        out.into_data().try_to_vec::<f32>().unwrap()
    };
    let [auto, direct, winograd] = [Convolution::Auto, Convolution::Direct, Convolution::Winograd]
        .map(|choice| run(Some(choice)));
    assert_eq!(run(Some(Convolution::Auto)), auto);
    assert_ne!(direct, winograd);
    // What this thread has chosen is not what another one computes with.
    set_convolution(Convolution::Direct);
    let elsewhere = std::thread::scope(|scope| scope.spawn(|| run(None)).join().unwrap());
    assert_eq!(elsewhere, auto);
    assert_eq!(run(None), direct);
    assert_eq!(auto, winograd);
    let largest = direct.iter().fold(0.0_f32, |max, v| max.max(v.abs()));
    assert!(direct.iter().zip(&winograd).all(|(a, b)| (a - b).abs() < 1e-4 * largest));
}

/// The largest difference, as a part of the largest value.
fn difference(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    let largest = one.iter().fold(0.0_f32, |max, v| max.max(v.abs()));
    one.iter().zip(other).fold(0.0_f32, |max, (a, b)| max.max((a - b).abs())) / largest
}

#[test]
fn a_layer_in_bf16_is_one_of_rounded_numbers_forward_and_backward() {
    let device = Device::flex().autodiff();
    for (kernel, stride) in [(1, 1), (3, 1), (3, 2)] {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let conv = conv([96, 72], kernel, stride, &mut rng, &device);
        let shape = [33, 96, 7, 7];
        let images = Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
        let images = images.require_grad();
        let run = |precision: Option<Precision>| {
            // Winograd's products are those of f32 where there are no tiles of bf16.
            set_convolution(Convolution::Direct);
            if let Some(precision) = precision {
                set_precision(precision);
            }
            let map = FeatureMap::from_nchw(images.clone());
            let out = map.conv(&conv).act(Activation::Identity).to_nchw();
            let loss = (out.clone() * out.clone()).sum();
            // A backward pass computes as its forward pass did.
            set_precision(Precision::F32);
            let gradients = loss.backward();
            let numbers = |tensor: Tensor<4>| tensor.into_data().try_to_vec::<f32>().unwrap();
            let of_images = images.grad(&gradients).unwrap();
            [
                numbers(out.inner()),
                numbers(of_images),
                numbers(conv.weight.val().grad(&gradients).unwrap()),
            ]
        };
        let (f32, bf16) = (run(Some(Precision::F32)), run(Some(Precision::Bf16)));
        for (job, (exact, rounded)) in f32.iter().zip(&bf16).enumerate() {
            // Each operand is off by a part in 512 at most, the gradient's twice: it is a product.
            let difference = difference(exact, rounded);
            assert!(difference > 1e-5, "{kernel}x{kernel}, job {job}: nothing was rounded");
            assert!(difference < 2.0_f32.powi(-7), "{kernel}x{kernel}, job {job}: {difference}");
        }
        // What this thread has chosen is not what another one computes with.
        set_precision(Precision::Bf16);
        assert_eq!(std::thread::scope(|scope| scope.spawn(|| run(None)).join().unwrap()), f32);
        assert_eq!(run(Some(Precision::Bf16)), bf16);
        set_precision(Precision::F32);
    }
}
