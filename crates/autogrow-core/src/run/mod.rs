//! What is kept of a run: a folder that holds all there is, written as the run goes on, from
//! which it goes on exactly where it was interrupted.

mod checkpoint;
mod event;
mod fault;
mod folder;
mod lock;
mod model;
mod origin;
mod outcome;
mod snapshots;
mod state;
mod storage;

pub use checkpoint::Checkpoint;
pub use event::{EpochRecord, Event, Phase, Watch};
pub use folder::{Resumed, RunFolder};
pub use model::ModelFile;
pub(crate) use model::{check_finite, read_weights};
pub use origin::Origin;
pub use outcome::Outcome;
pub use snapshots::{Snapshot, snapshots};
pub use state::{AdaptingState, State};
pub use storage::{publish, read};
