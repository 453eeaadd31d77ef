//! Heads: what makes the network's outputs of the last sub-network's features, registered by name.

use super::{AnySubModule, Builder, SubModule};
use crate::Result;
use autogrow_kernels::{FeatureMap, Features, linear};
use burn::module::Module;
use burn::nn::Linear;

/// Any head: from features to outputs `[batch, outputs]`. Exports record it from
/// [`SubModule::forward`].
pub type AnyHead = AnySubModule<Features<2>>;

/// A kind of head, registered with `inventory`.
#[derive(Debug)]
pub struct HeadKind {
    /// Name that [`SeedNetwork`](super::SeedNetwork)s refer to.
    pub name: &'static str,
    /// Crate that registers it: `env!("CARGO_PKG_NAME")`.
    pub origin: &'static str,
    /// One line for `autogrow list`.
    pub summary: &'static str,
    /// Builds one with random weights, from [`Builder::channels_in`] channels to
    /// [`Builder::width`] outputs.
    pub build: fn(&mut Builder<'_>) -> Result<AnyHead>,
}

crate::kind!(HeadKind, "head", "");

/// The mean of each channel, and a linear layer.
#[derive(Module, Debug)]
struct Averages {
    linear: Linear,
}

impl SubModule<Features<2>> for Averages {
    fn forward(&self, input: FeatureMap) -> Features<2> {
        input.global_average().linear(&self.linear)
    }
}

crate::register! {
    HeadKind {
        name: "linear",
        origin: env!("CARGO_PKG_NAME"),
        summary: "the mean of each channel, and a linear layer",
        build: |builder| {
            let sizes = [builder.channels_in, builder.width];
            let linear = linear(sizes, builder.rng, builder.device);
            Ok(AnyHead::new(Averages { linear }))
        },
    },
}
