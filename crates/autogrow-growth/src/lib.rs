//! Algorithm 1 of AutoGrow (Wen, Yan, Chen, Li; KDD 2020; section 2) as a pure state machine:
//! evidence in, decisions out. No tensors, no files, no clock, so that training, `replay`, `plan`
//! and a resumed run all decide the same.

mod algorithm;
mod amount;
mod bits;
mod comparison;
mod config;
mod curve;
mod depth;
mod learning;
mod limits;
mod mcnemar;
mod mode;
mod policy;
mod record;
mod replay;
mod ring;
mod trials;
mod worth;

pub use algorithm::{Decision, Growth, Kind};
pub use amount::Amount;
pub use bits::Bits;
pub use comparison::Comparison;
pub use config::{GrowthConfig, Rules};
pub use curve::{Compat, Curve, Guide, Metric, less};
pub use depth::{Depth, optional as optional_depth};
pub use limits::Limits;
pub use mcnemar::{disagreements, mcnemar};
pub use mode::Mode;
pub use policy::{Convergent, Never, Periodic, Place, Policy, PolicyKind, Verdict, View};
pub use record::{Evidence, Level, LevelOrigin, Record};
pub use replay::{Replayed, epochs_left, floor, replay};
pub use ring::SubNetList;
pub use trials::Trial;
pub use worth::Worth;
