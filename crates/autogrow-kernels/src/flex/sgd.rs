//! The optimiser step in one pass over the memory.

use burn::backend::Dispatch;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::extension::{FusedOps, Primitive};
use crate::descent::Sgd;

/// Floats that one thread takes at a time.
const CHUNK: usize = 1 << 13;

/// See [`Sgd::step`].
pub(crate) fn sgd_step<const D: usize>(
    sgd: Sgd,
    weight: Tensor<D>,
    gradient: Tensor<D>,
    momentum: Option<Tensor<D>>,
) -> (Tensor<D>, Tensor<D>) {
    let [weight, gradient] = [weight, gradient].map(Tensor::into_dispatch);
    let (weight, velocity) = match momentum {
        Some(momentum) => Dispatch::fused_sgd(weight, gradient, momentum.into_dispatch(), sgd),
        None => Dispatch::fused_first_sgd(weight, gradient, sgd),
    };
    (Tensor::from_dispatch(weight), Tensor::from_dispatch(velocity))
}

/// The step with a momentum buffer. Writing to a tensor copies it first if it is shared.
pub(crate) fn step(
    sgd: Sgd,
    weight: Primitive,
    gradient: &Primitive,
    velocity: Primitive,
) -> (Primitive, Primitive) {
    let (mut weight, gradient) = (contiguous(weight), gradient.to_contiguous());
    let mut velocity = contiguous(velocity);
    let [rate, momentum, decay] =
        [sgd.learning_rate, sgd.momentum, sgd.weight_decay].map(|factor| factor as f32);
    let gradients = gradient.storage::<f32>().par_chunks(CHUNK);
    let weights = weight.storage_mut::<f32>().par_chunks_mut(CHUNK);
    let velocities = velocity.storage_mut::<f32>().par_chunks_mut(CHUNK);
    weights.zip(velocities).zip(gradients).for_each(|((weights, velocities), gradients)| {
        let pairs = weights.iter_mut().zip(velocities).zip(gradients);
        pairs.for_each(|((weight, velocity), gradient)| {
            *velocity = momentum * *velocity + (gradient + decay * *weight);
            *weight -= rate * *velocity;
        });
    });
    (weight, velocity)
}

/// The first step: the gradient becomes the momentum buffer.
pub(crate) fn first_step(
    sgd: Sgd,
    weight: Primitive,
    gradient: Primitive,
) -> (Primitive, Primitive) {
    let (mut weight, mut velocity) = (contiguous(weight), contiguous(gradient));
    let [rate, decay] = [sgd.learning_rate, sgd.weight_decay].map(|factor| factor as f32);
    let weights = weight.storage_mut::<f32>().par_chunks_mut(CHUNK);
    let velocities = velocity.storage_mut::<f32>().par_chunks_mut(CHUNK);
    weights.zip(velocities).for_each(|(weights, velocities)| {
        for (weight, velocity) in weights.iter_mut().zip(velocities) {
            *velocity += decay * *weight;
            *weight -= rate * *velocity;
        }
    });
    (weight, velocity)
}

/// The same numbers in their order, the memory still unshared if it was.
fn contiguous(tensor: Primitive) -> Primitive {
    let contiguous = tensor.to_contiguous();
    drop(tensor);
    contiguous
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flex::extension::tensor;

    #[test]
    fn unshared_tensors_are_moved_in_place() {
        let sgd = Sgd { learning_rate: 0.1, momentum: 0.9, weight_decay: 0.0 };
        let ones = || tensor(vec![1.0; 1000], &[1000]);
        let address = |tensor: &Primitive| tensor.storage::<f32>().as_ptr();
        let (weight, gradient, velocity) = (ones(), ones(), ones());
        let before = [address(&weight), address(&velocity)];
        let (weight, velocity) = step(sgd, weight, &gradient, velocity);
        assert_eq!([address(&weight), address(&velocity)], before);
        assert_eq!((weight.storage::<f32>()[999], velocity.storage::<f32>()[0]), (0.81, 1.9));

        let before = address(&gradient);
        let (_, velocity) = first_step(sgd, weight, gradient);
        assert_eq!(address(&velocity), before);
    }
}
