//! An exponential moving average of the parameters, evaluated in their place (an option of the
//! released code).

use crate::network::Network;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use std::any::Any;
use std::collections::HashMap;

/// Averages by parameter, which start at 0 and are corrected for that (Kingma and Ba 2015, section
/// 3): after one step they are the parameters, after few their mean. What comes later, by a growth,
/// starts at its first value, before it is trained, so that a checkpoint at that moment has an
/// average of everything.
pub(super) struct Average {
    decay: f64,
    /// Steps so far.
    steps: u64,
    /// A `Tensor<D>` each, of the parameter's rank.
    values: HashMap<ParamId, Box<dyn Any + Send>>,
}

impl Average {
    /// Of the parameters as they are now, after so many steps.
    pub(super) fn of(network: &Network, decay: f64, steps: u64) -> Self {
        let mut average = Self { decay, steps, values: HashMap::new() };
        average.begin(network);
        average
    }

    /// Begins the averages of parameters, and of inputs, that have none yet.
    pub(super) fn begin(&mut self, network: &Network) {
        network.visit(&mut Begin(&mut self.values));
    }

    /// average = (1 - w) x average + w x parameter, w = (1 - decay) / (1 - decay^steps).
    pub(super) fn update(&mut self, network: &Network) {
        self.steps = self.steps.saturating_add(1);
        network.visit(self);
    }

    /// Steps so far.
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// The part of the average that a step replaces.
    fn weight(&self) -> f64 {
        (1.0 - self.decay) / (1.0 - self.decay.powf(self.steps as f64))
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
            let weight = self.weight();
            let average = old * (1.0 - weight) + now * weight;
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
