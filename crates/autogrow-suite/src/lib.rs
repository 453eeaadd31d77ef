//! Many runs of AutoGrow as one: a suite is a file that says which runs there are, what each is
//! compared with and what is drawn of them (docs/suites.md). The paper's tables and figures are such
//! files, built in.
//!
//! Every run is a run folder that this program, started again, has written from a configuration
//! beside it; a suite adds nothing to it. What has a result is not run again, so that a suite which
//! was killed goes on where it stopped. This crate knows neither networks nor tensors: it asks.

mod answer;
mod args;
mod cell;
mod command;
mod estimate;
mod figures;
mod file;
mod keys;
mod merge;
mod needs;
mod pictures;
mod place;
mod plan;
mod program;
mod record;
mod results;
mod run;
mod scale;
mod sets;
mod shard;
mod shell;
mod show;
mod slurm;
mod status;
mod suite;
mod table;
#[cfg(test)]
mod testing;
mod words;

pub use answer::Answer;
pub use args::{ReproduceArgs, SuiteArgs};
pub use command::{Host, preview, reproduce, suite};
pub use program::launched_by;
pub use scale::{Resolve, Scale};
