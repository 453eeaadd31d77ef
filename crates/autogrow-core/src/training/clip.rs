//! What is looked at of all gradients before a step: whether they are finite, and how long they are.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// Whether every gradient is finite: then, and for no sensible gradient else, so is its sum. One read
/// from the device.
pub(super) fn are_finite(network: &impl Module, gradients: &GradientsParams) -> bool {
    let mut sums =
        Each { gradients, of: |gradient: Tensor<1>| gradient.sum(), numbers: Vec::new() };
    network.visit(&mut sums);
    sums.read().iter().all(|sum| sum.is_finite())
}

/// The gradients, all made shorter alike where together they are longer than `longest`, as by
/// PyTorch's `clip_grad_norm_`.
pub(super) fn clipped(
    network: &impl Module,
    gradients: GradientsParams,
    longest: f64,
) -> GradientsParams {
    let square = |gradient: Tensor<1>| (gradient.clone() * gradient).sum();
    let mut squares = Each { gradients: &gradients, of: square, numbers: Vec::new() };
    network.visit(&mut squares);
    let length = squares.read().iter().copied().map(f64::from).sum::<f64>().sqrt();
    let factor = longest / (length + 1e-6);
    if factor >= 1.0 {
        return gradients;
    }
    let mut scale = Scale { gradients, factor };
    network.visit(&mut scale);
    scale.gradients
}

/// A number of each gradient.
struct Each<'a, F> {
    gradients: &'a GradientsParams,
    of: F,
    numbers: Vec<Tensor<1>>,
}

impl<F> Each<'_, F> {
    fn read(self) -> Vec<f32> {
        if self.numbers.is_empty() {
            return Vec::new();
        }
        Tensor::cat(self.numbers, 0).into_data().iter::<f32>().collect()
    }
}

impl<F: Fn(Tensor<1>) -> Tensor<1>> ModuleVisitor for Each<'_, F> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.numbers.push((self.of)(gradient.flatten(0, D - 1)));
        }
    }
}

/// Multiplies each gradient.
struct Scale {
    gradients: GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scale {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register(param.id, gradient.mul_scalar(self.factor));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};
    use proptest::prelude::*;

    #[derive(Module, Debug)]
    struct Two {
        one: Param<Tensor<1>>,
        other: Param<Tensor<2>>,
    }

    /// A module, and gradients of its parameters with these numbers.
    fn gradients(numbers: &[f32; 5]) -> (Two, GradientsParams) {
        let device = Device::flex();
        let one = Tensor::<1>::from_data(TensorData::from(&numbers[..1]), &device);
        let data = TensorData::new(numbers[1..].to_vec(), [2, 2]);
        let other = Tensor::<2>::from_data(data, &device);
        let two = Two {
            one: Param::from_tensor(one.clone().zeros_like()),
            other: Param::from_tensor(other.clone().zeros_like()),
        };
        let mut gradients = GradientsParams::new();
        gradients.register(two.one.id, one);
        gradients.register(two.other.id, other);
        (two, gradients)
    }

    fn numbers(two: &Two, gradients: &GradientsParams) -> Vec<f32> {
        let one = gradients.get::<1>(two.one.id).unwrap().into_data();
        let other = gradients.get::<2>(two.other.id).unwrap().into_data();
        one.iter::<f32>().chain(other.iter::<f32>()).collect()
    }

    #[test]
    fn one_number_that_is_not_finite_is_found() {
        let (two, finite) = gradients(&[1e30, -1e30, 0.0, 1.0, 2.0]);
        assert!(are_finite(&two, &finite));
        for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let (two, wrong) = gradients(&[0.0, 1.0, 2.0, number, 3.0]);
            assert!(!are_finite(&two, &wrong));
        }
        assert!(are_finite(&two, &GradientsParams::new()));
    }

    proptest! {
        #[test]
        fn together_they_are_as_long_as_they_may_be(
            values in prop::array::uniform5(-10.0f32..10.0),
            longest in 0.01f64..30.0,
        ) {
            let (two, all) = gradients(&values);
            let clipped = numbers(&two, &clipped(&two, all, longest));
            let length = |numbers: &[f32]| {
                numbers.iter().map(|&number| f64::from(number).powi(2)).sum::<f64>().sqrt()
            };
            let before = length(&values);
            if before <= longest * (1.0 - 1e-4) {
                prop_assert_eq!(&clipped[..], &values[..]);
            } else {
                prop_assert!((length(&clipped) - before.min(longest)).abs() < 1e-4 * longest + 1e-6);
                let factor = longest.min(before) / before;
                for (clipped, before) in clipped.iter().zip(values) {
                    let wanted = f64::from(before) * factor;
                    prop_assert!((f64::from(*clipped) - wanted).abs() < 1e-4 * longest + 1e-6);
                }
            }
        }
    }
}
