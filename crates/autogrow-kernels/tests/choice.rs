//! The choice of the algorithm, made for one thread.

use autogrow_kernels::set_convolution;
use autogrow_kernels::{Activation, Convolution, FeatureMap, Skip, batch_norm, conv};
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
