//! AutoGrow (Wen, Yan, Chen, Li; KDD 2020) without a command line, data formats or a device of its
//! own: the algorithm, networks that grow, training, and the run folder.
//!
//! Start reading at [`autogrow()`], Algorithm 1 from end to end; [`growth`] holds its decisions.

#![warn(missing_docs)]

mod autogrow;
pub mod config;
pub mod data;
mod error;
pub mod growth;
pub mod initializer;
pub mod landscape;
pub mod network;
mod ongoing;
pub mod random;
pub mod ranks;
pub mod registry;
pub mod run;
pub mod testing;
pub mod training;

pub use autogrow::autogrow;
pub use error::{Error, Result};
#[doc(hidden)]
pub use inventory;
pub use ongoing::seed_network;
