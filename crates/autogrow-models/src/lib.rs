//! The sub-modules and seed networks of the paper (section 3.1 and figure 1), registered with
//! `inventory`. Link this crate with `use autogrow_models as _;` and they can be named.

mod basic;
mod bottleneck;
mod plain;
mod seeds;
pub mod shortcut;

pub use basic::Basic;
pub use bottleneck::Bottleneck;
pub use plain::Plain;
