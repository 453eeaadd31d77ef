//! What is kept of a run: a folder that holds all there is, written as the run goes on, from
//! which it goes on exactly where it was interrupted.

mod checkpoint;
mod folder;
mod model;
mod origin;
mod past;
mod saver;
mod snapshots;
mod state;
mod watch;

pub use autogrow_run::{
    EpochRecord, Event, Outcome, Peak, Phase, TimedEpoch, certificate, publish, read, validation,
};
pub use checkpoint::{Checkpoint, Kept};
pub use folder::{Resumed, RunFolder};
pub use model::ModelFile;
pub(crate) use model::{check_finite, read_weights};
pub use origin::Origin;
pub use past::{Past, PastState};
pub use snapshots::{Snapshot, snapshots};
pub use state::{AdaptingState, State};
pub use watch::Watch;
