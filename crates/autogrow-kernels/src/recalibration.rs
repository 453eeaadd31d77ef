//! Batch norms that measure their running statistics anew: what the running ones keep up with only
//! slowly while weights move fast, or do not follow at all where weights were averaged.
//!
//! Set for a thread, as [`with_peers`](crate::with_peers) is: a batch is computed by one thread.

use std::cell::Cell;

thread_local! {
    static WEIGHT: Cell<Option<f64>> = const { Cell::new(None) };
    /// Whether a batch norm has asked for the weight.
    static MEASURED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, forward passes on any device: in each, a batch norm normalises by the batch's own
/// statistics, and `weight` (above 0, at most 1) of them is blended into the running ones in place of
/// its momentum. With the weights 1, 1/2, 1/3, ... of one batch after the other the running
/// statistics become the mean over the batches. Says whether there was any batch norm.
pub fn recalibrate(weight: f64, work: impl FnOnce()) -> bool {
    struct Restore(Option<f64>);
    impl Drop for Restore {
        fn drop(&mut self) {
            WEIGHT.set(self.0);
        }
    }
    let _restore = Restore(WEIGHT.replace(Some(weight)));
    MEASURED.set(false);
    work();
    MEASURED.get()
}

/// The weight of this thread, while it recalibrates.
pub(crate) fn recalibrating() -> Option<f64> {
    WEIGHT.get().inspect(|_| MEASURED.set(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, FeatureMap, Skip, batch_norm, conv};
    use burn::nn::BatchNorm;
    use burn::tensor::{Device, Tensor, TensorData};
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    fn waves(phase: f32, device: &Device) -> Tensor<4> {
        let numbers: Vec<f32> =
            (0..2 * 3 * 6 * 5).map(|i| (0.7 * i as f32 + phase).sin() + phase).collect();
        Tensor::from_data(TensorData::new(numbers, [2, 3, 6, 5]), device)
    }

    fn statistics(norm: &BatchNorm) -> Vec<f32> {
        [&norm.running_mean, &norm.running_var]
            .into_iter()
            .flat_map(|running| running.value_sync().into_data().iter::<f32>().collect::<Vec<_>>())
            .collect()
    }

    /// On a plain device, where batch norms use running statistics otherwise: after weights 1, 1/2
    /// and 1/3 they are the mean of those of three batches, on the fast path and beside it.
    #[test]
    fn running_statistics_become_the_mean_over_batches() {
        let device = Device::flex();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let conv = conv([3, 4], 3, 1, &mut rng, &device);
        let after_conv = |norm: &BatchNorm, phase| {
            let image = FeatureMap::from_nchw(waves(phase, &device));
            image.conv(&conv).norm(norm, Skip::None, Activation::Relu).to_nchw()
        };
        let alone = |norm: &BatchNorm, phase| {
            FeatureMap::from_nchw(waves(phase, &device)).norm(norm, Activation::Relu).to_nchw()
        };
        type Pass<'a> = &'a dyn Fn(&BatchNorm, f32) -> Tensor<4>;
        for (channels, pass) in [(4, &after_conv as Pass<'_>), (3, &alone)] {
            let phases = [0.0, 0.4, 1.1];
            let each = phases.map(|phase| {
                let norm = batch_norm(channels, &device);
                assert!(recalibrate(1.0, || drop(pass(&norm, phase))));
                statistics(&norm)
            });
            let norm = batch_norm(channels, &device);
            for (number, phase) in (1..).zip(phases) {
                recalibrate(1.0 / f64::from(number), || drop(pass(&norm, phase)));
            }
            let mean = statistics(&norm);
            for (index, value) in mean.iter().enumerate() {
                let expected = each.iter().map(|one| one[index]).sum::<f32>() / 3.0;
                assert!((value - expected).abs() < 1e-5, "{value} is not {expected}");
            }
            // Outside, they are used and stay as they are.
            pass(&norm, 7.0);
            assert_eq!(statistics(&norm), mean);
            assert!(!recalibrate(1.0, || ()));
        }
    }
}
