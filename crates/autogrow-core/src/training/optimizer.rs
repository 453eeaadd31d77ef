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
    /// Step size where `training.learning_rate` is 0; none: that of the network, which is one for SGD.
    pub learning_rate: Option<f64>,
    /// Makes the optimiser, with no state yet. [`growable`] makes one of any optimiser of Burn,
    /// [`decaying`] one that heeds `training.weight_decay` and `training.decay_norms`.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub build: fn(&TrainingConfig, &PluginSettings) -> Result<ModuleOptimizer>,
}

crate::kind!(OptimizerKind, "optimiser", "training.optimizer");

/// The optimiser for networks that grow: where a parameter gets more inputs by a growth
/// (DenseNet), its state gets zeros for them.
pub fn growable<O: Optimizer + 'static>(optimizer: O) -> ModuleOptimizer {
    Growing { vectors: optimizer.clone(), matrices: optimizer }.into()
}

/// The same of an optimiser that `make` makes for a weight decay: that of `training`; for parameters of
/// one dimension (scales and shifts of norms, layer scales, biases) none unless `training.decay_norms`.
pub fn decaying<O: Optimizer + 'static>(
    training: &TrainingConfig,
    make: impl Fn(f64) -> O,
) -> ModuleOptimizer {
    let of_vectors = if training.decay_norms { training.weight_decay } else { 0.0 };
    Growing { matrices: make(training.weight_decay), vectors: make(of_vectors) }.into()
}

/// Weight decay that is added to the gradient.
fn by_gradient(penalty: f64) -> Option<WeightDecayConfig> {
    (penalty > 0.0).then_some(WeightDecayConfig { penalty: penalty as f32 })
}

/// Adam, beta 0.9 and 0.999.
fn adam(training: &TrainingConfig, amsgrad: bool) -> ModuleOptimizer {
    decaying(training, |decay| {
        let config = AdamConfig::new().with_epsilon(1e-8).with_amsgrad(amsgrad);
        config.with_weight_decay(by_gradient(decay)).build()
    })
}

crate::register! {
    OptimizerKind {
        name: "sgd",
        origin: env!("CARGO_PKG_NAME"),
        summary: "gradient descent with momentum, no dampening, no Nesterov: the paper's",
        learning_rate: None,
        build: |training, _| {
            let momentum = training.momentum;
            Ok(decaying(training, |weight_decay| Momentum { momentum, weight_decay }))
        },
    },
    OptimizerKind {
        name: "nesterov",
        origin: env!("CARGO_PKG_NAME"),
        summary: "gradient descent with Nesterov's momentum, no dampening",
        learning_rate: None,
        build: |training, _| {
            let momentum = MomentumConfig::new()
                .with_momentum(training.momentum)
                .with_dampening(0.0)
                .with_nesterov(true);
            let config = SgdConfig::new().with_momentum(Some(momentum));
            let make = |decay| config.clone().with_weight_decay(by_gradient(decay)).build();
            Ok(decaying(training, make))
        },
    },
    OptimizerKind {
        name: "adam",
        origin: env!("CARGO_PKG_NAME"),
        summary: "Adam, beta 0.9 and 0.999",
        learning_rate: Some(0.001),
        build: |training, _| Ok(adam(training, false)),
    },
    OptimizerKind {
        name: "adamw",
        origin: env!("CARGO_PKG_NAME"),
        summary: "Adam with weight decay of its own, not by the gradient",
        learning_rate: Some(0.001),
        build: |training, _| {
            let config = AdamWConfig::new().with_epsilon(1e-8);
            let make = |decay| config.clone().with_weight_decay(decay as f32).build();
            Ok(decaying(training, make))
        },
    },
    OptimizerKind {
        name: "amsgrad",
        origin: env!("CARGO_PKG_NAME"),
        summary: "Adam with the maximum of its second moments",
        learning_rate: Some(0.001),
        build: |training, _| Ok(adam(training, true)),
    },
    OptimizerKind {
        name: "adagrad",
        origin: env!("CARGO_PKG_NAME"),
        summary: "Adagrad",
        learning_rate: Some(0.01),
        build: |training, _| {
            let config = AdaGradConfig::new().with_epsilon(1e-10);
            let make = |decay| config.clone().with_weight_decay(by_gradient(decay)).build();
            Ok(decaying(training, make))
        },
    },
    OptimizerKind {
        name: "adadelta",
        origin: env!("CARGO_PKG_NAME"),
        summary: "Adadelta, rho 0.9",
        learning_rate: Some(1.0),
        build: |training, _| {
            Ok(decaying(training, |decay| {
                let decay = by_gradient(decay).as_ref().map(WeightDecay::new);
                Adadelta { rho: 0.9, epsilon: 1e-6, decay }
            }))
        },
    },
    OptimizerKind {
        name: "rmsprop",
        origin: env!("CARGO_PKG_NAME"),
        summary: "RMSprop, alpha 0.99",
        learning_rate: Some(0.001),
        build: |training, _| {
            let config = RmsPropConfig::new().with_alpha(0.99).with_momentum(0.0);
            let config = config.with_epsilon(1e-8);
            let make = |decay| config.clone().with_weight_decay(by_gradient(decay)).build();
            Ok(decaying(training, make))
        },
    },
}
