//! Stochastic depth (Huang et al. 2016): residual branches are left out of images while training, the more
//! often the higher a sub-module stands.

use super::Network;
use crate::random::{Purpose, generator};
use autogrow_kernels::with_paths_dropped;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use std::ops::Range;

/// How branches are left out of the images of a batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DropPath {
    /// Of the last sub-module; that of the first of L is an Lth of it.
    pub(crate) rate: f64,
    /// Fixes which ones.
    pub(crate) seed: u64,
    /// The images that are computed, of so many of the batch.
    pub(crate) images: Range<usize>,
    /// Images of the batch.
    pub(crate) of: usize,
}

impl DropPath {
    /// Of the sub-module at a place, counted from 1, of so many.
    fn rate_at(&self, place: usize, sub_modules: usize) -> f64 {
        self.rate * place as f64 / sub_modules as f64
    }
}

impl Network {
    /// The forward pass as it is trained by. Sub-modules that are frozen leave out nothing.
    pub(crate) fn forward_training(
        &self,
        images: Tensor<4>,
        drops: Option<&DropPath>,
    ) -> Tensor<2> {
        let Some(drops) = drops else { return self.forward(images) };
        let count = self.depth().sub_modules();
        let mut number = 0;
        let pass = self.pass(images.into(), |place, sub_module, map| {
            number += 1;
            let Some([i, j]) = place.filter(|&[i, _]| !self.is_frozen(i + 1)) else {
                return sub_module.forward(map);
            };
            let rate = drops.rate_at(number, count);
            let rng = generator(drops.seed, Purpose::Paths, (i << 32) | j);
            let work = || sub_module.forward(map);
            with_paths_dropped(rate, drops.images.clone(), drops.of, rng, work).0
        });
        pass.into_tensor()
    }

    /// Whether there is a residual branch that can be left out.
    pub(crate) fn has_paths(&self, device: &Device) -> bool {
        let [channels, height, width] = self.blueprint.image;
        let image = Tensor::zeros([1, channels, height, width], &device.clone().inner());
        let network = self.valid();
        let rng = generator(0, Purpose::Paths, 0);
        with_paths_dropped(0.5, 0..1, 1, rng, || network.forward(image)).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_a_sub_module_the_more_often_it_is_left_out() {
        let drops = DropPath { rate: 0.4, seed: 0, images: 0..1, of: 1 };
        assert_eq!([1, 2, 4].map(|place| drops.rate_at(place, 4)), [0.1, 0.2, 0.4]);
    }
}
