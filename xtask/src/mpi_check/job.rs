//! A job of mpirun, what is done to it, and what it leaves behind.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// At least six growths and an epoch of fine-tuning, in seconds.
const TINY: [&str; 9] = [
    "data.fraction=0.05",
    "network.width=2",
    "growth.interval=1",
    "growth.max_depth=3-3-3",
    "fine_tune.epochs=1",
    "training.batch_size=16",
    "training.learning_rate=0.02",
    "training.sync_batch_norm=true",
    "run.log_steps=true",
];

/// A run on so many ranks, of one thread each.
pub(super) struct Job<'a> {
    pub(super) autogrow: &'a Path,
    pub(super) folder: PathBuf,
    pub(super) ranks: usize,
}

/// A job while it runs.
pub(super) struct Running {
    mpirun: Child,
    ranks: usize,
}

/// How a job has ended.
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    /// What it said.
    pub(super) text: String,
}

/// What is done to a process.
#[derive(Clone, Copy)]
pub(super) enum Signal {
    Kill,
    Stop,
}

impl Job<'_> {
    pub(super) fn train(&self, more: &[&str]) -> Result<Running> {
        let set = TINY.iter().flat_map(|setting| ["--set", setting]);
        self.start("train", &set.chain(more.iter().copied()).collect::<Vec<_>>())
    }

    pub(super) fn resume(&self) -> Result<Running> {
        self.start("resume", &[])
    }

    fn start(&self, command: &str, arguments: &[&str]) -> Result<Running> {
        let mpirun = Command::new("mpirun")
            .args(["--allow-run-as-root", "--oversubscribe", "-n", &self.ranks.to_string()])
            .arg(self.autogrow)
            .arg(command)
            .arg(&self.folder)
            .args(arguments)
            .args(["--threads", "1", "--quiet"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("mpirun cannot be started")?;
        Ok(Running { mpirun, ranks: self.ranks })
    }
}

impl Running {
    /// Sends a signal to a rank. Says whether all ranks were there.
    pub(super) fn signal(&self, rank: usize, signal: Signal) -> bool {
        let mut ranks = children(self.mpirun.id());
        ranks.sort_unstable();
        if ranks.len() != self.ranks {
            return false;
        }
        let signal = match signal {
            Signal::Kill => "-KILL",
            Signal::Stop => "-STOP",
        };
        let sent = Command::new("kill").args([signal, &ranks[rank].to_string()]).status();
        sent.is_ok_and(|status| status.success())
    }

    /// Waits for a file. Says whether it is there; if not, the job is over.
    pub(super) fn until(&mut self, file: &Path) -> Result<bool> {
        while !file.exists() {
            if self.mpirun.try_wait()?.is_some() {
                return Ok(file.exists());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(true)
    }

    /// Waits for the end, so long at most.
    pub(super) fn wait(mut self, limit: Option<Duration>) -> Result<Ended> {
        let since = Instant::now();
        let mut stderr = self.mpirun.stderr.take().context("no stderr")?;
        let reader = std::thread::spawn(move || {
            let mut text = Vec::new();
            let read = stderr.read_to_end(&mut text);
            read.map(|_| String::from_utf8_lossy(&text).into_owned())
        });
        let code = loop {
            if let Some(status) = self.mpirun.try_wait()? {
                break status.code();
            }
            if limit.is_some_and(|limit| since.elapsed() > limit) {
                self.mpirun.kill()?;
                bail!("the job does not end");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let text = reader.join().ok().context("stderr cannot be read")??;
        Ok(Ended { code, text })
    }
}

/// Processes that `parent` has started. Numbers grow, so ranks are in their order as a rule; which
/// one is hit does not matter.
fn children(parent: u32) -> Vec<u32> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let number = |entry: std::io::Result<std::fs::DirEntry>| -> Option<u32> {
        entry.ok()?.file_name().to_str()?.parse().ok()
    };
    let is_child = |process: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // After the name in brackets: the state, then the parent.
        let after = stat.rsplit(')').next().unwrap_or_default();
        after.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    processes.filter_map(number).filter(is_child).collect()
}

/// All of a finished run that does not tell the time.
#[derive(Debug, PartialEq)]
pub(super) struct End {
    model: Vec<u8>,
    steps: String,
    pub(super) losses: Vec<f64>,
    pub(super) journal: Vec<String>,
}

impl End {
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let read = |name: &str| {
            std::fs::read_to_string(folder.join(name)).with_context(|| format!("no {name}"))
        };
        let steps = read("steps.csv")?;
        let loss = |line: &str| line.rsplit(',').next()?.parse::<f64>().ok();
        let mut journal = Vec::new();
        for line in read("journal.jsonl")?.lines() {
            let event: Value = serde_json::from_str(line)?;
            let kind = event["event"].as_str().unwrap_or_default();
            if kind != "resumed" {
                let (epoch, depth) = (&event["epoch"], &event["depth"]);
                journal.push(format!("{kind} {epoch} {depth} {}", event["subnet"]));
            }
        }
        Ok(Self {
            model: std::fs::read(folder.join("model.safetensors"))?,
            losses: steps.lines().filter_map(loss).collect(),
            steps,
            journal,
        })
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn running(script: &str) -> Running {
        let mut command = Command::new("sh");
        let mpirun = command.args(["-c", script]).stderr(Stdio::piped()).spawn().unwrap();
        Running { mpirun, ranks: 1 }
    }

    #[test]
    fn a_job_that_ends_before_its_checkpoint_is_not_waited_for() {
        let file = std::env::temp_dir().join(format!("checkpoint-{}", std::process::id()));
        let mut failing = running("echo no luck >&2; exit 3");
        assert!(!failing.until(&file).unwrap());
        let ended = failing.wait(None).unwrap();
        assert_eq!((ended.code, ended.text.trim()), (Some(3), "no luck"));
        let mut writing = running(&format!("touch '{}'", file.display()));
        assert!(writing.until(&file).unwrap());
        assert_eq!(writing.wait(None).unwrap().code, Some(0));
        std::fs::remove_file(file).unwrap();
    }
}
