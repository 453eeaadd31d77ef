//! One step of stochastic gradient descent with momentum and weight decay, as PyTorch defines it.

use crate::descent::Sgd;
use burn::tensor::Tensor;

impl Sgd {
    /// Moves one parameter tensor and its momentum buffer, which is `None` before the first step:
    ///
    /// `g = gradient + weight_decay * weight`, `v = momentum * v + g`,
    /// `weight = weight - learning_rate * v`.
    ///
    /// Returns `(weight, v)`. The tensors are without autodiff. On Flex this is one pass over the
    /// memory, in place where the tensors are not shared.
    pub fn step<const D: usize>(
        &self,
        weight: Tensor<D>,
        gradient: Tensor<D>,
        momentum: Option<Tensor<D>>,
    ) -> (Tensor<D>, Tensor<D>) {
        let tensors = [Some(&weight), Some(&gradient), momentum.as_ref()];
        if tensors.into_iter().flatten().all(crate::flex::supports) {
            return crate::flex::sgd_step(*self, weight, gradient, momentum);
        }
        self.plain_step(weight, gradient, momentum)
    }

    /// The same by Burn's own operations.
    fn plain_step<const D: usize>(
        &self,
        weight: Tensor<D>,
        gradient: Tensor<D>,
        momentum: Option<Tensor<D>>,
    ) -> (Tensor<D>, Tensor<D>) {
        let gradient = gradient + weight.clone() * self.weight_decay;
        let velocity = match momentum {
            Some(velocity) => velocity * self.momentum + gradient,
            None => gradient,
        };
        (weight - velocity.clone() * self.learning_rate, velocity)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution, Tensor};

    use super::Sgd;

    const SGD: Sgd = Sgd { learning_rate: 0.1, momentum: 0.9, weight_decay: 0.01 };

    fn numbers(tensor: &Tensor<2>) -> Vec<f32> {
        tensor.to_data().try_to_vec().unwrap()
    }

    #[test]
    fn two_steps_by_hand() {
        let tensor = |value: f32| Tensor::<2>::from_floats([[value]], &Device::flex());
        let (weight, velocity) = SGD.step(tensor(2.0), tensor(0.5), None);
        // g = 0.5 + 0.01 * 2
        assert!((numbers(&velocity)[0] - 0.52).abs() < 1e-6);
        assert!((numbers(&weight)[0] - 1.948).abs() < 1e-6);
        let (weight, velocity) = SGD.step(weight, tensor(-1.0), Some(velocity));
        // v = 0.9 * 0.52 - 1 + 0.01 * 1.948
        assert!((numbers(&velocity)[0] + 0.51252).abs() < 1e-6);
        assert!((numbers(&weight)[0] - 1.999_252).abs() < 1e-6);
    }

    #[test]
    fn shared_and_transposed_tensors_are_left_alone() {
        let random =
            |shape: [usize; 2]| Tensor::<2>::random(shape, Distribution::Default, &Device::flex());
        let (weight, gradient) = (random([300, 500]), random([500, 300]).transpose());
        let velocity = random([300, 500]);
        let kept = [&weight, &gradient, &velocity].map(numbers);
        let arguments = || (weight.clone(), gradient.clone(), Some(velocity.clone()));
        let (w, g, v) = arguments();
        let ours = SGD.step(w, g, v);
        let (w, g, v) = arguments();
        let theirs = SGD.plain_step(w, g, v);
        for (ours, theirs) in [(ours.0, theirs.0), (ours.1, theirs.1)] {
            let pairs = numbers(&ours).into_iter().zip(numbers(&theirs));
            assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-6));
        }
        assert_eq!([&weight, &gradient, &velocity].map(numbers), kept);
    }
}
