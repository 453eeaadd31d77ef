//! `slurm/jobs.toml`: which run is which task, as it was submitted.

use crate::reproduce::place::publish;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What was submitted for a folder of results, the last time.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Submitted {
    /// The job that writes the tables.
    pub(super) tables: Option<u64>,
    pub(super) tasks: Vec<Task>,
}

/// A task of an array.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Task {
    pub(super) job: u64,
    pub(super) index: usize,
    /// The cell's key.
    pub(super) run: String,
}

impl Submitted {
    /// That of a folder; empty where nothing was submitted.
    ///
    /// # Errors
    /// Where it is damaged.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("jobs.toml");
        if !path.is_file() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&path);
        let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Writes it down.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        publish(&folder.join("jobs.toml"), &toml::to_string(self)?)
    }

    /// Numbers of all jobs, each once.
    pub(super) fn jobs(&self) -> Vec<u64> {
        let mut jobs: Vec<_> = self.tasks.iter().map(|task| task.job).chain(self.tables).collect();
        jobs.sort_unstable();
        jobs.dedup();
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::testing::TestFolder;

    #[test]
    fn what_was_written_is_read() {
        let folder = TestFolder::new("jobs");
        assert_eq!(Submitted::read(&folder.path).unwrap(), Submitted::default());
        let task = |job, index| Task { job, index, run: format!("scratch of {index}") };
        let tasks = vec![task(12, 0), task(12, 1), task(13, 1)];
        let submitted = Submitted { tables: Some(14), tasks };
        submitted.write(&folder.path).unwrap();
        assert_eq!(Submitted::read(&folder.path).unwrap(), submitted);
        assert_eq!(submitted.jobs(), [12, 13, 14]);
        std::fs::write(folder.path.join("jobs.toml"), "tables = \"no\"").unwrap();
        let error = Submitted::read(&folder.path).unwrap_err().to_string();
        assert!(error.contains("jobs.toml is damaged"), "{error}");
    }
}
