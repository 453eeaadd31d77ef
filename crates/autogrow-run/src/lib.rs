//! What a run of AutoGrow is on disk, without a tensor: the [`config`]uration as plain data, the
//! [`Event`]s of its journal, an [`Epoch`](EpochRecord) of its metrics, its [`Outcome`], the
//! [`names`] of its files, and how they are written so that nothing is ever half there.

mod batch;
pub mod certificate;
pub mod config;
mod event;
pub mod fault;
mod lock;
pub mod names;
mod or_auto;
mod or_switch;
mod outcome;
mod preset;
pub mod storage;
mod target;
pub mod validation;

pub use config::Config;
pub use event::{EpochRecord, Event, Phase};
pub use lock::{Lock, is_locked};
pub use outcome::{Outcome, Peak, TimedEpoch};
pub use storage::{publish, read};
pub use target::is_stream;
