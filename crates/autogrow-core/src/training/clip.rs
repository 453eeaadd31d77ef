//! What is looked at of all gradients before a step: whether they are finite, and how long they are.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// Of each gradient its sum, which is finite where it is, and for no sensible gradient else; behind
/// these, where lengths are wanted, the square of each one's length.
pub(super) fn looks(
    network: &impl Module,
    gradients: &GradientsParams,
    lengths: bool,
) -> Vec<Tensor<1>> {
    let mut looks = Looks { gradients, lengths, sums: Vec::new(), squares: Vec::new() };
    network.visit(&mut looks);
    looks.sums.append(&mut looks.squares);
    looks.sums
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
    let mut scale = Scale { gradients, factor };
    network.visit(&mut scale);
    scale.gradients
}

struct Looks<'a> {
    gradients: &'a GradientsParams,
    lengths: bool,
    sums: Vec<Tensor<1>>,
    squares: Vec<Tensor<1>>,
}

impl ModuleVisitor for Looks<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(param.id) else { return };
        let gradient = gradient.flatten::<1>(0, D - 1);
        if self.lengths {
            self.squares.push((gradient.clone() * gradient.clone()).sum());
        }
        self.sums.push(gradient.sum());
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

    fn read(numbers: Vec<Tensor<1>>) -> Vec<f32> {
        numbers
            .into_iter()
            .flat_map(|one| one.into_data().iter::<f32>().collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn one_number_that_is_not_finite_is_found() {
        let are_finite = |two: &Two, gradients: &GradientsParams| {
            read(looks(two, gradients, false)).iter().all(|sum| sum.is_finite())
        };
        let (two, finite) = gradients(&[1e30, -1e30, 0.0, 1.0, 2.0]);
        assert!(are_finite(&two, &finite));
        for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let (two, wrong) = gradients(&[0.0, 1.0, 2.0, number, 3.0]);
            assert!(!are_finite(&two, &wrong));
        }
        assert!(looks(&two, &GradientsParams::new(), true).is_empty());
    }

    proptest! {
        #[test]
        fn together_they_are_as_long_as_they_may_be(
            values in prop::array::uniform5(-10.0f32..10.0),
            longest in 0.01f64..30.0,
        ) {
            let (two, all) = gradients(&values);
            let looks = read(looks(&two, &all, true));
            let clipped = numbers(&two, &clipped(&two, all, &looks[2..], longest));
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
