//! Gradients of a sub-module against differences of what it computes.

use super::{Failure, numbers, waves};
use crate::network::AnySubModule;
use autogrow_kernels::FeatureMap;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

/// Steps of the differences: small ones meet few kinks of activations, large ones little rounding.
/// One of them has to do.
const STEPS: [f32; 4] = [3e-2, 1e-2, 3e-3, 1e-3];
/// How far a difference may be from the gradient, as a part of the gradient's length.
const TOLERANCE: f64 = 0.02;

/// Checks the output's shape, and the gradients of a fixed weighted sum of the output along one
/// direction for the input and for each parameter. Gates are opened: closed ones hide the rest.
pub(super) fn check(
    sub_module: &mut AnySubModule,
    input: [usize; 4],
    expected: [usize; 4],
    device: &Device,
) -> Result<(), Failure> {
    for (number, gate) in sub_module.gates().into_iter().enumerate() {
        let noise = numbers(gate.scale.dims()[0], number as f32).into_iter();
        let open: Vec<f32> = noise.map(|noise| 1.0 + noise / 2.0).collect();
        let data = TensorData::new(open, gate.scale.dims());
        *gate.scale = gate.scale.clone().map(|old| {
            Tensor::from_data(data, &old.device()).set_require_grad(old.is_require_grad())
        });
    }
    let place = waves(input, 0.3, device).require_grad();
    let output = sub_module.forward(FeatureMap::from_nchw(place.clone())).to_nchw();
    if output.dims() != expected {
        let got = output.dims();
        return Err(Failure(format!("makes {got:?} of {input:?}, expected {expected:?}")));
    }
    let loss = (output * waves(expected, 1.1, device)).sum();
    let gradients = loss.backward();

    let value = |sub_module: &AnySubModule, place: Tensor<4>| -> f64 {
        let output = sub_module.forward(FeatureMap::from_nchw(place)).to_nchw().into_data();
        let weights = numbers(expected.iter().product(), 1.1);
        output.iter::<f32>().zip(weights).map(|(a, b)| f64::from(a) * f64::from(b)).sum()
    };
    let Some(of_input) = place.grad(&gradients) else {
        return Err(Failure("sends no gradient to its input".into()));
    };
    let plain = place.detach();
    agree("its input", &of_input.into_data(), |direction, step| {
        let direction = Tensor::from_data(TensorData::new(direction, input), device);
        value(sub_module, plain.clone() + direction * step)
    })?;

    let of_parameters = GradientsParams::from_grads(gradients, sub_module);
    let mut list = List { gradients: &of_parameters, found: Vec::new() };
    sub_module.visit(&mut list);
    for (id, name, gradient) in list.found {
        let Some(gradient) = gradient else {
            return Err(Failure(format!("sends no gradient to {name}")));
        };
        agree(&name, &gradient, |direction, step| {
            let moved = sub_module.clone().map(&mut Move { id, direction, step });
            value(&moved, plain.clone())
        })?;
    }
    Ok(())
}

/// Whether differences of `value`, which takes a direction and how far to go, agree with
/// `gradient`.
fn agree(
    what: &str,
    gradient: &TensorData,
    value: impl Fn(Vec<f32>, f32) -> f64,
) -> Result<(), Failure> {
    let gradient: Vec<f64> = gradient.iter::<f32>().map(f64::from).collect();
    let direction: Vec<f32> =
        numbers(gradient.len(), 2.3).into_iter().map(|number| number.signum()).collect();
    let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * f64::from(*d)).sum();
    let length = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    let mut closest = f64::INFINITY;
    let mut last = 0.0;
    for step in STEPS {
        // A direction through many numbers moves the output as far as one through few.
        let step = step / (gradient.len() as f32).sqrt();
        let (ahead, behind) = (value(direction.clone(), step), value(direction.clone(), -step));
        let difference = (ahead - behind) / f64::from(2.0 * step);
        let off = (difference - along).abs();
        if off < closest {
            (closest, last) = (off, difference);
        }
    }
    // Where batch statistics follow, a bias has no effect and a gradient of rounding errors.
    if closest <= TOLERANCE * length + 5e-3 {
        return Ok(());
    }
    Err(Failure(format!("the gradient of {what} along a direction is {along}, differences say {last}")))
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
            let name = format!("parameter {} {:?}", self.found.len(), param.dims());
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
            let direction = Tensor::from_data(data, &old.device());
            (old.clone().detach() + direction * self.step).set_require_grad(true)
        })
    }
}
