//! Gradients of a sub-module against differences of what it computes.

use super::{Failure, numbers, waves};
use crate::network::AnySubModule;
use autogrow_kernels::FeatureMap;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

/// Inputs that are tried. Differences are off where an activation has a kink nearby, which at one
/// input is bad luck; a wrong gradient is wrong at all of them.
const PLACES: [f32; 4] = [0.3, 1.9, 3.2, 5.3];
/// Lengths of the differences: short ones meet few kinks, long ones little rounding.
const STEPS: [f32; 5] = [3e-2, 1e-2, 3e-3, 1e-3, 3e-4];
/// How far a difference may be from the gradient, as a part of the gradient's length.
const TOLERANCE: f64 = 0.02;
/// What may be off whatever the gradient: where batch statistics follow, a bias has no effect and
/// a gradient of rounding errors.
const ROUNDING: f64 = 5e-3;

/// Checks the output's shape, and the gradients of a fixed weighted sum of the output along one
/// direction for the input and for each parameter. Gates are opened: closed ones hide the rest.
pub(super) fn check(
    sub_module: &mut AnySubModule,
    input: [usize; 4],
    expected: [usize; 4],
    device: &Device,
) -> Result<(), Failure> {
    open_gates(sub_module);
    let output = sub_module.forward(FeatureMap::from_nchw(waves(input, 0.0, device)));
    if output.dims() != expected {
        let got = output.dims();
        return Err(Failure(format!("makes {got:?} of {input:?}, expected {expected:?}")));
    }
    let mut closest: Vec<Comparison> = Vec::new();
    for place in PLACES {
        let here = compare(sub_module, waves(input, place, device), expected)?;
        closest = match closest.is_empty() {
            true => here,
            false => closest.into_iter().zip(here).map(|(a, b)| a.closer(b)).collect(),
        };
        if closest.iter().all(Comparison::agrees) {
            return Ok(());
        }
    }
    let wrong = closest.iter().find(|comparison| !comparison.agrees());
    wrong.map_or(Ok(()), |Comparison { of, gradient, difference, .. }| {
        Err(Failure(format!(
            "the gradient of {of} is {gradient} along a direction, differences say {difference}"
        )))
    })
}

/// A gradient along a direction, and what differences say it is.
struct Comparison {
    of: String,
    gradient: f64,
    difference: f64,
    /// Length of the whole gradient.
    length: f64,
}

impl Comparison {
    /// How far the two are apart, in units of what is tolerated.
    fn off(&self) -> f64 {
        (self.difference - self.gradient).abs() / (TOLERANCE * self.length + ROUNDING)
    }

    fn agrees(&self) -> bool {
        self.off() <= 1.0
    }

    fn closer(self, other: Self) -> Self {
        if other.off() < self.off() { other } else { self }
    }
}

fn open_gates(sub_module: &mut AnySubModule) {
    for (number, gate) in sub_module.gates().into_iter().enumerate() {
        let noise = numbers(gate.scale.dims()[0], number as f32).into_iter();
        let open: Vec<f32> = noise.map(|noise| 1.0 + noise / 2.0).collect();
        let data = TensorData::new(open, gate.scale.dims());
        *gate.scale = gate.scale.clone().map(|old| {
            Tensor::from_data(data, &old.device()).set_require_grad(old.is_require_grad())
        });
    }
}

/// Compares the gradients of the input and of each parameter at one input.
fn compare(
    sub_module: &AnySubModule,
    place: Tensor<4>,
    expected: [usize; 4],
) -> Result<Vec<Comparison>, Failure> {
    let (input, device) = (place.dims(), place.device());
    let place = place.require_grad();
    let output = sub_module.forward(FeatureMap::from_nchw(place.clone())).to_nchw();
    let gradients = (output * waves(expected, 1.1, &device)).sum().backward();
    let value = |sub_module: &AnySubModule, place: Tensor<4>| -> f64 {
        let output = sub_module.forward(FeatureMap::from_nchw(place)).to_nchw().into_data();
        let weights = numbers(expected.iter().product(), 1.1);
        output.iter::<f32>().zip(weights).map(|(a, b)| f64::from(a) * f64::from(b)).sum()
    };
    let Some(of_input) = place.grad(&gradients) else {
        return Err(Failure("sends no gradient to its input".into()));
    };
    let plain = place.detach();
    let mut compared = vec![along("its input".into(), &of_input.into_data(), |direction, step| {
        let direction = Tensor::from_data(TensorData::new(direction, input), &device);
        value(sub_module, plain.clone() + direction * step)
    })];
    let of_parameters = GradientsParams::from_grads(gradients, sub_module);
    let mut list = List { gradients: &of_parameters, found: Vec::new() };
    sub_module.visit(&mut list);
    for (id, name, gradient) in list.found {
        let Some(gradient) = gradient else {
            return Err(Failure(format!("sends no gradient to {name}")));
        };
        compared.push(along(name, &gradient, |direction, step| {
            let moved = sub_module.clone().map(&mut Move { id, direction, step });
            value(&moved, plain.clone())
        }));
    }
    Ok(compared)
}

/// Compares a gradient with the closest difference of `value`, which takes a direction and how far
/// to go.
fn along(of: String, gradient: &TensorData, value: impl Fn(Vec<f32>, f32) -> f64) -> Comparison {
    let gradient: Vec<f64> = gradient.iter::<f32>().map(f64::from).collect();
    let direction: Vec<f32> = numbers(gradient.len(), 2.3).into_iter().map(f32::signum).collect();
    let projected = gradient.iter().zip(&direction).map(|(g, d)| g * f64::from(*d)).sum();
    let length = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    let mut closest = Comparison { of, gradient: projected, difference: f64::INFINITY, length };
    for step in STEPS {
        // A direction through many numbers moves the output as far as one through few.
        let step = step / (gradient.len() as f32).sqrt();
        let (ahead, behind) = (value(direction.clone(), step), value(direction.clone(), -step));
        let difference = (ahead - behind) / f64::from(2.0 * step);
        let of = closest.of.clone();
        closest = closest.closer(Comparison { of, gradient: projected, difference, length });
        if closest.agrees() {
            break;
        }
    }
    closest
}

/// Every trainable parameter with its gradient.
struct List<'a> {
    gradients: &'a GradientsParams,
    found: Vec<(ParamId, String, Option<TensorData>)>,
}

impl ModuleVisitor for List<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            let gradient = self.gradients.get::<D>(param.id).map(Tensor::into_data);
            let name = format!("parameter {}, {:?},", self.found.len() + 1, param.dims());
            self.found.push((param.id, name, gradient));
        }
    }
}

/// Moves one parameter.
struct Move {
    id: ParamId,
    direction: Vec<f32>,
    step: f32,
}

impl ModuleMapper for Move {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if param.id != self.id {
            return param;
        }
        param.map(|old| {
            let data = TensorData::new(self.direction.clone(), old.dims());
            let old = old.inner();
            let direction = Tensor::from_data(data, &old.device());
            // A leaf again: only those are parameters.
            Tensor::from_inner(old + direction * self.step).set_require_grad(true)
        })
    }
}
