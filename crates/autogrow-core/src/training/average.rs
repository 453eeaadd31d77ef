//! An exponential moving average of the parameters, evaluated in their place (an option of the
//! released code).

use crate::network::Network;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use std::any::Any;
use std::collections::HashMap;

/// Averages by parameter. What comes later, by a growth, starts at its first value.
#[derive(Default)]
pub(super) struct Average {
    decay: f64,
    /// A `Tensor<D>` each, of the parameter's rank.
    values: HashMap<ParamId, Box<dyn Any + Send>>,
}

impl Average {
    pub(super) fn new(decay: f64) -> Self {
        Self { decay, values: HashMap::new() }
    }

    /// average = decay x average + (1 - decay) x parameter.
    pub(super) fn update(&mut self, network: &Network) {
        network.visit(self);
    }

    /// `network`, in evaluation mode, with the averages in place of its parameters.
    pub(super) fn apply(&self, network: Network) -> Network {
        network.map(&mut Replace(&self.values))
    }
}

impl ModuleVisitor for Average {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        let now = param.val().inner();
        let average =
            self.values.remove(&param.id).and_then(|old| old.downcast::<Tensor<D>>().ok());
        let average = match average {
            Some(old) => grown(*old, now.clone()) * self.decay + now * (1.0 - self.decay),
            None => now,
        };
        self.values.insert(param.id, Box::new(average));
    }
}

/// The average of a parameter that may have got more inputs since.
fn grown<const D: usize>(average: Tensor<D>, now: Tensor<D>) -> Tensor<D> {
    let own = average.dims();
    if own == now.dims() { average } else { now.slice_assign(own.map(|size| 0..size), average) }
}

struct Replace<'a>(&'a HashMap<ParamId, Box<dyn Any + Send>>);

impl ModuleMapper for Replace<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.0.get(&param.id).and_then(|average| average.downcast_ref::<Tensor<D>>()) {
            Some(average) => param.map(|now| grown(average.clone(), now)),
            None => param,
        }
    }
}
