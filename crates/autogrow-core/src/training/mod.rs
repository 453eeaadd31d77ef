//! Training: one epoch, evaluation, optimisers, schedules.

mod adadelta;
mod average;
mod convolution;
mod evaluation;
mod gradients;
mod growing;
mod learner;
mod loss;
mod optimizer;
mod pass;
mod ranks;
mod schedule;
mod sgd;

pub use convolution::use_convolution;
pub use evaluation::{Evaluation, Mistake, Report, softmax};
pub use learner::{Epoch, Learner, LearnerRecord, OnScores, Step, evaluate, infer};
pub(crate) use loss::cross_entropy;
pub use loss::{Scores, Tally};
pub use optimizer::{OptimizerKind, growable};
pub use schedule::{Schedule, ScheduleKind, ScheduleRequest};
