//! Slurm's commands, what they answer, and what can go wrong with them.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::io::ErrorKind;
use std::process::Command;

/// What goes wrong between us and Slurm.
#[derive(Debug, PartialEq)]
pub(super) enum SlurmError {
    /// There is no such command here.
    Missing { command: &'static str },
    /// The command failed.
    Refused { command: &'static str, said: String },
    /// The command answered something else than what its manual says.
    Unreadable { command: &'static str, said: String },
}

impl fmt::Display for SlurmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { command } => write!(
                f,
                "`{command}` is not on this machine\nhint: submit where Slurm's commands are, such \
                 as a cluster's login node; without Slurm, `--shard I/N` divides the work"
            ),
            Self::Refused { command, said } => write!(
                f,
                "`{command}` failed: {said}\nhint: what the cluster insists on can be given with \
                 --sbatch \"--partition=NAME --account=NAME\""
            ),
            Self::Unreadable { command, said } => write!(
                f,
                "`{command}` gave an answer that cannot be read: {said}\nhint: it should be that \
                 of Slurm 20.02 or later"
            ),
        }
    }
}

impl Error for SlurmError {}

/// A task that is in the queue, waiting or running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Queued {
    pub(super) job: u64,
    /// None for a job that is no array.
    pub(super) index: Option<usize>,
    /// As Slurm calls it: `PENDING`, `RUNNING`, ...
    pub(super) state: String,
    /// What it waits for, `None` where it does not.
    pub(super) reason: String,
}

impl Queued {
    /// Whether it waits for its turn.
    pub(super) fn waits(&self) -> bool {
        ["PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"].contains(&self.state.as_str())
    }
}

/// Submits a script and tells the job's number.
///
/// # Errors
/// Where there is no Slurm or it does not take the script.
pub(super) fn sbatch(arguments: &[impl AsRef<OsStr>]) -> Result<u64, SlurmError> {
    let answer = answer("sbatch", arguments)?;
    job(&answer).ok_or(SlurmError::Unreadable { command: "sbatch", said: answer })
}

/// What this user has in the queue.
///
/// # Errors
/// Where there is no Slurm or it does not answer.
pub(super) fn squeue() -> Result<Vec<Queued>, SlurmError> {
    let answer = answer("squeue", &["--me", "--noheader", "--array", "--format=%F|%K|%T|%r"])?;
    let lines = answer.lines().filter(|line| !line.trim().is_empty());
    let unreadable =
        |line: &str| SlurmError::Unreadable { command: "squeue", said: line.to_string() };
    let queued = lines.map(|line| queued(line).ok_or_else(|| unreadable(line)));
    // One that is completing has ended; its node is being cleaned up.
    queued.filter(|queued| !queued.as_ref().is_ok_and(|task| task.state == "COMPLETING")).collect()
}

fn answer(command: &'static str, arguments: &[impl AsRef<OsStr>]) -> Result<String, SlurmError> {
    let output =
        Command::new(command).args(arguments).output().map_err(|error| match error.kind() {
            ErrorKind::NotFound => SlurmError::Missing { command },
            _ => SlurmError::Refused { command, said: error.to_string() },
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
        return Err(SlurmError::Refused { command, said });
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
        assert_eq!(error, SlurmError::Missing { command: "sbatch-of-no-machine" });
        let words = error.to_string();
        assert!(words.contains("hint:") && words.contains("--shard"), "{words}");
    }

    #[test]
    #[cfg(unix)]
    fn a_command_that_fails_is_quoted() {
        let error = answer("sh", &["-c", "echo no such partition >&2; exit 1"]).unwrap_err();
        assert_eq!(error, SlurmError::Refused { command: "sh", said: "no such partition".into() });
    }
}
