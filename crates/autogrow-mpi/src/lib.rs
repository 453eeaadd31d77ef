//! The processes of an MPI job as ranks of a training run: [`autogrow_core::ranks::Transport`] over
//! MPI. Sums are core's; here bytes go from process to process, and nobody waits for ever.
//!
//! Empty without the feature `mpi`, so that a build of the workspace needs no MPI library.

#[cfg(feature = "mpi")]
mod job;
#[cfg(feature = "mpi")]
mod launcher;
#[cfg(feature = "mpi")]
mod world;

#[cfg(feature = "mpi")]
pub use job::{Job, join};
#[cfg(feature = "mpi")]
pub use launcher::processes;
