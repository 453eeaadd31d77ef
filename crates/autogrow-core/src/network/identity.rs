//! Parameter identities by name. An optimiser keeps its state by identity; a network that is
//! built again has others until it is given the old ones.

use super::Network;
use super::state_dict::At;
use crate::Result;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use std::collections::BTreeMap;

/// The identity of every parameter and running statistic.
pub(crate) fn identities(network: &Network) -> Result<BTreeMap<String, u64>> {
    struct Read {
        at: At,
        ids: BTreeMap<String, u64>,
    }
    impl ModuleVisitor for Read {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.ids.insert(self.at.name(), param.id.val());
        }
        fn enter_module(&mut self, name: &str, container: &str) {
            self.at.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.at.exit();
        }
    }
    let mut read = Read { at: At::new(network)?, ids: BTreeMap::new() };
    network.visit(&mut read);
    Ok(read.ids)
}

/// `network` with these identities, where it has a parameter of the name.
pub(crate) fn with_identities(network: Network, ids: &BTreeMap<String, u64>) -> Result<Network> {
    struct Write<'a> {
        at: At,
        ids: &'a BTreeMap<String, u64>,
    }
    impl ModuleMapper for Write<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let Some(&id) = self.ids.get(&self.at.name()) else { return param };
            let (_, tensor, mapper) = param.consume();
            Param::from_mapped_value(ParamId::from(id), tensor, mapper)
        }
        fn enter_module(&mut self, name: &str, container: &str) {
            self.at.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.at.exit();
        }
    }
    let at = At::new(&network)?;
    Ok(network.map(&mut Write { at, ids }))
}
