//! `cargo xtask crash`: kills, signals and failing disks at every place, not only the sample that
//! the tests take. Takes the better part of an hour.

use crate::tree::Tree;
use anyhow::{Context, Result};
use std::process::{Command, ExitCode};

/// Runs the crash tests at every storage operation.
///
/// # Errors
/// Where cargo cannot be started.
pub(crate) fn run(tree: &Tree) -> Result<ExitCode> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["test", "--workspace", "--test", "crashes", "--", "--nocapture"])
        .env("CRASH_STRIDE", "1")
        .current_dir(&tree.root)
        .status()
        .context("cargo cannot be started")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
