//! Gradients over all ranks: summed in one go, by the devices of the ranks where these can, else in
//! the host's memory in the order of ranks.

use crate::Result;
use crate::network::Network;
use crate::ranks::{Ranks, reduced};
use crate::transfer::{read, upload};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

/// The sums of `gradients` over all ranks. Those of each rank are of its part of one loss. A rank
/// without a gradient counts as zeros; a parameter without any stays without.
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
    let mut collect = Collect { gradients, parts: Vec::new() };
    network.visit(&mut collect);
    let device = device.clone().inner();
    let sum = |numbers: &mut [f32]| ranks.sum(numbers);
    let sums = match ranks.devices() {
        Some(all) => on_devices(collect.parts, &device, sum, |own| reduced(own, all))?,
        None => on_host(collect.parts, &device, sum)?,
    };
    let mut hand_out = HandOut { sums: sums.into_iter(), gradients: GradientsParams::new() };
    network.visit(&mut hand_out);
    Ok(hand_out.gradients)
}

/// What a parameter's gradient is summed as.
struct Part {
    /// `[length]`, if this rank has one.
    gradient: Option<Tensor<1>>,
    length: usize,
}

impl Part {
    /// Added up, how many ranks have this gradient.
    fn there(&self) -> f32 {
        f32::from(u8::from(self.gradient.is_some()))
    }
}

/// Sent as one array: all gradients, and for each of them how many ranks have it.
fn on_host(
    parts: Vec<Part>,
    device: &Device,
    sum: impl FnOnce(&mut [f32]) -> Result<()>,
) -> Result<Vec<Option<Tensor<1>>>> {
    let lengths: Vec<_> = parts.iter().map(|part| part.length).collect();
    let there: Vec<_> = parts.iter().map(Part::there).collect();
    let length = lengths.iter().sum();
    let mut numbers = Vec::with_capacity(length + there.len());
    for part in parts {
        match part.gradient {
            Some(gradient) => numbers.extend(read(gradient).iter::<f32>()),
            None => numbers.resize(numbers.len() + part.length, 0.0),
        }
    }
    numbers.extend(there);
    sum(&mut numbers)?;
    let (mut numbers, there) = numbers.split_at(length);
    let sums = lengths.into_iter().zip(there).map(|(length, there)| {
        let (own, rest) = numbers.split_at(length);
        numbers = rest;
        let data = || TensorData::new(own.to_vec(), [length]);
        (*there > 0.0).then(|| upload(data(), device))
    });
    Ok(sums.collect())
}

/// The gradients stay on their device; how many ranks have one goes through the host.
fn on_devices(
    parts: Vec<Part>,
    device: &Device,
    sum: impl FnOnce(&mut [f32]) -> Result<()>,
    reduce: impl FnOnce(Tensor<1>) -> Tensor<1>,
) -> Result<Vec<Option<Tensor<1>>>> {
    let mut there: Vec<_> = parts.iter().map(Part::there).collect();
    sum(&mut there)?;
    let lengths: Vec<_> = parts.iter().map(|part| part.length).collect();
    let filled = |part: Part| match part.gradient {
        Some(gradient) => gradient,
        None => Tensor::zeros([part.length], device),
    };
    let all = reduce(Tensor::cat(parts.into_iter().map(filled).collect(), 0));
    let mut end = 0;
    let sums = lengths.into_iter().zip(there).map(|(length, there)| {
        let start = end;
        end += length;
        (there > 0.0).then(|| all.clone().narrow(0, start, length))
    });
    Ok(sums.collect())
}

struct Collect {
    gradients: GradientsParams,
    parts: Vec<Part>,
}

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            let gradient = self.gradients.remove::<D>(param.id);
            let length = param.shape().num_elements();
            let gradient = gradient.map(|gradient| gradient.reshape([length]));
            self.parts.push(Part { gradient, length });
        }
    }
}

struct HandOut {
    sums: std::vec::IntoIter<Option<Tensor<1>>>,
    gradients: GradientsParams,
}

impl ModuleVisitor for HandOut {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad()
            && let Some(sum) = self.sums.next().flatten()
        {
            self.gradients.register(param.id, sum.reshape(param.dims()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranks::in_process;
    use proptest::prelude::*;

    /// The sums on one rank, as numbers.
    fn numbers(sums: Vec<Option<Tensor<1>>>) -> Vec<Option<Vec<f32>>> {
        let to_numbers = |sum: Tensor<1>| sum.into_data().try_to_vec().unwrap();
        sums.into_iter().map(|sum| sum.map(to_numbers)).collect()
    }

    /// A gradient or none for each parameter of each rank.
    fn some_parts(lengths: &[usize], have: &[bool], rank: usize) -> Vec<Part> {
        let device = Device::flex();
        let part = |(number, &length): (usize, &usize)| {
            let value = |at| (1.0 + at as f32 * 0.7 + rank as f32 + number as f32).sin();
            let values: Vec<f32> = (0..length).map(value).collect();
            let gradient = Tensor::from_data(TensorData::new(values, [length]), &device);
            Part { gradient: have[(number + 3 * rank) % have.len()].then_some(gradient), length }
        };
        lengths.iter().enumerate().map(part).collect()
    }

    proptest! {
        #[test]
        fn devices_get_the_sums_that_the_host_gets(
            lengths in prop::collection::vec(1_usize..9, 1..6),
            have in prop::collection::vec(any::<bool>(), 1..8),
        ) {
            let ranks = in_process(2);
            let sums: Vec<_> = std::thread::scope(|scope| {
                let (lengths, have) = (&lengths, &have);
                let threads = ranks.into_iter().map(|ranks| scope.spawn(move || {
                    let device = Device::flex();
                    let parts = || some_parts(lengths, have, ranks.rank());
                    let host = on_host(parts(), &device, |numbers| ranks.sum(numbers)).unwrap();
                    // An all-reduce as a device would do it.
                    let reduce = |all: Tensor<1>| {
                        let mut numbers: Vec<f32> = all.into_data().try_to_vec().unwrap();
                        ranks.sum(&mut numbers).unwrap();
                        let data = TensorData::new(numbers, [lengths.iter().sum::<usize>()]);
                        Tensor::from_data(data, &device)
                    };
                    let own = on_devices(parts(), &device, |there| ranks.sum(there), reduce);
                    (numbers(host), numbers(own.unwrap()))
                }));
                threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            for (host, devices) in &sums {
                prop_assert_eq!(host, devices);
                prop_assert_eq!(host, &sums[0].0);
                for (number, sum) in host.iter().enumerate() {
                    let there = (0..2).any(|rank| have[(number + 3 * rank) % have.len()]);
                    prop_assert_eq!(sum.is_some(), there);
                    prop_assert!(sum.as_ref().is_none_or(|sum| sum.len() == lengths[number]));
                }
            }
        }
    }
}
