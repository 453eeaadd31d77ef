//! `--slurm`: the runs as job arrays of Slurm, for machines that share the folder of results.
//!
//! A job is this program with `--only RUN`: it plans anew, so that a baseline's depth is that which
//! its search has found by then, and trains the run as ever. Nothing but the run folders holds
//! state: a job that is queued again goes on from the last checkpoint.

mod arrays;
mod client;
mod request;
mod script;
mod submitted;

use crate::answer::Answer;
use crate::estimate::Cost;
use crate::figures;
use crate::place::{Place, Stage};
use crate::plan::Plan;
use crate::program::Program;
use arrays::Array;
use autogrow_base::{Error, Result};
use autogrow_run::storage::create_folder;
pub(crate) use client::{Queued, squeue};
use request::Request;
pub(crate) use script::Command;
use serde::Serialize;
pub(crate) use submitted::{Submitted, Task};

/// Runs for Slurm.
pub(crate) struct Slurm<'a> {
    pub(crate) plan: &'a Plan,
    /// Which of the cells are ours.
    pub(crate) mine: &'a [bool],
    pub(crate) place: &'a Place,
    pub(crate) command: Command<'a>,
    /// More options of sbatch, as they were typed.
    pub(crate) sbatch: &'a [String],
}

/// A script and how it is submitted.
#[derive(Serialize)]
struct Script {
    /// What stands for its job's number in the options of others.
    job: String,
    options: Vec<String>,
    script: String,
}

/// A job that was submitted.
#[derive(Serialize)]
struct Job {
    job: u64,
    runs: usize,
    #[serde(flatten)]
    request: Request,
    /// The job that each of its runs waits for.
    after: Option<u64>,
}

#[derive(Serialize)]
struct Jobs {
    jobs: Vec<Job>,
    /// The job that writes the tables.
    tables: Option<u64>,
}

impl Slurm<'_> {
    /// All scripts, as they would be submitted.
    pub(crate) fn scripts(&self, costs: &[Cost]) -> Result<Answer> {
        let name = |place: usize| format!("JOB{}", place + 1);
        let arrays = self.arrays(costs)?;
        let mut scripts = Vec::new();
        for (place, array) in arrays.iter().enumerate() {
            let after = array.after.map(name);
            scripts.push(Script {
                job: name(place),
                options: self.options(after.as_deref()),
                script: self.command.array(array, self.plan),
            });
        }
        let jobs: Vec<_> = (0..arrays.len()).map(name).collect();
        let (options, script) = (self.tables_options(&jobs), self.tables(costs));
        scripts.push(Script { job: "TABLES".into(), options, script });
        let text = scripts.iter().map(|Script { job, options, script }| {
            format!("# {job}: sbatch {}\n{script}", options.join(" "))
        });
        let text = text.collect::<Vec<_>>().join("\n");
        Ok(Answer::new(&serde_json::json!({ "scripts": scripts }), text))
    }

    /// Submits what is missing, and says what.
    ///
    /// # Errors
    /// [`Error::Config`] where jobs of this folder are in the queue, or Slurm refuses; where files
    /// cannot be written.
    pub(crate) fn submit(&self, costs: &[Cost], program: &Program) -> Result<Answer> {
        self.check_queue()?;
        let arrays = self.arrays(costs)?;
        let mut answer = Jobs { jobs: Vec::new(), tables: None };
        if arrays.is_empty() {
            return Ok(Answer::new(&answer, "all runs have a result".into()));
        }
        create_folder(&self.command.folder())?;
        program.install(&self.command.program())?;

        let mut submitted = Submitted::default();
        for (place, array) in arrays.iter().enumerate() {
            let after = array.after.map(|after| answer.jobs[after].job);
            let script = self.command.array(array, self.plan);
            let options = self.options(after.map(|job| job.to_string()).as_deref());
            let job = self.sbatch(options, &format!("{}.sh", place + 1), &script)?;
            for &(index, id) in &array.tasks {
                let run = self.plan.cells[id].key.clone();
                submitted.tasks.push(Task { job, index, run });
            }
            // At once: what comes next may fail, and this is in the queue.
            submitted.write(self.place)?;
            answer.jobs.push(Job { job, runs: array.tasks.len(), request: array.request, after });
        }
        let jobs: Vec<_> = answer.jobs.iter().map(|job| job.job.to_string()).collect();
        let job = self.sbatch(self.tables_options(&jobs), "tables.sh", &self.tables(costs))?;
        (submitted.tables, answer.tables) = (Some(job), Some(job));
        submitted.write(self.place)?;
        Ok(Answer::new(&answer, answer.text()))
    }

    /// Two jobs for a run would do no harm, but one of them would do nothing but wait.
    fn check_queue(&self) -> Result<()> {
        let jobs = Submitted::read(self.place)?.jobs();
        let mut left: Vec<_> = squeue()?.iter().map(|queued| queued.job).collect();
        left.retain(|job| jobs.contains(job));
        let tasks = left.len();
        left.sort_unstable();
        left.dedup();
        if tasks == 0 {
            return Ok(());
        }
        let left: Vec<_> = left.iter().map(u64::to_string).collect();
        let problem = format!("finds {tasks} tasks of this folder in the queue");
        let hint = format!("--status shows them; `scancel {}` cancels them", left.join(" "));
        Err(Error::config("--slurm", problem).with_hint(hint))
    }

    /// Arrays of what has no result yet.
    fn arrays(&self, costs: &[Cost]) -> Result<Vec<Array>> {
        let requests: Vec<_> = costs.iter().map(Request::of).collect();
        let todo = (0..self.plan.cells.len()).map(|id| {
            let name = self.place.name(self.plan, id)?;
            let stage = name.map(|name| self.place.stage(&name)).transpose()?;
            Ok(self.mine[id] && !matches!(stage, Some(Stage::Finished(_))))
        });
        let todo = todo.collect::<Result<Vec<_>>>()?;
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
        self.sbatch.iter().flat_map(|options| options.split_whitespace()).map(str::to_string)
    }

    /// Writes a script and submits it.
    fn sbatch(&self, options: Vec<String>, file: &str, script: &str) -> Result<u64> {
        let path = self.command.folder().join(file);
        self.place.publish(&path, script)?;
        let mut arguments = vec!["--parsable".into()];
        arguments.extend(options);
        arguments.push(path.display().to_string());
        client::sbatch(&arguments)
    }
}

impl Jobs {
    fn text(&self) -> String {
        let mut text = String::new();
        for Job { job, runs, request: Request { minutes, gigabytes }, after } in &self.jobs {
            let after = after.map(|after| format!(", each after that of {after}"));
            let after = after.unwrap_or_default();
            text.push_str(&format!(
                "job {job}: {runs} runs of {minutes} min, {gigabytes} GB{after}\n"
            ));
        }
        if let Some(job) = self.tables {
            text.push_str(&format!("job {job}: the tables, after all of them"));
        }
        text
    }
}
