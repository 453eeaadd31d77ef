//! A new sub-module that begins as a copy of the one below it.

use super::AnySubModule;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use std::collections::VecDeque;

/// `fresh` with the numbers, running statistics included, of the sub-module `below` and identities of
/// its own; as it is where the shapes differ, as above a sub-module that reduces.
pub(super) fn copied(below: &AnySubModule, fresh: AnySubModule) -> AnySubModule {
    let (mut source, mut target) = (Numbers::default(), Shapes::default());
    // Running statistics are written behind by one step; `valid` catches up.
    below.valid().visit(&mut source);
    fresh.visit(&mut target);
    let shapes = source.0.iter().map(|numbers| numbers.shape().to_vec());
    if shapes.eq(target.0) { fresh.map(&mut source) } else { fresh }
}

/// Every parameter and running statistic of a module, in its order.
#[derive(Default)]
struct Numbers(VecDeque<TensorData>);

impl ModuleVisitor for Numbers {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push_back(param.val().into_data());
    }
}

impl ModuleMapper for Numbers {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(numbers) = self.0.pop_front() else { return param };
        param.map(|fresh| {
            Tensor::from_data(numbers, &fresh.device()).set_require_grad(fresh.is_require_grad())
        })
    }
}

/// The shapes of the same.
#[derive(Default)]
struct Shapes(Vec<Vec<usize>>);

impl ModuleVisitor for Shapes {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().dims().to_vec());
    }
}
