//! `slurm/jobs.toml`: which run is which task, as it was submitted.

use crate::keys::text;
use crate::place::Place;
use autogrow_base::{Error, Result};
use autogrow_run::read;
use serde::{Deserialize, Serialize};

/// From the folder of results.
const FILE: &str = "slurm/jobs.toml";

/// What was submitted for a folder of results, the last time.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Submitted {
    /// The job that writes the tables.
    pub(crate) tables: Option<u64>,
    pub(crate) tasks: Vec<Task>,
}

/// A task of an array.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Task {
    pub(crate) job: u64,
    pub(crate) index: usize,
    /// The cell's key.
    pub(crate) run: String,
}

impl Submitted {
    /// That of a folder of results; empty where nothing was submitted.
    pub(crate) fn read(place: &Place) -> Result<Self> {
        let path = place.out.join(FILE);
        if !path.is_file() {
            return Ok(Self::default());
        }
        toml::from_str(&String::from_utf8_lossy(&read(&path)?))
            .map_err(|error| Error::run(path, format!("is damaged ({error})")))
    }

    /// Writes it down.
    pub(crate) fn write(&self, place: &Place) -> Result<()> {
        place.publish(&place.out.join(FILE), &text(self)?)
    }

    /// Numbers of all jobs, each once.
    pub(crate) fn jobs(&self) -> Vec<u64> {
        let mut jobs: Vec<_> = self.tasks.iter().map(|task| task.job).chain(self.tables).collect();
        jobs.sort_unstable();
        jobs.dedup();
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path());
        assert_eq!(Submitted::read(&place).unwrap(), Submitted::default());
        fs::create_dir(folder.path().join("slurm")).unwrap();
        let task = |job, index| Task { job, index, run: format!("scratch of {index}") };
        let tasks = vec![task(12, 0), task(12, 1), task(13, 1)];
        let submitted = Submitted { tables: Some(14), tasks };
        submitted.write(&place).unwrap();
        assert_eq!(Submitted::read(&place).unwrap(), submitted);
        assert_eq!(submitted.jobs(), [12, 13, 14]);
        fs::write(folder.path().join(FILE), "tables = \"no\"").unwrap();
        let error = Submitted::read(&place).unwrap_err().to_string();
        assert!(error.contains("jobs.toml: is damaged"), "{error}");
    }
}
