//! Slurm's commands, what they answer, and what can go wrong with them.

use autogrow_base::{Error, Result};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::Command;

/// What Slurm's commands are asked for.
const OPTION: &str = "--slurm";

/// There is no such command here.
fn lacks(command: &str) -> Error {
    Error::config(OPTION, format!("needs `{command}`, which is not on this machine")).with_hint(
        "submit where Slurm's commands are, such as a cluster's login node; without Slurm, \
         `--shard I/N` divides the work",
    )
}

/// The command failed.
fn refused(command: &str, said: &str) -> Error {
    Error::config(OPTION, format!("was refused by `{command}`: {said}")).with_hint(
        "what the cluster insists on can be given with --sbatch \"--partition=NAME --account=NAME\"",
    )
}

/// The command answered something else than what its manual says.
fn unreadable(command: &str, said: &str) -> Error {
    Error::config(OPTION, format!("got an answer of `{command}` that cannot be read: {said}"))
        .with_hint("it should be that of Slurm 20.02 or later")
}

/// A task that is in the queue, waiting or running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queued {
    pub(crate) job: u64,
    /// None for a job that is no array.
    pub(crate) index: Option<usize>,
    /// As Slurm calls it: `PENDING`, `RUNNING`, ...
    pub(crate) state: String,
    /// What it waits for, `None` where it does not.
    pub(crate) reason: String,
}

impl Queued {
    /// Whether it waits for its turn.
    pub(crate) fn waits(&self) -> bool {
        ["PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"].contains(&self.state.as_str())
    }
}

/// Submits a script and tells the job's number.
///
/// # Errors
/// Where there is no Slurm or it does not take the script.
pub(crate) fn sbatch(arguments: &[impl AsRef<OsStr>]) -> Result<u64> {
    let answer = answer("sbatch", arguments)?;
    job(&answer).ok_or_else(|| unreadable("sbatch", &answer))
}

/// What this user has in the queue.
///
/// # Errors
/// Where there is no Slurm or it does not answer.
pub(crate) fn squeue() -> Result<Vec<Queued>> {
    let answer = answer("squeue", &["--me", "--noheader", "--array", "--format=%F|%K|%T|%r"])?;
    let lines = answer.lines().filter(|line| !line.trim().is_empty());
    let queued = lines.map(|line| queued(line).ok_or_else(|| unreadable("squeue", line)));
    // One that is completing has ended; its node is being cleaned up.
    queued.filter(|queued| !queued.as_ref().is_ok_and(|task| task.state == "COMPLETING")).collect()
}

fn answer(command: &str, arguments: &[impl AsRef<OsStr>]) -> Result<String> {
    let output =
        Command::new(command).args(arguments).output().map_err(|error| match error.kind() {
            ErrorKind::NotFound => lacks(command),
            _ => refused(command, &error.to_string()),
        })?;
    if !output.status.success() {
        return Err(refused(command, String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `12` or, of several clusters, `12;name`.
fn job(answer: &str) -> Option<u64> {
    answer.trim().split(';').next()?.parse().ok()
}

/// `12|3|PENDING|Dependency`.
fn queued(line: &str) -> Option<Queued> {
    let mut fields = line.trim().splitn(4, '|');
    let job = fields.next()?.parse().ok()?;
    let index = match fields.next()? {
        "N/A" => None,
        index => Some(index.parse().ok()?),
    };
    let (state, reason) = (fields.next()?.to_string(), fields.next()?.to_string());
    Some(Queued { job, index, state, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_jobs() {
        assert_eq!(job("4711\n"), Some(4711));
        assert_eq!(job("4711;abacus\n"), Some(4711));
        assert_eq!(job("Submitted batch job 4711\n"), None);
    }

    #[test]
    fn lines_of_the_queue() {
        let task = |job, index, state: &str, reason: &str| {
            Some(Queued { job, index, state: state.into(), reason: reason.into() })
        };
        for (line, expected) in [
            ("12|3|PENDING|Dependency", task(12, Some(3), "PENDING", "Dependency")),
            ("12|0|RUNNING|None", task(12, Some(0), "RUNNING", "None")),
            ("14|N/A|PENDING|(ReqNodeNotAvail, UnavailableNodes:n1|n2)", {
                task(14, None, "PENDING", "(ReqNodeNotAvail, UnavailableNodes:n1|n2)")
            }),
            ("12|0-3|PENDING|None", None),
            ("JOBID|INDEX|STATE|REASON", None),
            ("12|3", None),
        ] {
            assert_eq!(queued(line), expected, "{line}");
        }
    }

    #[test]
    fn a_command_that_is_not_there_is_told_with_a_way_out() {
        let error = answer("sbatch-of-no-machine", &["x"]).unwrap_err();
        assert!(error.to_string().contains("sbatch-of-no-machine"), "{error}");
        assert!(error.hint().unwrap().contains("--shard"));
    }

    #[test]
    #[cfg(unix)]
    fn a_command_that_fails_is_quoted() {
        let error = answer("sh", &["-c", "echo no such partition >&2; exit 1"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().ends_with("`sh`: no such partition"), "{error}");
    }
}
