//! The module of GoogLeNet (Szegedy et al. 2015) with batch norms: four branches side by side, their
//! channels one after the other. Channels are shared out as in its first module, 3a. There is no
//! shortcut, so no initializer preserves the network's function: each growth changes it.

use crate::layers::Unit;
use autogrow_core::network::{AnySubModule, Builder, SeedNetwork, SubModule, SubModuleKind};
use autogrow_core::{Error, Result};
use autogrow_kernels::FeatureMap;
use burn::module::Module;

/// The narrowest width of which every branch has a channel.
const NARROWEST: usize = 8;

/// A 1x1 convolution, 1x1 then 3x3, 1x1 then 5x5, a max pool then 1x1. Where resolution is halved,
/// all behind a max pool, as between GoogLeNet's stages.
#[derive(Module, Debug)]
pub struct Inception {
    branch1: Unit,
    branch2: (Unit, Unit),
    branch3: (Unit, Unit),
    branch4: Unit,
    pools: bool,
}

impl Inception {
    /// A module with random weights.
    ///
    /// # Errors
    /// [`Error::Config`] where the width is less than 8.
    pub fn new(builder: &mut Builder<'_>) -> Result<Self> {
        let (channels_in, width) = (builder.channels_in, builder.width);
        if width < NARROWEST {
            let problem = format!("= {width} is too narrow for the four branches of inception");
            return Err(Error::config("network.width", problem)
                .with_hint(format!("it is at least {NARROWEST}")));
        }
        let (one, three, five) = (width / 4, width / 2, width / 8);
        let (before_three, before_five) = ((3 * width).div_ceil(8), width.div_ceil(16));
        let pooled = width - one - three - five;
        let mut unit = |channels, kernel| Unit::new(builder, channels, kernel, 1);
        Ok(Self {
            branch1: unit([channels_in, one], 1),
            branch2: (unit([channels_in, before_three], 1), unit([before_three, three], 3)),
            branch3: (unit([channels_in, before_five], 1), unit([before_five, five], 5)),
            branch4: unit([channels_in, pooled], 1),
            pools: builder.stride == 2,
        })
    }
}

impl SubModule for Inception {
    fn forward(&self, input: FeatureMap) -> FeatureMap {
        let input = if self.pools { input.max_pool(3, 2, 1) } else { input };
        FeatureMap::concat(&[
            self.branch1.forward(&input),
            self.branch2.1.forward(&self.branch2.0.forward(&input)),
            self.branch3.1.forward(&self.branch3.0.forward(&input)),
            self.branch4.forward(&input.max_pool(3, 1, 1)),
        ])
    }
}

autogrow_core::register! {
    SubModuleKind {
        name: "inception",
        origin: env!("CARGO_PKG_NAME"),
        summary: "GoogLeNet's four branches, no shortcut",
        residual: false,
        channels: |width, _| width,
        layers: 2,
        build: |builder| Ok(AnySubModule::new(Inception::new(builder)?)),
    },
    SeedNetwork {
        name: "inception3net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "GoogLeNet for small images: 32, 64, 128 channels",
        sub_module: "inception",
        sub_networks: 3,
        width: 32,
        stem: "small",
        head: "linear",
        image: 32,
        recipe: None,
    },
    SeedNetwork {
        name: "inception3net-imagenet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "as deep as GoogLeNet at 2-5-2: 256, 512, 1024 channels",
        sub_module: "inception",
        sub_networks: 3,
        width: 256,
        stem: "imagenet",
        head: "linear",
        image: 224,
        recipe: None,
    },
}
