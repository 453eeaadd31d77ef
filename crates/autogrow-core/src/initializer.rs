//! Initialisers of a new sub-module (section 2.2 of the paper). They act on the gates that close
//! its residual branches (in the paper's networks: the last batch norm); everything else keeps its
//! default random weights, and a plain sub-module has no gate, so they leave it alone.

use crate::Result;
use crate::config::Compat;
use crate::network::{Adapt, Gate, Initializer};
use crate::settings::PluginSettings;
use burn::module::Param;
use burn::tensor::{Tensor, TensorData};
use rand::{Rng, RngCore};

/// A kind of initializer, registered with `inventory`.
#[derive(Clone, Debug)]
pub struct InitializerKind {
    /// Name in `growth.initializer`.
    pub name: &'static str,
    /// Crate that registers it: `env!("CARGO_PKG_NAME")`.
    pub origin: &'static str,
    /// One line for `autogrow list`.
    pub summary: &'static str,
    /// Makes the initializer, from the settings of plugins where it has any.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub build: fn(Compat, &PluginSettings) -> Result<Box<dyn Initializer>>,
}

crate::kind!(InitializerKind, "initializer", "growth.initializer");

/// ZeroInit: scale = shift = 0. A residual branch then adds nothing and a new channel is not read,
/// so the network's function is preserved exactly.
struct Zero;

impl Initializer for Zero {
    fn initialize(&self, gate: Gate<'_>, _: &mut dyn RngCore) {
        for param in std::iter::once(gate.scale).chain(gate.shift) {
            let zeros = vec![0.0; param.dims()[0]];
            set(param, zeros);
        }
    }

    fn initialize_new_inputs(&self, weights: &mut [f32]) {
        weights.fill(0.0);
    }
}

/// AdamInit: from their defaults, Adam looks for the best scale and shift of the new branch while
/// everything else stands still, until the network is as good as before.
struct Adam {
    weight_decay: f64,
    tolerance: f64,
}

impl Initializer for Adam {
    fn initialize(&self, _: Gate<'_>, _: &mut dyn RngCore) {}

    fn adapts(&self) -> Option<Adapt> {
        let Self { weight_decay, tolerance } = *self;
        Some(Adapt { learning_rate: 1e-3, weight_decay, max_epochs: 10, tolerance })
    }
}

/// UniInit and GauInit: the scale is noise.
struct Noise {
    draw: fn(&mut dyn RngCore) -> f32,
    /// Whether the shift is noise too.
    shift: bool,
}

impl Initializer for Noise {
    fn initialize(&self, gate: Gate<'_>, rng: &mut dyn RngCore) {
        let channels = gate.scale.dims()[0];
        let mut noise = || (0..channels).map(|_| (self.draw)(rng)).collect::<Vec<_>>();
        set(gate.scale, noise());
        if let Some(shift) = gate.shift {
            set(shift, if self.shift { noise() } else { vec![0.0; channels] });
        }
    }
}

/// A copy of the sub-module below (LipGrow, Dong et al. 2020; stacking, Gong et al. 2019).
struct FromBelow;

impl Initializer for FromBelow {
    fn initialize(&self, _: Gate<'_>, _: &mut dyn RngCore) {}

    fn copies(&self) -> bool {
        true
    }
}

/// Uniform with standard deviation 1: U(-sqrt 3, sqrt 3).
fn uniform_of_deviation_one(rng: &mut dyn RngCore) -> f32 {
    3f32.sqrt() * (2.0 * rng.random::<f32>() - 1.0)
}

/// Puts new numbers into a parameter and keeps its identity.
fn set(param: &mut Param<Tensor<1>>, values: Vec<f32>) {
    let length = values.len();
    *param = param.clone().map(|old| {
        Tensor::from_data(TensorData::new(values, [length]), &old.device())
            .set_require_grad(old.is_require_grad())
    });
}

crate::register! {
    InitializerKind {
        name: "zero",
        origin: env!("CARGO_PKG_NAME"),
        summary: "ZeroInit: the network's function is preserved exactly",
        build: |_, _| Ok(Box::new(Zero)),
    },
    InitializerKind {
        name: "adam",
        origin: env!("CARGO_PKG_NAME"),
        summary: "AdamInit: Adam on the new scale and shift, all else frozen, until as good as before",
        build: |compat, _| {
            Ok(Box::new(match compat {
                Compat::Paper => Adam { weight_decay: 0.0, tolerance: 0.0 },
                Compat::Code => Adam { weight_decay: 5e-4, tolerance: 0.5 },
            }))
        },
    },
    InitializerKind {
        name: "uniform",
        origin: env!("CARGO_PKG_NAME"),
        summary: "UniInit: uniform noise of standard deviation 1 (released code: U(0, 1))",
        build: |compat, _| {
            Ok(Box::new(match compat {
                Compat::Paper => Noise { draw: uniform_of_deviation_one, shift: false },
                Compat::Code => Noise { draw: |rng| rng.random(), shift: true },
            }))
        },
    },
    InitializerKind {
        name: "copy",
        origin: env!("CARGO_PKG_NAME"),
        summary: "a copy of the sub-module below it (LipGrow, stacking)",
        build: |_, _| Ok(Box::new(FromBelow)),
    },
    InitializerKind {
        name: "gaussian",
        origin: env!("CARGO_PKG_NAME"),
        summary: "GauInit: normal noise of standard deviation 1",
        build: |compat, _| {
            let shift = compat == Compat::Code;
            Ok(Box::new(Noise { draw: autogrow_kernels::standard_normal, shift }))
        },
    },
}
