//! An exponential moving average of the parameters, evaluated in their place (an option of the
//! released code).

use crate::network::Network;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use std::any::Any;
use std::collections::HashMap;

/// Averages by parameter. What comes later, by a growth, starts at its first value, before it is
/// trained, so that a checkpoint at that moment has an average of everything.
pub(super) struct Average {
    decay: f64,
    /// A `Tensor<D>` each, of the parameter's rank.
    values: HashMap<ParamId, Box<dyn Any + Send>>,
}

impl Average {
    /// Of the parameters as they are now.
    pub(super) fn of(network: &Network, decay: f64) -> Self {
        let mut average = Self { decay, values: HashMap::new() };
        average.begin(network);
        average
    }

    /// Begins the averages of parameters, and of inputs, that have none yet.
    pub(super) fn begin(&mut self, network: &Network) {
        network.visit(&mut Begin(&mut self.values));
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
        if let Some(old) = own::<D>(&self.values, param.id) {
            let average = old * self.decay + now * (1.0 - self.decay);
            self.values.insert(param.id, Box::new(average));
        }
    }
}

struct Begin<'a>(&'a mut HashMap<ParamId, Box<dyn Any + Send>>);

impl ModuleVisitor for Begin<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        // Running statistics are no parameters.
        if !param.is_require_grad() {
            return;
        }
        let now = param.val().inner();
        let average = match own::<D>(self.0, param.id) {
            Some(old) => grown(old, now),
            None => now,
        };
        self.0.insert(param.id, Box::new(average));
    }
}

fn own<const D: usize>(
    values: &HashMap<ParamId, Box<dyn Any + Send>>,
    id: ParamId,
) -> Option<Tensor<D>> {
    values.get(&id)?.downcast_ref::<Tensor<D>>().cloned()
}

/// The average of a parameter that may have got more inputs since.
fn grown<const D: usize>(average: Tensor<D>, now: Tensor<D>) -> Tensor<D> {
    let own = average.dims();
    if own == now.dims() { average } else { now.slice_assign(own.map(|size| 0..size), average) }
}

struct Replace<'a>(&'a HashMap<ParamId, Box<dyn Any + Send>>);

impl ModuleMapper for Replace<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match own::<D>(self.0, param.id) {
            Some(average) => param.map(|_| average),
            None => param,
        }
    }
}
