//! What a run came to, for people: charts, the HTML report, TensorBoard events.
//!
//! A run is read from the files of its folder alone ([`Run::read`]), so that this crate knows
//! neither the algorithm nor a tensor, and a report can be made of any run at any time.
//!
//! - [`Report`] makes the page of a run, or one that compares several.
//! - [`figure`] draws the figures of the paper from series of numbers, [`figures()`] those of runs.
//! - [`tensorboard`] writes a run's scalars for TensorBoard.

pub mod chart;
mod error;
pub mod figure;
mod figures;
mod html;
mod report;
pub mod rule;
pub mod run;
pub mod tensorboard;

pub use error::{Error, Result};
pub use figures::{Figure, figures};
pub use html::format::{duration, si};
pub use report::{Report, publish};
pub use run::Run;
