//! Networks that grow: a stem, sub-networks that are stacks of sub-modules, a head.

mod blueprint;
mod copy;
mod erased;
pub mod floats;
mod head;
mod identity;
mod initialize;
mod model_info;
mod names;
mod paths;
mod plausible;
mod record;
mod size;
mod stages;
mod state_dict;
mod stem;
mod sub_module;
mod trainable;
mod weight_format;
mod widen;

use crate::growth::Depth;
use crate::{Error, Result};
pub use autogrow_kernels::graph::{self, Graph, positions};
use autogrow_kernels::{FeatureMap, Features};
pub use blueprint::{Blueprint, Recipe, SeedNetwork};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use copy::copied;
pub use erased::AnySubModule;
pub use head::{AnyHead, HeadKind};
pub(crate) use identity::{identities, with_identities};
pub use initialize::{Adapt, Initializer};
pub use model_info::ModelInfo;
pub(crate) use paths::DropPath;
use rand::RngCore;
pub use size::Size;
pub use state_dict::{StateDict, TensorEntry, is_counter, is_statistic};
pub use stem::StemKind;
pub use sub_module::{Builder, Gate, NormInit, SubModule, SubModuleKind, WeightInit};
pub use trainable::{train_only, trainable_ids};
pub use weight_format::WeightFormat;
pub(crate) use widen::paste;
use widen::widen;

/// A network of `sub_networks.len()` sub-networks; see [`Blueprint`] for what it is built from.
#[derive(Module, Debug)]
pub struct Network {
    #[module(skip)]
    blueprint: Blueprint,
    #[module(skip)]
    stem_kind: &'static StemKind,
    /// Parts that are frozen, from the image on; see [`Network::freeze_first`].
    #[module(skip)]
    frozen: usize,
    stem: AnySubModule,
    layer: Vec<Vec<AnySubModule>>,
    closing: Option<AnySubModule>,
    head: AnyHead,
}

impl Network {
    /// Builds the network that `blueprint` describes, with random weights drawn from `rng` in the
    /// order stem, sub-modules, closing, head. On an autodiff device it can be trained.
    ///
    /// # Errors
    /// [`Error::Unknown`] where a name is not registered; [`Error::Config`] where the image is too
    /// small for the network.
    pub fn new(blueprint: Blueprint, rng: &mut dyn RngCore, device: &Device) -> Result<Self> {
        let seed = blueprint.seed_network()?;
        let family @ (stem_kind, kind) = (seed.stem_kind()?, seed.sub_module_kind()?);
        blueprint.check_image()?;
        let channels_in = stem_kind.input(blueprint.image)[0];
        let builder = blueprint.builder(0, 0, family, rng, device);
        let stem = (stem_kind.build)(&mut Builder { channels_in, ..builder })?;
        let mut layer: Vec<Vec<AnySubModule>> = Vec::new();
        for (i, &count) in blueprint.depth.as_slice().iter().enumerate() {
            let mut sub_modules = Vec::new();
            for j in 0..count {
                let mut builder = blueprint.builder(i, j, family, rng, device);
                sub_modules.push((kind.build)(&mut builder)?);
            }
            layer.push(sub_modules);
        }
        let last = blueprint.depth.sub_networks() - 1;
        let top = blueprint.depth.as_slice()[last];
        let builder = blueprint.builder(last, top, family, rng, device);
        let (closing, head) = end(layer.last(), &blueprint, builder)?;
        Ok(Self { blueprint, stem_kind, frozen: 0, stem, layer, closing, head })
    }

    /// What the network is built from, at its present depth.
    pub fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// The present depth.
    pub fn depth(&self) -> &Depth {
        &self.blueprint.depth
    }

    /// Outputs `[batch, outputs]`, such as class scores, of normalised images `[batch, channels, height, width]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.pass(images.into(), |_, sub_module, map| sub_module.forward(map)).into_tensor()
    }

    /// The forward pass. `apply` computes a sub-module: the `j`-th of sub-network `i`, `[i, j]`, or
    /// the closing one.
    fn pass(
        &self,
        images: Features<4>,
        mut apply: impl FnMut(Option<[usize; 2]>, &AnySubModule, FeatureMap) -> FeatureMap,
    ) -> Features<2> {
        let images = if self.stem_kind.flat {
            let [batch, channels, height, width] = images.dims();
            images.reshape([batch, channels * height * width, 1, 1])
        } else {
            images
        };
        let images = FeatureMap::from_features(images);
        let mut map = self.in_stage(0, || self.stem.forward(images));
        for (i, sub_network) in self.layer.iter().enumerate() {
            for (j, sub_module) in sub_network.iter().enumerate() {
                map = self.in_stage(i + 1, || apply(Some([i, j]), sub_module, map));
            }
        }
        if let Some(closing) = &self.closing {
            map = apply(None, closing, map);
        }
        self.head.forward(map)
    }

    /// Stacks one sub-module on a sub-network (counted from 0): random weights, gates as the
    /// initializer sets them. Every other parameter is left as it is, the same tensor under the
    /// same id, so an optimiser keeps its momentum; where the sub-network's channels grow with its
    /// depth, what follows it gets more inputs and is for the rest what it was.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn stack(
        &mut self,
        sub_network: usize,
        initializer: &dyn Initializer,
        rng: &mut dyn RngCore,
        device: &Device,
    ) -> Result<()> {
        let kind = self.blueprint.seed_network()?.sub_module_kind()?;
        let family = (self.stem_kind, kind);
        let above = self.layer[sub_network].len();
        let mut builder = self.blueprint.builder(sub_network, above, family, rng, device);
        let mut sub_module = (kind.build)(&mut builder)?;
        if let Some(below) = self.layer[sub_network].last().filter(|_| initializer.copies()) {
            sub_module = copied(below, sub_module);
        }
        for gate in sub_module.gates() {
            initializer.initialize(gate, rng);
        }
        let is_frozen = self.is_frozen(sub_network + 1);
        self.layer[sub_network].push(if is_frozen { sub_module.no_grad() } else { sub_module });
        let channels = self.blueprint.channels(sub_network, above, kind);
        self.blueprint.depth.stack(sub_network);
        if self.blueprint.channels(sub_network, above + 1, kind) == channels {
            return Ok(());
        }
        if let Some(next) = self.layer.get_mut(sub_network + 1).and_then(|next| next.first_mut()) {
            let mut builder = self.blueprint.builder(sub_network + 1, 0, family, rng, device);
            *next = widen(next, (kind.build)(&mut builder)?, initializer);
        } else {
            let builder = self.blueprint.builder(sub_network, above + 1, family, rng, device);
            let (closing, head) = end(self.layer.last(), &self.blueprint, builder)?;
            self.closing = widen(&self.closing, closing, initializer);
            self.head = widen(&self.head, head, initializer);
        }
        Ok(())
    }

    /// What initializers act on: the gates of the topmost `count` sub-modules of a sub-network. None
    /// for plain sub-modules.
    pub fn gates(&mut self, sub_network: usize, count: usize) -> Vec<Gate<'_>> {
        let topmost = self.layer[sub_network].iter_mut().rev().take(count);
        topmost.flat_map(AnySubModule::gates).collect()
    }

    /// Number of parameters, frozen ones too; running statistics are none.
    pub fn parameters(&self) -> usize {
        trainable::count(self)
    }
}

/// What follows the sub-networks: their closing, if they want one, and the head.
fn end(
    last: Option<&Vec<AnySubModule>>,
    blueprint: &Blueprint,
    mut builder: Builder<'_>,
) -> Result<(Option<AnySubModule>, AnyHead)> {
    let closing = last.and_then(|last| last.last()).and_then(|top| top.closing(&mut builder));
    let head = blueprint.seed_network()?.head_kind()?;
    let head = (head.build)(&mut Builder { width: blueprint.classes, ..builder })?;
    Ok((closing, head))
}

impl Blueprint {
    fn check_image(&self) -> Result<()> {
        let [channels, height, width] = self.image;
        let smallest = self.smallest_image()?;
        if channels == 0 || height < smallest || width < smallest {
            return Err(Error::config(
                "network.name",
                format!(
                    "= {} needs images of at least {smallest}x{smallest} pixels, the data set has \
                     {height}x{width}",
                    self.network
                ),
            )
            .with_hint("choose a network with fewer sub-networks, or one without `-imagenet`"));
        }
        Ok(())
    }
}
