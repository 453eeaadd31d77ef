//! The batch scripts.

use super::arrays::Array;
use super::request::Request;
use crate::plan::Plan;
use crate::shell::quoted;
use std::path::{Path, PathBuf};

/// Seconds before the end of its time at which a job is told to save. Slurm may be a minute early
/// or late, and a training step is finished first.
const WARNING: u32 = 300;

/// What all jobs of a submission have in common.
#[derive(Debug)]
pub(crate) struct Command<'a> {
    /// The command, its suites and the options that decide which runs there are.
    pub(crate) words: Vec<String>,
    /// CPU threads of a run.
    pub(crate) threads: usize,
    /// Folder of the results, absolute.
    pub(crate) out: &'a Path,
}

impl Command<'_> {
    /// Where scripts, the program and what jobs say lie.
    pub(crate) fn folder(&self) -> PathBuf {
        self.out.join("slurm")
    }

    /// Jobs run a copy of the program as it was when they were submitted.
    pub(crate) fn program(&self) -> PathBuf {
        self.folder().join("autogrow")
    }

    /// The script of an array: each task is a run.
    pub(crate) fn array(&self, array: &Array, plan: &Plan) -> String {
        let (indices, minutes) = (array.indices(), array.request.minutes);
        let (gigabytes, threads) = (array.request.gigabytes, self.threads);
        let output = self.output("%A_%a");
        let mut runs = String::new();
        for &(index, id) in &array.tasks {
            runs.push_str(&format!("{index}) run={} ;;\n", quoted(&plan.cells[id].key)));
        }
        let words: String = self.words.iter().map(|word| format!(" {}", quoted(word))).collect();
        let program = quoted(&self.program().display().to_string());
        let out = quoted(&self.out.display().to_string());
        format!(
            r#"#!/bin/sh
#SBATCH --job-name=autogrow
#SBATCH --array={indices}
#SBATCH --time={minutes}
#SBATCH --mem={gigabytes}G
#SBATCH --cpus-per-task={threads}
#SBATCH --output={output}
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=TERM@{WARNING}

case $SLURM_ARRAY_TASK_ID in
{runs}esac

# Before its time is over, every process of the step gets SIGTERM. The run then saves and ends with
# 143; what has started it ignores the signal and waits for that.
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" sh -c 'trap "" TERM; exec "$@"' sh \
    {program}{words} \
    --threads "$SLURM_CPUS_PER_TASK" --out {out} \
    --only "$run"
code=$?

# Saved, but not at its end: it goes on in another turn.
if [ $code -eq 143 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit $code
"#
        )
    }

    /// The script of the job that writes the tables and draws the figures when all runs have ended,
    /// well or not, on so many threads.
    pub(crate) fn tables(&self, request: Request, threads: usize) -> String {
        let Request { minutes, gigabytes } = request;
        let output = self.output("%j");
        let program = quoted(&self.program().display().to_string());
        let out = quoted(&self.out.display().to_string());
        format!(
            "#!/bin/sh
#SBATCH --job-name=autogrow-tables
#SBATCH --time={minutes}
#SBATCH --mem={gigabytes}G
#SBATCH --cpus-per-task={threads}
#SBATCH --output={output}

exec {program} suite --merge {out} --out {out} --threads {threads}
"
        )
    }

    /// Where what a job says goes; Slurm fills in numbers for `pattern`.
    fn output(&self, pattern: &str) -> String {
        let folder = self.folder().display().to_string().replace('%', "%%");
        quoted(&format!("{folder}/{pattern}.out"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::Scale;
    use crate::slurm::arrays::arrays;
    use crate::testing::plan;

    fn command<'a>(words: &[&str], out: &'a Path) -> Command<'a> {
        Command { words: words.iter().map(ToString::to_string).collect(), threads: 4, out }
    }

    #[test]
    fn scripts_as_expected() {
        let words = ["reproduce", "table10", "--scale", "smoke"];
        let command = command(&words, Path::new("/scratch/my results"));
        let plan = plan(Scale::Smoke, &["table10"], 1);
        let requests = vec![Request { minutes: 30, gigabytes: 1 }; plan.cells.len()];
        let arrays = arrays(&plan, &vec![true; plan.cells.len()], &requests);
        let scripts: Vec<_> = arrays.iter().map(|array| command.array(array, &plan)).collect();
        assert_eq!(scripts[0], include_str!("../../expected/slurm-searches.sh"));
        assert_eq!(scripts[1], include_str!("../../expected/slurm-baselines.sh"));
        let tables = command.tables(Request::TABLES, 1);
        assert_eq!(tables, include_str!("../../expected/slurm-tables.sh"));
    }

    #[test]
    fn a_percent_sign_is_no_pattern_of_slurm() {
        let command = command(&[], Path::new("/data/50%j"));
        let script = command.tables(Request::TABLES, 1);
        assert!(script.contains("#SBATCH --output=/data/50%%j/slurm/%j.out\n"), "{script}");
    }
}
