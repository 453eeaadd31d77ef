//! Gradients over all ranks: summed in one go, in the order of ranks.

use crate::Result;
use crate::network::Network;
use crate::ranks::Ranks;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

/// The sums of `gradients` over all ranks. Those of each rank are of its part of one loss.
///
/// Sent as one array: all gradients, zeros where a rank has none, and for each parameter how many
/// ranks have one, so that a parameter without any stays without.
///
/// # Errors
/// [`Error::Ranks`](crate::Error::Ranks) where a rank is lost.
pub(super) fn sum(
    ranks: &Ranks,
    network: &Network,
    gradients: GradientsParams,
    device: &Device,
) -> Result<GradientsParams> {
    if !ranks.are_several() {
        return Ok(gradients);
    }
    let mut collect = Collect { gradients, numbers: Vec::new(), there: Vec::new() };
    network.visit(&mut collect);
    let Collect { mut numbers, there, .. } = collect;
    let length = numbers.len();
    numbers.extend(there);
    ranks.sum(&mut numbers)?;
    let (numbers, there) = numbers.split_at(length);
    let mut hand_out =
        HandOut { numbers, there, device: device.clone().inner(), sums: GradientsParams::new() };
    network.visit(&mut hand_out);
    Ok(hand_out.sums)
}

struct Collect {
    gradients: GradientsParams,
    numbers: Vec<f32>,
    there: Vec<f32>,
}

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        match self.gradients.remove::<D>(param.id) {
            Some(gradient) => {
                self.there.push(1.0);
                self.numbers.extend(gradient.into_data().iter::<f32>());
            }
            None => {
                self.there.push(0.0);
                self.numbers.resize(self.numbers.len() + param.shape().num_elements(), 0.0);
            }
        }
    }
}

struct HandOut<'a> {
    numbers: &'a [f32],
    there: &'a [f32],
    device: Device,
    sums: GradientsParams,
}

impl ModuleVisitor for HandOut<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        let shape = param.dims();
        let (own, numbers) = self.numbers.split_at(shape.iter().product());
        let (there, rest) = self.there.split_at(1);
        (self.numbers, self.there) = (numbers, rest);
        if there[0] > 0.0 {
            let sum = Tensor::<D>::from_data(TensorData::new(own.to_vec(), shape), &self.device);
            self.sums.register(param.id, sum);
        }
    }
}
