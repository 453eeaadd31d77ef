//! An architecture from a file is not trusted: before memory is taken for a network, its size is
//! held against the weights that are there.

use super::{Blueprint, Network, StateDict};
use crate::growth::Depth;
use crate::random::{Purpose, generator};
use crate::{Error, Result};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use std::path::Path;

/// Largest number of channels of an image or a first sub-network, of pixels of a side.
const LARGEST: usize = 1 << 14;
/// Largest number of classes, and of columns of a table.
const MOST: usize = 1 << 20;
/// Width at which sizes are probed: one that groups and heads divide.
const PROBED: usize = 32;
/// How far an estimate may be off: a factor, and numbers.
const SLACK: (f64, f64) = (16.0, 4e6);

impl Blueprint {
    /// Checks that weights such as `state` can be those of the network, before it is built.
    ///
    /// # Errors
    /// [`Error::Run`] about `path` where the network would be much larger than they are.
    pub(crate) fn check_against(
        &self,
        state: &StateDict,
        path: &Path,
        device: &Device,
    ) -> Result<()> {
        self.check_sizes(path)?;
        let (there, estimate) = (state.numbers() as f64, self.estimate(device)?);
        if estimate > SLACK.0 * there + SLACK.1 {
            let problem =
                format!("holds {there:.2e} numbers; its network would have about {estimate:.2e}");
            return Err(Error::run(path, problem)
                .with_hint("weights and architecture are not of one network"));
        }
        Ok(())
    }

    /// Checks that there can be such a network at all.
    ///
    /// # Errors
    /// [`Error::Run`] about `path` where there cannot.
    pub(crate) fn check_sizes(&self, path: &Path) -> Result<()> {
        let wanted = self.seed_network()?.sub_networks;
        let sides = [self.width, self.image[0], self.image[1], self.image[2]];
        if self.depth.sub_networks() != wanted
            || sides.iter().any(|&size| size == 0 || size > LARGEST)
            || !(1..=MOST).contains(&self.classes)
            || self.stem()?.input(self.image)[0] > MOST
        {
            let [channels, height, width] = self.image;
            let problem = format!(
                "names an architecture that cannot be: {} {} of width {} for {} classes of \
                 {channels}x{height}x{width} images",
                self.network, self.depth, self.width, self.classes
            );
            return Err(Error::run(path, problem));
        }
        Ok(())
    }

    /// About how many numbers the network has, from those of a narrow one: sub-modules grow with
    /// the square of their width at most.
    fn estimate(&self, device: &Device) -> Result<f64> {
        let width = self.width.min(PROBED);
        let last = self.depth.sub_networks() - 1;
        let narrow = Self { width, classes: 1, ..self.clone() };
        let kind = self.seed_network()?.sub_module_kind()?;
        let features = narrow.channels(last, self.depth.as_slice()[last], kind);
        let narrow = Self { depth: Depth::uniform(last + 1, 1), ..narrow };
        let network = Network::new(narrow, &mut generator(0, Purpose::Seed, 0), device)?;
        let wider = self.width as f64 / width as f64;
        let sub_networks = network.layer.iter().zip(self.depth.as_slice());
        let body: f64 =
            sub_networks.map(|(layer, &count)| count as f64 * numbers(layer) as f64).sum();
        let head = features as f64 * wider * self.classes as f64;
        Ok(body * wider * wider + head)
    }
}

fn numbers(module: &impl Module) -> usize {
    struct Count(usize);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 += param.shape().num_elements();
        }
    }
    let mut visitor = Count(0);
    module.visit(&mut visitor);
    visitor.0
}
