//! A plugin for AutoGrow: a sub-module with its seed network, an initializer, and a policy. Linking
//! this crate registers them; nothing in AutoGrow knows of it.

mod gated;
mod share;
mod small;

pub use gated::Gated;
