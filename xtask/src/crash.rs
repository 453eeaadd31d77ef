//! `cargo xtask crash`: kills, signals and failing disks at every place, not only the sample that
//! the tests take; then reproductions. Takes minutes to the better part of an hour.

mod suite;

use crate::tree::Tree;
use anyhow::{Context, Result};
use std::process::{Command, ExitCode};

/// Runs the crash tests at every storage operation, then a suite that is killed at random.
///
/// # Errors
/// Where cargo cannot be started, or the suite ends differently.
pub(crate) fn run(tree: &Tree) -> Result<ExitCode> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["test", "--workspace", "--test", "crashes", "--", "--nocapture"])
        .env("CRASH_STRIDE", "1")
        .current_dir(&tree.root)
        .status()
        .context("cargo cannot be started")?;
    if !status.success() {
        return Ok(ExitCode::FAILURE);
    }
    suite::run(&tree.build_autogrow()?, &tree.target().join("crash"))?;
    Ok(ExitCode::SUCCESS)
}
