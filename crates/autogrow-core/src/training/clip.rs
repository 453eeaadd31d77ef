//! What is looked at of all gradients before a step: whether they are finite, and how long they are.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// What there is to see of each gradient, still on the device.
pub(super) struct Looks {
    /// Its sum, which is finite where it is, and for no sensible gradient else.
    pub(super) sums: Vec<Tensor<1>>,
    /// The square of its length, where lengths are wanted.
    pub(super) squares: Vec<Tensor<1>>,
}

/// Looks at all gradients.
pub(super) fn looks(network: &impl Module, gradients: &GradientsParams, lengths: bool) -> Looks {
    let looks = Looks { sums: Vec::new(), squares: Vec::new() };
    let mut look = Look { gradients, lengths, looks };
    network.visit(&mut look);
    look.looks
}

/// The gradients, all made shorter alike where together they are longer than `longest`, as by
/// PyTorch's `clip_grad_norm_`. `squares` are those of their lengths.
pub(super) fn clipped(
    network: &impl Module,
    gradients: GradientsParams,
    squares: &[f32],
    longest: f64,
) -> GradientsParams {
    let length = squares.iter().copied().map(f64::from).sum::<f64>().sqrt();
    let factor = longest / (length + 1e-6);
    if factor >= 1.0 {
        return gradients;
    }
    let mut scale = Scale { gradients, factor: Factor::Read(factor) };
    network.visit(&mut scale);
    scale.gradients
}

/// The same without reading the lengths: the factor stays on the device, in single precision.
pub(super) fn clipped_unread(
    network: &impl Module,
    gradients: GradientsParams,
    squares: Vec<Tensor<1>>,
    longest: f64,
) -> GradientsParams {
    if squares.is_empty() {
        return gradients;
    }
    let length = Tensor::cat(squares, 0).sum().sqrt();
    let factor = ((length + 1e-6).recip() * longest).clamp_max(1.0);
    let mut scale = Scale { gradients, factor: Factor::Unread(&factor) };
    network.visit(&mut scale);
    scale.gradients
}

struct Look<'a> {
    gradients: &'a GradientsParams,
    lengths: bool,
    looks: Looks,
}

impl ModuleVisitor for Look<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(param.id) else { return };
        let gradient = gradient.flatten::<1>(0, D - 1);
        if self.lengths {
            self.looks.squares.push((gradient.clone() * gradient.clone()).sum());
        }
        self.looks.sums.push(gradient.sum());
    }
}

/// Multiplies each gradient.
struct Scale<'a> {
    gradients: GradientsParams,
    factor: Factor<'a>,
}

enum Factor<'a> {
    Read(f64),
    /// `[1]`.
    Unread(&'a Tensor<1>),
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let gradient = match &self.factor {
                Factor::Read(factor) => gradient.mul_scalar(*factor),
                Factor::Unread(factor) => gradient * Tensor::clone(factor).reshape([1; D]),
            };
            self.gradients.register(param.id, gradient);
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

    fn read(numbers: Vec<Tensor<1>>) -> Vec<f32> {
        numbers
            .into_iter()
            .flat_map(|one| one.into_data().iter::<f32>().collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn one_number_that_is_not_finite_is_found() {
        let are_finite = |two: &Two, gradients: &GradientsParams| {
            read(looks(two, gradients, false).sums).iter().all(|sum| sum.is_finite())
        };
        let (two, finite) = gradients(&[1e30, -1e30, 0.0, 1.0, 2.0]);
        assert!(are_finite(&two, &finite));
        for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let (two, wrong) = gradients(&[0.0, 1.0, 2.0, number, 3.0]);
            assert!(!are_finite(&two, &wrong));
        }
        let none = looks(&two, &GradientsParams::new(), true);
        assert!(none.sums.is_empty() && none.squares.is_empty());
    }

    proptest! {
        #[test]
        fn together_they_are_as_long_as_they_may_be(
            values in prop::array::uniform5(-10.0f32..10.0),
            longest in 0.01f64..30.0,
            on_device: bool,
        ) {
            let (two, all) = gradients(&values);
            let squares = looks(&two, &all, true).squares;
            let clipped = match on_device {
                false => clipped(&two, all, &read(squares), longest),
                true => clipped_unread(&two, all, squares, longest),
            };
            let clipped = numbers(&two, &clipped);
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
