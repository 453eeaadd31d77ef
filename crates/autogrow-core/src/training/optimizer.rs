//! The optimisers of the paper and of the released code, with PyTorch's definitions and defaults.

use super::adadelta::Adadelta;
use super::growing::Growing;
use super::sgd::Momentum;
use crate::config::TrainingConfig;
use burn::optim::decay::{WeightDecay, WeightDecayConfig};
use burn::optim::{AdaGradConfig, AdamConfig, ModuleOptimizer, RmsPropConfig};
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
        match self {
            Self::Sgd => Growing(Momentum {
                momentum: training.momentum,
                weight_decay: training.weight_decay,
            })
            .into(),
            Self::Adam | Self::AmsGrad => Growing(
                AdamConfig::new()
                    .with_epsilon(1e-8)
                    .with_weight_decay(decay)
                    .with_amsgrad(self == Self::AmsGrad)
                    .build(),
            )
            .into(),
            Self::AdaGrad => {
                Growing(AdaGradConfig::new().with_epsilon(1e-10).with_weight_decay(decay).build())
                    .into()
            }
            Self::AdaDelta => {
                let decay = decay.as_ref().map(WeightDecay::new);
                Growing(Adadelta { rho: 0.9, epsilon: 1e-6, decay }).into()
            }
            Self::RmsProp => Growing(
                RmsPropConfig::new()
                    .with_alpha(0.99)
                    .with_momentum(0.0)
                    .with_epsilon(1e-8)
                    .with_weight_decay(decay)
                    .build(),
            )
            .into(),
        }
    }
}
