//! `cargo xtask gpu-check`: the tests that want a Vulkan device. Mesa's lavapipe
//! (`mesa-vulkan-drivers` in Debian) is one in software, for machines without a GPU.

use crate::tree::Tree;
use anyhow::{Context, Result};
use std::process::{Command, ExitCode};

/// Dependencies are compiled without optimisation, which takes a fraction of the time: the programs
/// that run on the device are compiled by its driver, however slowly they are put together.
const FAST_TO_BUILD: &str = "profile.dev.package.\"*\".opt-level=0";

/// Builds with Vulkan, into a folder of its own, and runs its tests.
///
/// # Errors
/// Where cargo cannot be started.
pub(crate) fn run(tree: &Tree) -> Result<ExitCode> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["test", "-p", "autogrow-tests", "--features", "wgpu", "--config", FAST_TO_BUILD])
        .args(["--test", "initializers", "--test", "wgpu", "--", "--nocapture", "wgpu"])
        .env("CARGO_TARGET_DIR", tree.target().join("vulkan"))
        .current_dir(&tree.root)
        .status()
        .context("cargo cannot be started")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
