//! A residual block of two linear layers, for rows of a table (Gorishniy et al. 2021 find such
//! networks a strong baseline there). A row is an image of one pixel, on which a linear layer is a
//! 1x1 convolution.

use crate::basic::Basic;
use autogrow_core::network::{AnySubModule, SeedNetwork, SubModuleKind};

autogrow_core::register! {
    SubModuleKind {
        name: "mlp",
        origin: env!("CARGO_PKG_NAME"),
        summary: "residual block of two linear layers",
        residual: true,
        channels: |width, _| width,
        layers: 2,
        build: |builder| Ok(AnySubModule::new(Basic::new(builder, 1))),
    },
    SeedNetwork {
        name: "mlp1net",
        origin: env!("CARGO_PKG_NAME"),
        summary: "residual MLP of 64 channels for rows of a table; pixels are a row, too",
        sub_module: "mlp",
        sub_networks: 1,
        width: 64,
        stem: "flat",
        head: "linear",
        image: 1,
        recipe: None,
    },
}
