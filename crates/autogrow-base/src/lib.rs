//! What every crate of AutoGrow shares and none of them owns: [`Error`] with its exit codes, the
//! [`registry`] of what plugins bring and their [`settings`], [`random`] numbers as functions of a seed, and [`numbers`]
//! as people read them. No tensors, no files.

mod error;
pub mod numbers;
pub mod random;
pub mod registry;
pub mod settings;

pub use error::{Error, Result};
#[doc(hidden)]
pub use inventory;
