//! Training: one epoch, evaluation, optimisers, schedules.

mod optimizer;
mod schedule;

pub use optimizer::{Adadelta, OptimizerName};
pub use schedule::{Schedule, ScheduleName};
