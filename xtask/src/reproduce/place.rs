//! Where a reproduction lies on disk, and how far each of its cells is.
//!
//! ```text
//! <out>/reproduce.toml     scale, data, seeds, device, suites
//! <out>/table3.md|csv|html a suite's tables
//! <out>/figure4/           a suite's figures; `.args` beside one says what it was drawn from
//! <out>/pictures/          images in place of ImageNet, where they are needed
//! <out>/slurm/             scripts and programs of jobs, and what those said
//! <out>/runs/<cell>/       a run folder of `autogrow`
//! <out>/runs/<cell>.toml   what it was told
//! <out>/runs/<cell>.log    what it said
//! <out>/runs/<cell>.failed why it failed, where it did
//! ```

use super::depth::Depth;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// A folder of a reproduction.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) out: PathBuf,
}

/// What a run came to: `result.json`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Outcome {
    pub(super) found: Depth,
    pub(super) val_accuracy: f64,
    pub(super) test_accuracy: f64,
    pub(super) growing_epochs: u32,
    pub(super) growing_seconds: f64,
    pub(super) fine_tuning_seconds: f64,
    pub(super) parameters: u64,
    pub(super) macs: u64,
    pub(super) floor: Option<Depth>,
    pub(super) at_floor: bool,
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    /// There is no run folder, or one in which nothing was begun.
    Missing,
    /// `autogrow resume` goes on with it.
    Begun,
    /// It has a result.
    Finished(Outcome),
}

impl Place {
    /// The folder in which all run folders lie.
    pub(super) fn runs(&self) -> PathBuf {
        self.out.join("runs")
    }

    /// A file beside a run folder.
    pub(super) fn beside(&self, cell: &str, extension: &str) -> PathBuf {
        self.runs().join(format!("{cell}.{extension}"))
    }

    /// How far a cell is.
    ///
    /// # Errors
    /// Where a result cannot be read.
    pub(super) fn stage(&self, cell: &str) -> Result<Stage> {
        let folder = self.runs().join(cell);
        let result = folder.join("result.json");
        if result.is_file() {
            let damaged = || format!("{} is damaged", result.display());
            let outcome = serde_json::from_slice(&fs::read(&result).with_context(damaged)?);
            return outcome.map(Stage::Finished).with_context(damaged);
        }
        // The configuration is the first file of a run; before, `train` may begin anew.
        let begun = folder.join("config.toml").is_file();
        Ok(if begun { Stage::Begun } else { Stage::Missing })
    }

    /// The process that works on a cell right now.
    pub(super) fn holder(&self, cell: &str) -> Option<String> {
        let path = self.runs().join(cell).join("lock");
        match File::open(&path).ok()?.try_lock() {
            Err(TryLockError::WouldBlock) => {
                Some(fs::read_to_string(&path).unwrap_or_default().trim().to_string())
            }
            _ => None,
        }
    }

    /// Why a cell failed when it was last tried.
    pub(super) fn failure(&self, cell: &str) -> Option<String> {
        let text = fs::read_to_string(self.beside(cell, "failed")).ok()?;
        Some(text.trim().to_string())
    }

    /// Remembers why a cell failed.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn failed(&self, cell: &str, why: &str) -> Result<()> {
        publish(&self.beside(cell, "failed"), &format!("{why}\n"))
    }

    /// Forgets that a cell failed.
    pub(super) fn no_longer_failed(&self, cell: &str) {
        // Mostly there is nothing to forget.
        let _ = fs::remove_file(self.beside(cell, "failed"));
    }
}

/// Writes a file that others read: complete or not at all.
///
/// # Errors
/// Where it cannot be written.
pub(super) fn publish(path: &Path, text: &str) -> Result<()> {
    let part = path.with_added_extension(format!("{}.part", std::process::id()));
    fs::write(&part, text)
        .and_then(|()| fs::rename(&part, path))
        .with_context(|| format!("{} cannot be written", path.display()))
}
