//! Training: one epoch, evaluation, optimisers, schedules.

mod average;
mod learner;
mod loss;
mod optimizer;
mod schedule;

pub use learner::{Adapting, Epoch, Learner, evaluate};
pub use loss::Scores;
pub use optimizer::{Adadelta, AdadeltaState, OptimizerName};
pub use schedule::{Schedule, ScheduleName};
