//! [`Sgd`]: what a step of stochastic gradient descent depends on.

/// The settings of [`Sgd::step`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Factor of the step.
    pub learning_rate: f64,
    /// Share of the last step that is kept; 0 for none.
    pub momentum: f64,
    /// Factor of the weights that is added to the gradient; 0 for none.
    pub weight_decay: f64,
}
