//! AutoGrow (Wen, Yan, Chen, Li; KDD 2020) without a command line, data formats or a device of its
//! own: the algorithm, networks that grow, training, and the run folder.
//!
//! Start reading at [`autogrow()`], Algorithm 1 from end to end; [`growth`] holds its decisions.

#![warn(missing_docs)]

mod agreement;
mod autogrow;
mod baselines;
pub mod data;
mod init_from;
pub mod initializer;
mod job;
pub mod landscape;
pub mod network;
mod ongoing;
pub mod ranks;
mod raw;
mod resolve;
pub mod run;
mod share;
mod table;
mod targets;
pub mod testing;
pub mod training;
mod transfer;

pub use autogrow::autogrow;
pub use autogrow_base::{Error, Result, inventory, kind, random, register, registry, settings};
pub use autogrow_growth as growth;
pub use autogrow_run::config;
pub use init_from::depth_of_weights;
pub use job::Job;
pub use ongoing::{Found, at_depth, cooldown};
pub use resolve::Resolved;
