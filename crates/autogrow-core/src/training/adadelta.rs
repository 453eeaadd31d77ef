//! Adadelta, which Burn does not have.

use burn::optim::decay::WeightDecay;
use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// Adadelta (Zeiler 2012).
#[derive(Clone)]
pub(super) struct Adadelta {
    pub(super) rho: f64,
    pub(super) epsilon: f64,
    pub(super) decay: Option<WeightDecay>,
}

/// State of [`Adadelta`]: running means of squared gradients and of squared updates.
#[derive(Clone)]
pub(super) struct AdadeltaState<const D: usize> {
    square_avg: Tensor<D>,
    acc_delta: Tensor<D>,
}

impl<const D: usize> RecordState for AdadeltaState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, "square_avg", self.square_avg.to_data());
        out.push_tensor(prefix, "acc_delta", self.acc_delta.to_data());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        Some(Self {
            square_avg: Tensor::from_data(src.take_tensor(prefix, "square_avg")?, device),
            acc_delta: Tensor::from_data(src.take_tensor(prefix, "acc_delta")?, device),
        })
    }
}

impl Optimizer for Adadelta {
    type State<const D: usize> = AdadeltaState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        mut grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        if let Some(decay) = &self.decay {
            grad = decay.transform(grad, tensor.clone());
        }
        let state = state.unwrap_or_else(|| {
            let zeros = grad.zeros_like();
            AdadeltaState { square_avg: zeros.clone(), acc_delta: zeros }
        });
        let mean = |old: Tensor<D>, new: &Tensor<D>| {
            old * self.rho + new.clone().powi_scalar(2) * (1.0 - self.rho)
        };
        let root = |square: &Tensor<D>| (square.clone() + self.epsilon).sqrt();
        let square_avg = mean(state.square_avg, &grad);
        let delta = grad * root(&state.acc_delta) / root(&square_avg);
        let acc_delta = mean(state.acc_delta, &delta);
        (tensor - delta * rate, Some(AdadeltaState { square_avg, acc_delta }))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        AdadeltaState {
            square_avg: state.square_avg.to_device(device),
            acc_delta: state.acc_delta.to_device(device),
        }
    }
}
