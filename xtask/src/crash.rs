//! `cargo xtask crash`: kills, signals and failing disks at every place, not only the sample that
//! the tests take; then reproductions. Takes minutes to the better part of an hour.

mod suite;

use crate::cargo::passes;
use crate::tree::Tree;
use anyhow::Result;
use clap::Args;
use std::process::ExitCode;
use suite::Killed;

/// How much is tried.
#[derive(Debug, Args)]
pub(crate) struct CrashArgs {
    /// Kill one suite a few times, and leave storage operations to the sample of `cargo test`
    #[arg(long)]
    sample: bool,
}

/// Runs the crash tests at every storage operation, then suites that are killed at random.
///
/// # Errors
/// Where cargo cannot be started, or a suite ends differently.
pub(crate) fn run(tree: &Tree, args: &CrashArgs) -> Result<ExitCode> {
    if !args.sample {
        let mut tests = tree.cargo();
        tests.args(["test", "--workspace", "--test", "crashes", "--", "--nocapture"]);
        if !passes(tests.env("CRASH_STRIDE", "1"))? {
            return Ok(ExitCode::FAILURE);
        }
    }
    let killed = if args.sample { Killed::SAMPLE } else { Killed::ALL };
    suite::run(tree, &killed)?;
    Ok(ExitCode::SUCCESS)
}
