//! Stochastic depth (Huang et al. 2016): while training, residual branches are left out, image by image.
//!
//! Set for a thread, as [`with_peers`](crate::with_peers) is: a batch is computed by one thread.

use burn::tensor::{Tensor, TensorData};
use rand::{Rng, RngCore};
use std::cell::RefCell;
use std::ops::Range;

/// How branches are left out.
struct Dropping {
    rate: f64,
    /// The images that are computed, of so many of the whole batch.
    images: Range<usize>,
    of: usize,
    rng: Box<dyn RngCore>,
    /// Whether there was any branch.
    asked: bool,
}

thread_local! {
    static DROPPING: RefCell<Option<Dropping>> = const { RefCell::new(None) };
}

/// Runs `work`, the forward pass of a sub-module on the images `images` of a batch of `of`. What is added to
/// a shortcut is left out of an image with probability `rate` (from 0 to below 1) and else divided by
/// `1 - rate`, so that its expectation stays. `rng` draws a number for each image of the batch and each
/// branch, whichever part of the batch is computed. Says whether there was any branch.
///
/// Branches are what [`Convolved::norm`](crate::Convolved::norm) adds to a [`Skip`](crate::Skip), and
/// what [`Features::drop_path`](crate::Features::drop_path) is called on.
pub fn with_paths_dropped<R>(
    rate: f64,
    images: Range<usize>,
    of: usize,
    rng: impl RngCore + 'static,
    work: impl FnOnce() -> R,
) -> (R, bool) {
    struct Restore(Option<Dropping>);
    impl Drop for Restore {
        fn drop(&mut self) {
            DROPPING.set(self.0.take());
        }
    }
    let dropping = Dropping { rate, images, of, rng: Box::new(rng), asked: false };
    let _restore = Restore(DROPPING.replace(Some(dropping)));
    let result = work();
    let asked = DROPPING.with_borrow(|now| now.as_ref().is_some_and(|now| now.asked));
    (result, asked)
}

/// Whether branches are left out now.
pub(crate) fn is_dropping() -> bool {
    DROPPING.with_borrow(Option::is_some)
}

/// A branch, `[images, ...]`, with the images that are left out at 0; as it is outside of
/// [`with_paths_dropped`].
pub(crate) fn dropped<const D: usize>(branch: Tensor<D>) -> Tensor<D> {
    let factors = DROPPING.with_borrow_mut(|now| now.as_mut().map(Dropping::factors));
    let Some(factors) = factors else { return branch };
    let mut shape = [1; D];
    shape[0] = factors.len();
    let factors = Tensor::from_data(TensorData::new(factors, shape), &branch.device());
    branch * factors
}

impl Dropping {
    /// What the next branch of each image is multiplied by.
    fn factors(&mut self) -> Vec<f32> {
        self.asked = true;
        let Self { rate, of, .. } = *self;
        let kept = (1.0 / (1.0 - rate)) as f32;
        let draws = (0..of).map(|_| self.rng.random::<f64>());
        let all: Vec<_> = draws.map(|draw| if draw < rate { 0.0 } else { kept }).collect();
        all[self.images.clone()].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, FeatureMap, Skip, batch_norm, conv};
    use burn::tensor::Device;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    const IMAGES: usize = 6;

    fn waves(device: &Device) -> Tensor<4> {
        let shape = [IMAGES, 3, 5, 4];
        let numbers: Vec<f32> =
            (0..shape.iter().product()).map(|i: usize| (0.7 * i as f32).sin()).collect();
        Tensor::from_data(TensorData::new(numbers, shape), device)
    }

    /// The images of a residual block, fast and plain.
    fn blocks(device: &Device) -> impl Fn(Range<usize>) -> Vec<Vec<f32>> + use<> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let conv = conv([3, 3], 3, 1, &mut rng, device);
        let (norm, device) = (batch_norm(3, device), device.clone());
        move |images| {
            let map = waves(&device).narrow(0, images.start, images.len());
            let map = FeatureMap::from_nchw(map);
            let skip = Skip::Identity(map.clone());
            let out = map.conv(&conv).norm(&norm, skip, Activation::Identity).to_nchw();
            let out: Vec<f32> = out.into_data().iter::<f32>().collect();
            out.chunks(out.len() / images.len()).map(<[f32]>::to_vec).collect()
        }
    }

    fn near(a: &[f32], b: impl IntoIterator<Item = f32>) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5)
    }

    /// With probability `rate` an image is its shortcut alone; else its branch is so much larger that the
    /// mean of the two is what the block computes without.
    #[test]
    #[expect(deprecated, reason = "a second opinion")]
    fn the_expectation_of_a_block_stays() {
        let (rate, rounds) = (0.3, 500);
        for device in [Device::flex(), Device::ndarray()] {
            let block = blocks(&device);
            let usual = block(0..IMAGES);
            let input: Vec<f32> = waves(&device).into_data().iter::<f32>().collect();
            let shortcuts: Vec<_> = input.chunks(input.len() / IMAGES).collect();
            let mut left_out = 0;
            for round in 0..rounds {
                let rng = ChaCha8Rng::seed_from_u64(round);
                let (images, asked) =
                    with_paths_dropped(rate, 0..IMAGES, IMAGES, rng, || block(0..IMAGES));
                assert!(asked);
                for (image, (usual, shortcut)) in images.iter().zip(usual.iter().zip(&shortcuts)) {
                    let pairs = || usual.iter().zip(*shortcut);
                    let kept = pairs().map(|(all, own)| own + (all - own) / (1.0 - rate as f32));
                    match near(image, shortcut.iter().copied()) {
                        true => left_out += 1,
                        false => assert!(near(image, kept)),
                    }
                }
            }
            let (draws, left_out) = ((rounds as usize * IMAGES) as f64, f64::from(left_out));
            let deviation = (draws * rate * (1.0 - rate)).sqrt();
            assert!((left_out - draws * rate).abs() < 4.0 * deviation, "{left_out} of {draws}");
        }
    }

    #[test]
    fn an_image_is_left_out_whichever_part_of_its_batch_is_computed() {
        let block = blocks(&Device::flex());
        let part = |images: Range<usize>| {
            let rng = ChaCha8Rng::seed_from_u64(8);
            let both = || [block(images.clone()), block(images.clone())];
            with_paths_dropped(0.5, images.clone(), IMAGES, rng, both).0
        };
        let [first, second] = part(0..IMAGES);
        assert_ne!(first, second, "each branch has draws of its own");
        for cut in 1..IMAGES {
            let ([a, b], [c, d]) = (part(0..cut), part(cut..IMAGES));
            assert_eq!([a, c].concat(), first);
            assert_eq!([b, d].concat(), second);
        }
    }

    #[test]
    fn outside_nothing_is_left_out() {
        let block = blocks(&Device::flex());
        let usual = block(0..IMAGES);
        let rng = ChaCha8Rng::seed_from_u64(8);
        let (_, asked) = with_paths_dropped(0.9, 0..IMAGES, IMAGES, rng, || ());
        assert!(!asked && !is_dropping());
        assert_eq!(block(0..IMAGES), usual);
    }
}
