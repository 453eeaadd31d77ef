//! [`Size`]: what a network costs.

use super::{Blueprint, Network};
use crate::Result;
use crate::random::{Purpose, generator};
use burn::tensor::Device;

/// What a network costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Trainable parameters.
    pub parameters: usize,
    /// Multiply-accumulate operations of an image.
    pub macs: u64,
}

impl Size {
    /// That of a network as it would be built on `device`, a plain device.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn of(blueprint: Blueprint, device: &Device) -> Result<Self> {
        // The weights do not matter.
        let mut rng = generator(0, Purpose::Seed, 0);
        let network = Network::new(blueprint, &mut rng, &device.clone().autodiff())?;
        Ok(Self { parameters: network.parameters(), macs: network.macs()? })
    }
}
