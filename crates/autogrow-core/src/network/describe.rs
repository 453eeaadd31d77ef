//! A network's graph, put together from what its sub-modules say of themselves.

use super::graph::Graph;
use super::traced::Traced;
use super::{Network, Stem};
use crate::{Error, Result};

impl Network {
    /// What the network computes in evaluation mode, from normalised images to class scores.
    ///
    /// # Errors
    /// [`Error::Config`] where a sub-module does not describe its forward pass.
    pub fn graph(&self) -> Result<Graph> {
        let stem = self.blueprint.stem()?;
        let kind = self.blueprint.seed_network()?.sub_module_kind()?;
        let images = Traced::images(self.blueprint.image, stem);
        let images = match stem {
            Stem::Vector => images.reshape(&self.blueprint.input(stem)),
            _ => images,
        };
        let mut map = images.conv("conv1", &self.conv1).batch_norm("bn1", &self.bn1).relu();
        if stem == Stem::ImageNet {
            map = map.max_pool(3, 2, 1);
        }
        let undescribed = || {
            let problem = format!("= {}: `{}` has no graph", self.blueprint.network, kind.name);
            Error::config("network.name", problem)
                .with_hint("its sub-module does not describe itself: export as safetensors only")
        };
        for (i, sub_network) in self.layer.iter().enumerate() {
            for (j, sub_module) in sub_network.iter().enumerate() {
                let scope = ["layer", &i.to_string(), &j.to_string()];
                let described = map.block(&scope, kind.name, |input| sub_module.describe(input));
                map = described.ok_or_else(undescribed)?;
            }
        }
        if let Some(closing) = &self.closing {
            let described = map.block(&["closing"], "closing", |input| closing.describe(input));
            map = described.ok_or_else(undescribed)?;
        }
        let scores = map.global_average().linear("linear", &self.linear);
        scores.finish().map_err(|problem| {
            Error::config("network.name", format!("= {}: {problem}", self.blueprint.network))
                .with_hint("its sub-module describes another forward pass than it has")
        })
    }
}
