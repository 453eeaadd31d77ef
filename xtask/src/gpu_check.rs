//! `cargo xtask gpu-check`: the tests that want a Vulkan device. Mesa's lavapipe
//! (`mesa-vulkan-drivers` in Debian) is one in software, for machines without a GPU.

use crate::cargo::passes;
use crate::tree::Tree;
use anyhow::Result;
use std::process::ExitCode;

/// Dependencies are compiled without optimisation, which takes a fraction of the time: the programs
/// that run on the device are compiled by its driver, however slowly they are put together.
const FAST_TO_BUILD: &str = "profile.dev.package.\"*\".opt-level=0";

/// Builds with Vulkan, into a folder of its own, and runs its tests.
///
/// # Errors
/// Where cargo cannot be started.
pub(crate) fn run(tree: &Tree) -> Result<ExitCode> {
    let mut tests = tree.cargo();
    tests
        .args(["test", "-p", "autogrow-tests", "--features", "wgpu", "--config", FAST_TO_BUILD])
        .args(["--test", "initializers", "--test", "wgpu", "--", "--nocapture", "wgpu"])
        .env("CARGO_TARGET_DIR", tree.target().join("vulkan"));
    Ok(if passes(&mut tests)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
