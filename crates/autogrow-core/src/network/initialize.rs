//! What an initializer is: it acts on the gates of a new sub-module (section 2.2 of the paper).

use super::Gate;
use rand::RngCore;

/// Sets the gates of a new sub-module.
pub trait Initializer: Send + Sync {
    /// Draws the scale of a gate and, where the initializer says so, its shift.
    fn initialize(&self, gate: Gate<'_>, rng: &mut dyn RngCore);

    /// Sets the weights by which what follows reads channels that a new sub-module adds (DenseNet).
    /// `weights` are random when they come; by default they stay that.
    fn initialize_new_inputs(&self, weights: &mut [f32]) {
        let _ = weights;
    }

    /// Whether the new sub-module begins as a copy of the one below it, where the shapes allow it,
    /// and not with random weights.
    fn copies(&self) -> bool {
        false
    }

    /// Whether training then adapts those gates alone, before everything trains (AdamInit).
    fn adapts(&self) -> Option<Adapt> {
        None
    }
}

/// How AdamInit trains new gates while everything else is frozen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adapt {
    /// Step size of Adam.
    pub learning_rate: f64,
    /// L2 penalty on the gates.
    pub weight_decay: f64,
    /// Epochs at most; at least one is trained.
    pub max_epochs: usize,
    /// Percentage points of training accuracy below that before the growth that are good enough.
    pub tolerance: f64,
}
