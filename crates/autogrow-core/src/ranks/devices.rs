//! Sums that the devices of the ranks compute among themselves, by Burn's all-reduce: it exists for
//! CUDA devices of one process, by NCCL.

use super::Ranks;
use crate::Result;
use burn::tensor::distributed::{ReduceOperation, all_reduce};
use burn::tensor::{Device, Tensor};
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Ranks {
    /// Has gradients added up by `devices`, those of all ranks in their order, if they can do it;
    /// says whether they do. All ranks call it, each on the thread that trains. A backend that
    /// cannot panics, which is caught: whoever calls decides whether the panic's message is shown.
    ///
    /// # Errors
    /// [`Error::Ranks`](crate::Error::Ranks) where a rank is lost.
    pub fn try_devices(&self, devices: &[Device]) -> Result<bool> {
        let tried = catch_unwind(AssertUnwindSafe(|| {
            let one = Tensor::<1>::ones([1], &devices[self.rank()]);
            reduced(one, devices).into_scalar::<f32>()
        }));
        let works = tried.is_ok_and(|sum| sum == self.size() as f32);
        let all = self.gather(&[f64::from(u8::from(works))])?;
        let all_work = all.iter().all(|works| works[0] > 0.0);
        if all_work {
            let _ = self.0.devices.set(devices.to_vec());
        }
        Ok(all_work)
    }

    /// The devices that add up gradients themselves, if any do.
    pub(crate) fn devices(&self) -> Option<&[Device]> {
        self.0.devices.get().map(Vec::as_slice)
    }
}

/// The sums of each rank's `numbers`, on the device where this one's are. NCCL chooses the order in
/// which ranks are added; all get the same.
pub(crate) fn reduced(numbers: Tensor<1>, devices: &[Device]) -> Tensor<1> {
    all_reduce(numbers, ReduceOperation::Sum, devices.to_vec()).resolve()
}

#[cfg(test)]
mod tests {
    use crate::ranks::in_process;
    use burn::tensor::Device;

    #[test]
    fn devices_without_an_all_reduce_are_found_out() {
        std::thread::scope(|scope| {
            for ranks in in_process(2) {
                scope.spawn(move || {
                    let devices = [Device::flex(), Device::flex()];
                    assert!(!ranks.try_devices(&devices).unwrap());
                    assert!(ranks.devices().is_none());
                });
            }
        });
    }
}
