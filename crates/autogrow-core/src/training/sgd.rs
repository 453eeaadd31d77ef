//! Stochastic gradient descent with momentum, by the fused step of `autogrow-kernels`.

use autogrow_kernels::Sgd;
use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// PyTorch's SGD without dampening and Nesterov: weight decay is added to the gradient, the first
/// velocity is the first gradient.
#[derive(Clone)]
pub(super) struct Momentum {
    pub(super) momentum: f64,
    pub(super) weight_decay: f64,
}

/// State of [`Momentum`].
#[derive(Clone)]
pub(super) struct Velocity<const D: usize> {
    velocity: Tensor<D>,
}

impl<const D: usize> RecordState for Velocity<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, "velocity", self.velocity.to_data());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        let velocity = src.take_tensor(prefix, "velocity")?;
        Some(Self { velocity: Tensor::from_data(velocity, device) })
    }
}

impl Optimizer for Momentum {
    type State<const D: usize> = Velocity<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weight: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let Self { momentum, weight_decay } = *self;
        let sgd = Sgd { learning_rate, momentum, weight_decay };
        let (weight, velocity) = sgd.step(weight, gradient, state.map(|state| state.velocity));
        (weight, Some(Velocity { velocity }))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        Velocity { velocity: state.velocity.to_device(device) }
    }
}
