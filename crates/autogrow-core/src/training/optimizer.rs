//! The optimisers of the paper and of the released code, with PyTorch's definitions and defaults.

use crate::config::TrainingConfig;
use burn::optim::decay::{WeightDecay, WeightDecayConfig};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGradConfig, AdamConfig, LearningRate, ModuleOptimizer, Optimizer, RecordState,
    RmsPropConfig, SgdConfig, StateSink, StateSource,
};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Name of an optimiser in `training.optimizer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerName {
    /// Stochastic gradient descent with momentum, no dampening, no Nesterov: the paper's.
    #[default]
    Sgd,
    /// Adam, beta 0.9 and 0.999.
    Adam,
    /// Adam with the maximum of its second moments.
    AmsGrad,
    /// Adagrad.
    AdaGrad,
    /// Adadelta, rho 0.9.
    AdaDelta,
    /// RMSprop, alpha 0.99.
    RmsProp,
}

impl OptimizerName {
    /// The optimiser, with no state yet. Weight decay is added to the gradient of every parameter.
    pub fn build(self, training: &TrainingConfig) -> ModuleOptimizer {
        let decay = (training.weight_decay > 0.0)
            .then_some(WeightDecayConfig { penalty: training.weight_decay as f32 });
        let momentum = (training.momentum > 0.0).then_some(MomentumConfig {
            momentum: training.momentum,
            dampening: 0.0,
            nesterov: false,
        });
        match self {
            Self::Sgd => SgdConfig::new().with_weight_decay(decay).with_momentum(momentum).init(),
            Self::Adam | Self::AmsGrad => AdamConfig::new()
                .with_epsilon(1e-8)
                .with_weight_decay(decay)
                .with_amsgrad(self == Self::AmsGrad)
                .init(),
            Self::AdaGrad => {
                AdaGradConfig::new().with_epsilon(1e-10).with_weight_decay(decay).init()
            }
            Self::AdaDelta => {
                let decay = decay.as_ref().map(WeightDecay::new);
                ModuleOptimizer::from(Adadelta { rho: 0.9, epsilon: 1e-6, decay })
            }
            Self::RmsProp => RmsPropConfig::new()
                .with_alpha(0.99)
                .with_momentum(0.0)
                .with_epsilon(1e-8)
                .with_weight_decay(decay)
                .init(),
        }
    }
}

/// Adadelta (Zeiler 2012), which Burn does not have.
#[derive(Clone)]
pub struct Adadelta {
    rho: f64,
    epsilon: f64,
    decay: Option<WeightDecay>,
}

/// State of [`Adadelta`]: running means of squared gradients and of squared updates.
#[derive(Clone)]
pub struct AdadeltaState<const D: usize> {
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
