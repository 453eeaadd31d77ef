//! Training: one epoch, evaluation, optimisers, schedules.

mod adadelta;
mod average;
mod chance;
mod clip;
mod convolution;
mod evaluation;
mod gradients;
mod growing;
mod inference;
mod input;
mod learner;
mod mixing;
mod objective;
mod optimizer;
mod pass;
mod precision;
mod ranks;
mod schedule;
mod sgd;
mod stages;
mod taken;
mod tally;

pub use crate::transfer::Transfers;
pub(crate) use chance::chance;
pub use convolution::use_convolution;
pub use evaluation::{
    ClassesReport, Evaluation, LabelsReport, Mistake, Report, ValuesReport, sigmoid, softmax,
};
pub use inference::{OnOutputs, Validation, evaluate, infer, recalibrate};
pub use learner::{Epoch, Learner, LearnerRecord, OnStep, Step};
pub use objective::{Objective, ObjectiveKind, TargetTensor, objective};
pub use optimizer::{OptimizerKind, decaying, growable};
pub use precision::{Precision, precision_on, set_precision};
pub use schedule::{Schedule, ScheduleKind, ScheduleRequest, warm_up};
pub(crate) use stages::check_stage_rates;
pub use tally::{Scores, Tally};
