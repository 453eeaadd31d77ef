//! Algorithm 1 of the paper (sections 3.1 and 3.2) as a pure state machine: accuracies in,
//! decisions out. No tensors, no input or output, no clock, so that training, `replay`, `plan`
//! and a resumed run all decide the same.

mod algorithm;
mod depth;
mod metric;
mod mode;
mod policy;
mod ring;

pub use algorithm::{Decision, Growth, Kind, Replayed, floor, replay};
pub use depth::Depth;
pub(crate) use depth::optional as optional_depth;
pub use metric::{Curve, Metric};
pub use mode::Mode;
pub use policy::{Convergent, Never, Periodic, Policy, PolicyKind, View};
pub use ring::SubNetList;
