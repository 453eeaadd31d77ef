//! Where the results of suites lie on disk, and how far each run is.
//!
//! ```text
//! <out>/suite.toml         scale, data, device, seeds, suites
//! <out>/suites/            files of a user's suites, as they were run
//! <out>/table3.md|csv|html a suite's tables
//! <out>/figure4/           a suite's figures; `.args` beside one says what it was drawn from
//! <out>/pictures/          images in place of ImageNet, where they are needed
//! <out>/slurm/             scripts and the program of jobs, and what those said
//! <out>/runs/<cell>/       a run folder
//! <out>/runs/<cell>.toml   what the run was told
//! <out>/runs/<cell>.log    what it said
//! <out>/runs/<cell>.failed why it failed, where it did
//! ```

use crate::cell::{self, CellId};
use crate::plan::Plan;
use autogrow_base::{Error, Result};
use autogrow_growth::Depth;
use autogrow_run::storage::{create_folder, failed};
use autogrow_run::{Outcome, is_locked, names, publish, read};
use serde::Deserialize;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Held while something is published: several processes may work on the same suites.
const LOCK: &str = "lock";

/// A folder of results.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Absolute: runs work in a folder of their own.
    pub(crate) out: PathBuf,
}

/// How far a run is.
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    /// There is no run folder, or one in which nothing was begun.
    Missing,
    /// `autogrow resume` goes on with it.
    Begun,
    /// It has a result.
    Finished(Outcome),
}

/// What is read of `evaluation.json`.
#[derive(Deserialize)]
struct Evaluation {
    top5: Option<f64>,
}

impl Place {
    pub(crate) fn new(out: &Path) -> Self {
        // Fails for no path but an empty one, which is the folder we are in.
        Self { out: std::path::absolute(out).unwrap_or_else(|_| out.into()) }
    }

    /// The folder in which all run folders lie.
    pub(crate) fn runs(&self) -> PathBuf {
        self.out.join("runs")
    }

    /// A file beside a run folder.
    pub(crate) fn beside(&self, cell: &str, extension: &str) -> PathBuf {
        self.runs().join(format!("{cell}.{extension}"))
    }

    /// How far a run is.
    ///
    /// # Errors
    /// [`Error::Run`] where a result cannot be read.
    pub(crate) fn stage(&self, cell: &str) -> Result<Stage> {
        let folder = self.runs().join(cell);
        let result = folder.join(names::RESULT);
        if result.is_file() {
            let outcome = serde_json::from_slice(&read(&result)?);
            return outcome.map(Stage::Finished).map_err(|error| {
                Error::run(&result, format!("is damaged ({error})"))
                    .with_hint("remove the run folder, and the same command trains it again")
            });
        }
        // The configuration is the first file of a run; before, `train` may begin anew.
        let begun = folder.join(names::CONFIG).is_file();
        Ok(if begun { Stage::Begun } else { Stage::Missing })
    }

    /// Top-5 accuracy on the test images of a run that has ended, percent.
    pub(crate) fn top5(&self, cell: &str) -> Option<f64> {
        let bytes = fs::read(self.runs().join(cell).join(names::EVALUATION)).ok()?;
        serde_json::from_slice::<Evaluation>(&bytes).ok()?.top5
    }

    /// The process that works on a run right now.
    pub(crate) fn holder(&self, cell: &str) -> Option<String> {
        let folder = self.runs().join(cell);
        let name = || fs::read_to_string(folder.join(names::LOCK)).unwrap_or_default();
        is_locked(&folder).then(|| name().trim().to_string())
    }

    /// The depth that a cell has found, where it has ended.
    pub(crate) fn found(&self, plan: &Plan, id: CellId) -> Result<Option<Depth>> {
        Ok(match self.stage(&plan.cells[id].key)? {
            Stage::Finished(outcome) => Some(outcome.found),
            _ => None,
        })
    }

    /// The name of a cell's run folder; none as long as its depth is to be found.
    pub(crate) fn name(&self, plan: &Plan, id: CellId) -> Result<Option<String>> {
        let cell = &plan.cells[id];
        let Some(finder) = cell.found_by else { return Ok(Some(cell.key.clone())) };
        let found = self.found(plan, finder)?;
        Ok(found.map(|found| cell::name(&cell.resolved(Some(&found)))))
    }

    /// Why a run failed when it was last tried.
    pub(crate) fn failure(&self, cell: &str) -> Option<String> {
        let text = fs::read_to_string(self.beside(cell, "failed")).ok()?;
        Some(text.trim().to_string())
    }

    /// Remembers why a run failed.
    pub(crate) fn failed(&self, cell: &str, why: &str) -> Result<()> {
        self.publish(&self.beside(cell, "failed"), &format!("{why}\n"))
    }

    /// Forgets that a run failed.
    pub(crate) fn no_longer_failed(&self, cell: &str) {
        // Mostly there is nothing to forget.
        let _ = fs::remove_file(self.beside(cell, "failed"));
    }

    /// Writes a file that others read, complete or not at all, unless it says the same already.
    pub(crate) fn publish(&self, path: &Path, text: &str) -> Result<()> {
        if fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes()) {
            return Ok(());
        }
        let _held = self.hold()?;
        publish(path, text.as_bytes())
    }

    /// Makes the folder, and waits for any other process that writes in it.
    fn hold(&self) -> Result<File> {
        create_folder(&self.runs())?;
        let path = self.out.join(LOCK);
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let file = file.and_then(|file| file.lock().map(|()| file));
        file.map_err(|error| failed(&path, "cannot be locked", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finish;

    #[test]
    fn how_far_a_run_is() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path());
        let cell = place.runs().join("cell");
        assert_eq!(place.stage("cell").unwrap(), Stage::Missing);
        fs::create_dir_all(&cell).unwrap();
        fs::write(cell.join("config.toml"), "").unwrap();
        assert_eq!(place.stage("cell").unwrap(), Stage::Begun);
        finish(&place, "cell");
        assert!(matches!(place.stage("cell").unwrap(), Stage::Finished(_)));
        fs::write(cell.join("result.json"), "{").unwrap();
        let error = place.stage("cell").unwrap_err();
        assert_eq!(error.exit_code(), 4);
        assert!(error.to_string().contains("result.json") && error.hint().is_some(), "{error}");
    }

    #[test]
    fn top_5_accuracy_is_that_of_the_evaluation() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path());
        finish(&place, "cell");
        assert_eq!(place.top5("cell"), None);
        let evaluation = place.runs().join("cell/evaluation.json");
        fs::write(&evaluation, r#"{"split":"test","top1":71.5,"top5":90.25}"#).unwrap();
        assert_eq!(place.top5("cell"), Some(90.25));
    }

    #[test]
    fn several_processes_publish_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.md");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let place = Place::new(folder.path());
                    (0..20).for_each(|_| place.publish(&path, "whole").unwrap());
                });
            }
        });
        assert_eq!(fs::read_to_string(path).unwrap(), "whole");
    }
}
