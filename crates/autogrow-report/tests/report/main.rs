//! The crate from outside: pages of run folders, charts, event files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod charts;
mod common;
mod events;
mod pages;
mod snapshots;
mod words;
