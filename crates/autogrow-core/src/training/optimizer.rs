//! [`OptimizerKind`]: optimisers by name. Built in are those of the paper and of the released code,
//! with PyTorch's definitions and defaults.

use super::adadelta::Adadelta;
use super::growing::Growing;
use super::sgd::Momentum;
use crate::Result;
use crate::config::TrainingConfig;
use crate::settings::PluginSettings;
use burn::optim::decay::{WeightDecay, WeightDecayConfig};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGradConfig, AdamConfig, AdamWConfig, ModuleOptimizer, Optimizer, RmsPropConfig, SgdConfig,
};

/// A kind of optimiser, registered with `inventory`.
pub struct OptimizerKind {
    /// Name in `training.optimizer`.
    pub name: &'static str,
    /// Crate that registers it: `env!("CARGO_PKG_NAME")`.
    pub origin: &'static str,
    /// One line for `autogrow list`.
    pub summary: &'static str,
    /// Makes the optimiser, with no state yet. [`growable`] makes one of any optimiser of Burn.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub build: fn(&TrainingConfig, &PluginSettings) -> Result<ModuleOptimizer>,
}

crate::kind!(OptimizerKind, "optimiser", "training.optimizer");

/// The optimiser for networks that grow: where a parameter gets more inputs by a growth
/// (DenseNet), its state gets zeros for them.
pub fn growable<O: Optimizer + 'static>(optimizer: O) -> ModuleOptimizer {
    Growing(optimizer).into()
}

/// Weight decay is added to the gradient of every parameter.
fn decay(training: &TrainingConfig) -> Option<WeightDecayConfig> {
    (training.weight_decay > 0.0)
        .then_some(WeightDecayConfig { penalty: training.weight_decay as f32 })
}

/// Adam, beta 0.9 and 0.999.
fn adam(training: &TrainingConfig, amsgrad: bool) -> ModuleOptimizer {
    let config = AdamConfig::new().with_epsilon(1e-8).with_weight_decay(decay(training));
    growable(config.with_amsgrad(amsgrad).build())
}

crate::register! {
    OptimizerKind {
        name: "sgd",
        origin: env!("CARGO_PKG_NAME"),
        summary: "gradient descent with momentum, no dampening, no Nesterov: the paper's",
        build: |training, _| {
            let (momentum, weight_decay) = (training.momentum, training.weight_decay);
            Ok(growable(Momentum { momentum, weight_decay }))
        },
    },
    OptimizerKind {
        name: "nesterov",
        origin: env!("CARGO_PKG_NAME"),
        summary: "gradient descent with Nesterov's momentum, no dampening",
        build: |training, _| {
            let momentum = MomentumConfig::new()
                .with_momentum(training.momentum)
                .with_dampening(0.0)
                .with_nesterov(true);
            let config = SgdConfig::new().with_momentum(Some(momentum));
            Ok(growable(config.with_weight_decay(decay(training)).build()))
        },
    },
    OptimizerKind {
        name: "adam",
        origin: env!("CARGO_PKG_NAME"),
        summary: "Adam, beta 0.9 and 0.999",
        build: |training, _| Ok(adam(training, false)),
    },
    OptimizerKind {
        name: "adamw",
        origin: env!("CARGO_PKG_NAME"),
        summary: "Adam with weight decay of its own, not by the gradient",
        build: |training, _| {
            let config = AdamWConfig::new().with_epsilon(1e-8);
            Ok(growable(config.with_weight_decay(training.weight_decay as f32).build()))
        },
    },
    OptimizerKind {
        name: "amsgrad",
        origin: env!("CARGO_PKG_NAME"),
        summary: "Adam with the maximum of its second moments",
        build: |training, _| Ok(adam(training, true)),
    },
    OptimizerKind {
        name: "adagrad",
        origin: env!("CARGO_PKG_NAME"),
        summary: "Adagrad",
        build: |training, _| {
            let config = AdaGradConfig::new().with_epsilon(1e-10);
            Ok(growable(config.with_weight_decay(decay(training)).build()))
        },
    },
    OptimizerKind {
        name: "adadelta",
        origin: env!("CARGO_PKG_NAME"),
        summary: "Adadelta, rho 0.9",
        build: |training, _| {
            let decay = decay(training).as_ref().map(WeightDecay::new);
            Ok(growable(Adadelta { rho: 0.9, epsilon: 1e-6, decay }))
        },
    },
    OptimizerKind {
        name: "rmsprop",
        origin: env!("CARGO_PKG_NAME"),
        summary: "RMSprop, alpha 0.99",
        build: |training, _| {
            let config = RmsPropConfig::new().with_alpha(0.99).with_momentum(0.0);
            let config = config.with_epsilon(1e-8).with_weight_decay(decay(training));
            Ok(growable(config.build()))
        },
    },
}
