//! Running statistics of batch norms.

use crate::recalibration::recalibrating;
use burn::nn::BatchNorm;
use burn::tensor::Tensor;
use std::cell::Cell;

thread_local! {
    /// Set for a thread, as [`with_peers`](crate::with_peers) is: a batch is computed by one thread.
    static KEPT: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, forward passes of a part of a network that is frozen: its batch norms normalise by their
/// running statistics and leave them as they are, while training and while
/// [`recalibrate`](crate::recalibrate) measures those of other parts.
pub fn with_statistics_kept<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            KEPT.set(self.0);
        }
    }
    let _restore = Restore(KEPT.replace(true));
    work()
}

/// Whether a batch norm goes by the batch's own statistics and not by the running ones.
pub(crate) fn goes_by_batch(norm: &BatchNorm, autodiff: bool) -> bool {
    !KEPT.get() && ((autodiff && norm.training.is_enabled()) || recalibrating().is_some())
}

/// Blends a batch's mean and (unbiased) variance into the running ones.
pub(crate) fn blend(norm: &BatchNorm, mean: Tensor<1>, variance: Tensor<1>) {
    let weight = recalibrating().unwrap_or(norm.momentum);
    let blend = |running: Tensor<1>, new: Tensor<1>| {
        (running * (1.0 - weight) + new.detach() * weight).detach()
    };
    norm.running_mean.update(blend(norm.running_mean.value_sync(), mean));
    norm.running_var.update(blend(norm.running_var.value_sync(), variance));
}
