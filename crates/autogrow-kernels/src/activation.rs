//! [`Activation`]: what closes a layer.

/// The nonlinearity that closes a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// None.
    Identity,
    /// `max(x, 0)`.
    Relu,
}
