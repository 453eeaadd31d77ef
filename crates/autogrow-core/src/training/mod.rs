//! Training: one epoch, evaluation, optimisers, schedules.

mod average;
mod learner;
mod loss;
mod optimizer;
mod schedule;

pub use learner::{Epoch, Learner, LearnerRecord, Step, evaluate};
pub use loss::{Scores, Tally};
pub use optimizer::{Adadelta, AdadeltaState, OptimizerName};
pub use schedule::{Schedule, ScheduleName};
