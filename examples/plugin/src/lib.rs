//! A plugin for AutoGrow: a sub-module with its seed network, an initializer, a policy, and a data
//! set. Linking this crate registers them; nothing in AutoGrow knows of it.

mod gated;
mod share;
mod small;
mod stripes;

pub use gated::Gated;
