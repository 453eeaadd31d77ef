//! The results of a run for people: charts, the HTML report, TensorBoard events.
//!
//! A run is read from the files of its folder alone ([`Run::read`]) and judged by the code that
//! decided in it ([`autogrow_growth`]). There is no tensor in here, so that a report can be made of
//! any run at any time.
//!
//! - [`Report`] makes the page of a run, or one that compares several.
//! - [`figure`] draws the figures of the paper from series of numbers, [`figures()`] those of runs.
//! - [`tensorboard`] writes a run's scalars for TensorBoard.

pub mod chart;
pub mod figure;
mod figures;
mod html;
mod report;
pub mod rule;
pub mod run;
pub mod tensorboard;
mod words;

pub use figures::{Figure, figures};
pub use report::Report;
pub use run::Run;
pub use words::Words;
