//! Fetching sets, from servers and archives that mean harm. One program, because it links quicker.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod downloads;
mod hostile_archives;
mod server;
mod sets;
mod support;
