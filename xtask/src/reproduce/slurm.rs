//! `cargo xtask reproduce SUITE --slurm`: the runs as job arrays of Slurm, for machines that share
//! the folder of results.
//!
//! A job is this program with `--only RUN`: it plans anew, so that a baseline's depth is that which
//! its search has found by then, and trains the run as ever. Nothing but the run folders holds
//! state: a job that is queued again goes on from the last checkpoint.

mod arrays;
mod client;
mod request;
mod script;
mod status;
mod submitted;

use super::estimate::Cost;
use super::figures;
use super::place::{Place, Stage};
use super::plan::{CellId, Plan};
use super::run::cell_name;
use anyhow::{Context, Result, bail, ensure};
use arrays::Array;
use clap::Args;
use request::Request;
pub(super) use script::Command;
use std::path::Path;
use submitted::{Submitted, Task};

/// What is said of Slurm on the command line.
#[derive(Debug, Args)]
pub(crate) struct SlurmArgs {
    /// Submit the runs to Slurm, as job arrays, in place of training here
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) slurm: bool,
    /// Show the scripts that would be submitted
    #[arg(long, requires = "slurm")]
    pub(super) print: bool,
    /// Tell how far the runs are, in their folders and in the queue
    #[arg(long, requires = "slurm", conflicts_with = "print")]
    pub(super) status: bool,
    /// More options of sbatch, such as "--partition=gpu --gres=gpu:1"
    #[arg(long, requires = "slurm", value_name = "OPTIONS", allow_hyphen_values = true)]
    sbatch: Vec<String>,
    /// The run that is this job
    #[arg(long, hide = true, conflicts_with = "slurm")]
    pub(super) only: Option<String>,
}

/// Runs for Slurm.
pub(super) struct Slurm<'a> {
    pub(super) plan: &'a Plan<'a>,
    /// Which of the cells are ours.
    pub(super) mine: &'a [bool],
    pub(super) place: &'a Place,
    pub(super) command: Command<'a>,
    pub(super) args: &'a SlurmArgs,
}

/// The cell of this key and those it waits for. When a job begins, those have ended, but for what
/// was deleted or killed meanwhile; that is then done again.
///
/// # Errors
/// Where no cell has this key.
pub(super) fn only(plan: &Plan<'_>, key: &str) -> Result<Vec<bool>> {
    let own = plan.cells.iter().position(|cell| cell.key == key);
    let own = own.with_context(|| format!("no run is called {key}"))?;
    let mut wanted = vec![false; plan.cells.len()];
    wanted[own] = true;
    // Dependencies come first in a plan.
    for id in (0..=own).rev() {
        if wanted[id] {
            plan.cells[id].after.iter().for_each(|&before| wanted[before] = true);
        }
    }
    Ok(wanted)
}

impl Slurm<'_> {
    /// How far the runs are.
    ///
    /// # Errors
    /// Where Slurm does not answer, or a result cannot be read.
    pub(super) fn status(&self) -> Result<String> {
        let submitted = Submitted::read(&self.command.folder())?;
        let queue = client::squeue()?;
        status::status(self.plan, self.mine, self.place, &submitted, &queue)
    }

    /// All scripts, as they would be submitted.
    ///
    /// # Errors
    /// Where a result cannot be read.
    pub(super) fn scripts(&self, costs: &[Cost]) -> Result<String> {
        let mut text = String::new();
        let arrays = self.arrays(costs)?;
        for (place, array) in arrays.iter().enumerate() {
            let after = array.after.map(|after| format!("JOB{}", after + 1));
            let options = self.options(after.as_deref()).into_iter();
            let words: Vec<_> = options.chain([format!("{}.sh", place + 1)]).collect();
            text.push_str(&format!("# JOB{}: sbatch {}\n", place + 1, words.join(" ")));
            text.push_str(&self.command.array(array, self.plan));
            text.push('\n');
        }
        let jobs: Vec<_> = (1..=arrays.len()).map(|number| format!("JOB{number}")).collect();
        text.push_str(&format!("# sbatch {} tables.sh\n", self.tables_options(&jobs).join(" ")));
        text.push_str(&self.tables(costs));
        Ok(text)
    }

    /// Submits what is missing, and says what.
    ///
    /// # Errors
    /// Where jobs of this folder are in the queue, Slurm refuses, or files cannot be written.
    pub(super) fn submit(&self, costs: &[Cost], autogrow: &Path) -> Result<String> {
        let folder = self.command.folder();
        self.nothing_queued(&folder)?;
        let arrays = self.arrays(costs)?;
        if arrays.is_empty() {
            return Ok("all runs have a result".into());
        }
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        copy(&std::env::current_exe()?, &self.command.program("xtask"))?;
        copy(autogrow, &self.command.program("autogrow"))?;

        let mut submitted = Submitted::default();
        let (mut jobs, mut text): (Vec<u64>, _) = (Vec::new(), String::new());
        for (place, array) in arrays.iter().enumerate() {
            let after = array.after.map(|after| jobs[after].to_string());
            let script = self.command.array(array, self.plan);
            let file = format!("{}.sh", place + 1);
            let job = self.sbatch(self.options(after.as_deref()), &file, &script)?;
            for &(index, id) in &array.tasks {
                let run = self.plan.cells[id].key.clone();
                submitted.tasks.push(Task { job, index, run });
            }
            // At once: what comes next may fail, and this is in the queue.
            submitted.write(&folder)?;
            let Request { minutes, gigabytes } = array.request;
            let after = after.map(|after| format!(", each after that of {after}"));
            text.push_str(&format!(
                "job {job}: {} runs of {minutes} min, {gigabytes} GB{}\n",
                array.tasks.len(),
                after.unwrap_or_default()
            ));
            jobs.push(job);
        }
        let jobs: Vec<_> = jobs.iter().map(u64::to_string).collect();
        let job = self.sbatch(self.tables_options(&jobs), "tables.sh", &self.tables(costs))?;
        submitted.tables = Some(job);
        submitted.write(&folder)?;
        text.push_str(&format!("job {job}: the tables, after all of them"));
        Ok(text)
    }

    /// Two jobs for a run would do no harm, but one of them would do nothing but wait.
    fn nothing_queued(&self, folder: &Path) -> Result<()> {
        let jobs = Submitted::read(folder)?.jobs();
        let mut left: Vec<_> = client::squeue()?.iter().map(|queued| queued.job).collect();
        left.retain(|job| jobs.contains(job));
        let tasks = left.len();
        left.sort_unstable();
        left.dedup();
        let left: Vec<_> = left.iter().map(u64::to_string).collect();
        ensure!(
            tasks == 0,
            "{tasks} tasks of this folder are in the queue\nhint: --status shows them; `scancel {}` \
             cancels them",
            left.join(" ")
        );
        Ok(())
    }

    /// Arrays of what has no result yet.
    fn arrays(&self, costs: &[Cost]) -> Result<Vec<Array>> {
        let requests: Vec<_> = costs.iter().map(Request::of).collect();
        let todo: Vec<_> = (0..self.plan.cells.len())
            .map(|id| Ok(self.mine[id] && !self.finished(id)?))
            .collect::<Result<_>>()?;
        Ok(arrays::arrays(self.plan, &todo, &requests))
    }

    /// The script of the last job. Charts take a moment, loss surfaces as much as a run may.
    fn tables(&self, costs: &[Cost]) -> String {
        if figures::take_long(self.plan) {
            let runs: Vec<_> = costs.iter().map(Request::of).collect();
            return self.command.tables(Request::surfaces(&runs), self.command.threads);
        }
        self.command.tables(Request::TABLES, 1)
    }

    fn finished(&self, id: CellId) -> Result<bool> {
        let name = cell_name(self.plan, self.place, id)?;
        let stage = name.map(|name| self.place.stage(&name)).transpose()?;
        Ok(matches!(stage, Some(Stage::Finished(_))))
    }

    /// Options of an array. Those of the user come last, so that they count.
    fn options(&self, after: Option<&str>) -> Vec<String> {
        // A task that waits for one that has failed would wait for ever.
        let after = after.map(|after| {
            [format!("--dependency=aftercorr:{after}"), "--kill-on-invalid-dep=yes".into()]
        });
        after.into_iter().flatten().chain(self.of_user()).collect()
    }

    fn tables_options(&self, jobs: &[String]) -> Vec<String> {
        let after = format!("--dependency=afterany:{}", jobs.join(":"));
        [after].into_iter().chain(self.of_user()).collect()
    }

    fn of_user(&self) -> impl Iterator<Item = String> {
        self.args.sbatch.iter().flat_map(|options| options.split_whitespace()).map(str::to_string)
    }

    /// Writes a script and submits it.
    fn sbatch(&self, options: Vec<String>, file: &str, script: &str) -> Result<u64> {
        let path = self.command.folder().join(file);
        super::place::publish(&path, script)?;
        let mut arguments = vec!["--parsable".into()];
        arguments.extend(options);
        arguments.push(path.display().to_string());
        Ok(client::sbatch(&arguments)?)
    }
}

/// Copies a program; a process that runs the one that was there keeps it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let part = to.with_added_extension(format!("{}.part", std::process::id()));
    let copied = std::fs::copy(from, &part).and_then(|_| std::fs::rename(&part, to));
    if let Err(error) = copied {
        bail!("{} cannot be copied to {}: {error}", from.display(), to.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::scale::Scale;
    use crate::reproduce::testing::with_plan;

    #[test]
    fn a_job_is_a_run_and_what_it_waits_for() {
        with_plan(Scale::Paper, &["morph", "table3"], 1, |plan| {
            for (id, cell) in plan.cells.iter().enumerate() {
                let wanted = only(plan, &cell.key).unwrap();
                let count = wanted.iter().filter(|&&wanted| wanted).count();
                // Deepening takes three: the shallow net, the deepened, the trained one.
                let mut chain = 1;
                let mut last = id;
                while let Some(&before) = plan.cells[last].after.first() {
                    (chain, last) = (chain + 1, before);
                    assert!(wanted[before]);
                }
                assert_eq!(count, chain, "{}", cell.key);
            }
            assert!(only(plan, "no such run").is_err());
        });
    }
}
