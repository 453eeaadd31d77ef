//! The book, which is `README.md`, `CONTRIBUTING.md` and `docs`, is true: its commands run, what it
//! generates from the code is up to date, its links lead somewhere.
//!
//! Pages that are generated are written anew with `AUTOGROW_BLESS=1`.
#![cfg(unix)]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod configuration;
mod figures;
mod links;
mod options;
mod pages;
mod shell;
mod source;
