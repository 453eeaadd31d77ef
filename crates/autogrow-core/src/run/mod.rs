//! What is kept of a run: a folder that holds all there is, written as the run goes on.

mod event;
mod folder;
mod outcome;
mod storage;

pub use event::{EpochRecord, Event, Phase, Watch};
pub use folder::{RunFolder, load_model};
pub use outcome::Outcome;
pub use storage::{publish, read};
