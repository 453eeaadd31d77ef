//! What the arithmetic says a step should cost, and what a growth costs.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

/// What `autogrow bench step --json` says.
#[derive(Deserialize)]
pub(super) struct Step {
    pub(super) images_per_second: f64,
    pub(super) growth_ms: f64,
    pub(super) macs: u64,
}

/// Images of the epoch that a growth is compared with: a tenth of Fashion-MNIST.
pub(super) const EPOCH: f64 = 6_000.0;

impl Step {
    /// Seconds of an epoch of [`EPOCH`] images.
    pub(super) fn epoch_seconds(&self) -> f64 {
        EPOCH / self.images_per_second
    }
}

/// Basic3ResNet-3-3-3 and -9-9-9 on all cores: the step alone, then a growth.
pub(super) fn measure(autogrow: &Path) -> Result<[Step; 2]> {
    Ok([step(autogrow, "3-3-3")?, step(autogrow, "9-9-9")?])
}

fn step(autogrow: &Path, depth: &str) -> Result<Step> {
    let output = Command::new(autogrow)
        .args(["bench", "step", "--json", "--network", "basic3resnet", "--depth", depth])
        .output()
        .context("autogrow cannot be started")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}
