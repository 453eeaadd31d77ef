//! Which parameters train: counting, freezing, unfreezing. Running statistics never do.

use super::Network;
use super::state_dict::is_statistic;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use std::collections::HashSet;

/// Numbers in all parameters, frozen ones too; running statistics are none.
pub(super) fn count(module: &impl Module) -> usize {
    #[derive(Default)]
    struct Count {
        fields: Vec<String>,
        numbers: usize,
    }
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if !self.fields.last().is_some_and(|field| is_statistic(field)) {
                self.numbers += param.shape().num_elements();
            }
        }
        fn enter_module(&mut self, name: &str, _: &str) {
            self.fields.push(name.into());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.fields.pop();
        }
    }
    let mut visitor = Count::default();
    module.visit(&mut visitor);
    visitor.numbers
}

/// Numbers in all convolution weights.
pub(super) fn convolution_weights(module: &impl Module) -> usize {
    struct Count(usize);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if D == 4 {
                self.0 += param.shape().num_elements();
            }
        }
    }
    let mut visitor = Count(0);
    module.visit(&mut visitor);
    visitor.0
}

/// Identities of all parameters that train now.
pub fn trainable_ids(network: &Network) -> HashSet<ParamId> {
    struct Collect(HashSet<ParamId>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                self.0.insert(param.id);
            }
        }
    }
    let mut visitor = Collect(HashSet::new());
    network.visit(&mut visitor);
    visitor.0
}

/// Lets exactly these parameters train; the backward pass then skips what none of them needs.
pub fn train_only(network: Network, trained: &HashSet<ParamId>) -> Network {
    network.map(&mut TrainOnly(trained))
}

struct TrainOnly<'a>(&'a HashSet<ParamId>);

impl ModuleMapper for TrainOnly<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let trains = self.0.contains(&param.id);
        if param.is_require_grad() == trains { param } else { param.set_require_grad(trains) }
    }
}
