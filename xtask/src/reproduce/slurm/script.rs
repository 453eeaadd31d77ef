//! The batch scripts.

use super::arrays::Array;
use super::request::Request;
use crate::reproduce::plan::Plan;
use std::path::{Path, PathBuf};

/// Seconds before the end of its time at which a job is told to save. Slurm may be a minute early
/// or late, and a training step is finished first.
const WARNING: u32 = 300;

/// What all jobs of a submission have in common.
#[derive(Debug)]
pub(in crate::reproduce) struct Command<'a> {
    pub(in crate::reproduce) suites: &'a [String],
    pub(in crate::reproduce) scale: &'a str,
    pub(in crate::reproduce) seeds: u64,
    /// The data set in place of the paper's.
    pub(in crate::reproduce) data: Option<&'a str>,
    pub(in crate::reproduce) device: &'a str,
    /// CPU threads of a run.
    pub(in crate::reproduce) threads: usize,
    /// Folder of the results, absolute.
    pub(in crate::reproduce) out: &'a Path,
}

impl Command<'_> {
    /// Where scripts, programs and what jobs say lie.
    pub(super) fn folder(&self) -> PathBuf {
        self.out.join("slurm")
    }

    /// Jobs run copies of the programs as they were submitted, so that those can be built anew while
    /// jobs wait.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// The script of an array: each task is a run.
    pub(super) fn array(&self, array: &Array, plan: &Plan<'_>) -> String {
        let Self { scale, seeds, device, threads, .. } = self;
        let (indices, minutes) = (array.indices(), array.request.minutes);
        let gigabytes = array.request.gigabytes;
        let output = self.output("%A_%a");
        let mut runs = String::new();
        for &(index, id) in &array.tasks {
            runs.push_str(&format!("{index}) run={} ;;\n", quoted(&plan.cells[id].key)));
        }
        let suites: String =
            self.suites.iter().map(|suite| format!(" {}", quoted(suite))).collect();
        let xtask = quoted(&self.program("xtask").display().to_string());
        let autogrow = quoted(&self.program("autogrow").display().to_string());
        let data = self.data.map(|data| format!(" --data {}", quoted(data))).unwrap_or_default();
        let (out, device) = (quoted(&self.out.display().to_string()), quoted(device));
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

# Before its time is over, every process of the step gets SIGTERM. autogrow then saves and ends with
# 143; what has started it ignores the signal and waits for that.
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" sh -c 'trap "" TERM; exec "$@"' sh \
    {xtask} reproduce{suites} \
    --scale {scale}{data} --seeds {seeds} --device {device} --threads "$SLURM_CPUS_PER_TASK" \
    --out {out} \
    --autogrow {autogrow} \
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
    pub(super) fn tables(&self, request: Request, threads: usize) -> String {
        let Request { minutes, gigabytes } = request;
        let output = self.output("%j");
        let xtask = quoted(&self.program("xtask").display().to_string());
        let autogrow = quoted(&self.program("autogrow").display().to_string());
        let out = quoted(&self.out.display().to_string());
        format!(
            "#!/bin/sh
#SBATCH --job-name=autogrow-tables
#SBATCH --time={minutes}
#SBATCH --mem={gigabytes}G
#SBATCH --cpus-per-task={threads}
#SBATCH --output={output}

exec {xtask} reproduce merge {out} --threads {threads} \\
    --out {out} \\
    --autogrow {autogrow}
"
        )
    }

    /// Where what a job says goes; Slurm fills in numbers for `pattern`.
    fn output(&self, pattern: &str) -> String {
        let folder = self.folder().display().to_string().replace('%', "%%");
        quoted(&format!("{folder}/{pattern}.out"))
    }
}

/// A word of a shell's command line.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::scale::Scale;
    use crate::reproduce::slurm::arrays::arrays;
    use crate::reproduce::testing::with_plan;

    fn command<'a>(suites: &'a [String], out: &'a Path) -> Command<'a> {
        Command { suites, scale: "smoke", seeds: 1, data: None, device: "auto", threads: 4, out }
    }

    #[test]
    fn scripts_as_expected() {
        let suites = ["table10".to_string()];
        let command = command(&suites, Path::new("/scratch/my results"));
        let scripts = with_plan(Scale::Smoke, &["table10"], 1, |plan| {
            let requests = vec![Request { minutes: 30, gigabytes: 1 }; plan.cells.len()];
            let arrays = arrays(plan, &vec![true; plan.cells.len()], &requests);
            arrays.iter().map(|array| command.array(array, plan)).collect::<Vec<_>>()
        });
        assert_eq!(scripts[0], include_str!("../../../expected/slurm-searches.sh"));
        assert_eq!(scripts[1], include_str!("../../../expected/slurm-baselines.sh"));
        assert_eq!(
            command.tables(Request::TABLES, 1),
            include_str!("../../../expected/slurm-tables.sh")
        );
    }

    #[test]
    fn words_of_a_shell() {
        assert_eq!(quoted("/a/b_c-1.2"), "/a/b_c-1.2");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a b$(c)"), "'a b$(c)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_percent_sign_is_no_pattern_of_slurm() {
        let command = command(&[], Path::new("/data/50%j"));
        assert!(
            command
                .tables(Request::TABLES, 1)
                .contains("#SBATCH --output=/data/50%%j/slurm/%j.out\n")
        );
    }
}
