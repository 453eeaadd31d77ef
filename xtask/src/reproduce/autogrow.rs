//! The binary that users run, as they run it.

use super::signals::Signals;
use crate::tree::Tree;
use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// Where data sets lie; the one variable of `autogrow` that does not change what a run computes.
const DATA: &str = "AUTOGROW_DATA";

/// The program.
#[derive(Debug)]
pub(super) struct Autogrow {
    program: PathBuf,
    /// Those that are handed on; none where signals do what they do without us.
    signals: Option<Signals>,
}

/// How a run ended.
#[derive(Debug, PartialEq)]
pub(super) enum Ending {
    /// It has a result.
    Finished,
    /// A signal ended it; it can go on.
    Interrupted(u8),
    /// The last line that begins with `error: `, or how the process ended.
    Failed(String),
}

impl Autogrow {
    /// The program at `path`; without, it is built.
    ///
    /// # Errors
    /// Where it does not build or is not there.
    pub(super) fn at(path: Option<&Path>, tree: &Tree) -> Result<Self> {
        let program = match path {
            Some(path) => path.to_path_buf(),
            None => tree.build_autogrow()?,
        };
        // Cells run in a folder of their own.
        let program = std::path::absolute(program)?;
        ensure!(program.is_file(), "{} is not there", program.display());
        Ok(Self { program, signals: None })
    }

    /// Where it lies, absolute.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// From now on, the first signal is handed on to what trains and draws.
    pub(super) fn listen(&mut self) {
        self.signals = Some(Signals::listen());
    }

    /// The exit code where a signal has come.
    pub(super) fn interrupted(&self) -> Option<u8> {
        self.signals.as_ref().and_then(Signals::code)
    }

    /// Starts what may take hours.
    fn start(&self, command: &mut Command) -> Result<Child> {
        if self.signals.is_some() {
            Signals::shield(command);
        }
        command.spawn().context("autogrow cannot be started")
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus> {
        match &self.signals {
            Some(signals) => signals.wait(child),
            None => Ok(child.wait()?),
        }
    }

    /// A call that hears nothing but its arguments and where data lie.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        for (name, value) in std::env::vars_os() {
            let ours = name.to_string_lossy().starts_with("AUTOGROW_");
            if ours && name != DATA {
                command.env_remove(&name);
            } else if ours && let Ok(folder) = std::path::absolute(&value) {
                command.env(DATA, folder);
            }
        }
        command.stdin(Stdio::null());
        command
    }

    /// What a command prints with `--json`.
    ///
    /// # Errors
    /// Where it fails, with what it says.
    pub(super) fn json<T: DeserializeOwned>(
        &self,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<T> {
        let mut command = self.command();
        command.args(arguments).arg("--json");
        let output = command.output().context("autogrow cannot be started")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}", said.trim());
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("autogrow gave no such answer to {command:?}"))
    }

    /// Runs a command that writes files, in `folder`; where it fails, what it says.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(super) fn draw(&self, folder: &Path, arguments: &[String]) -> Result<Result<(), String>> {
        let mut command = self.command();
        command.args(arguments).arg("--quiet").current_dir(folder).stdout(Stdio::null());
        let mut child = self.start(command.stderr(Stdio::piped()))?;
        let mut stderr = child.stderr.take().context("no stderr")?;
        let (status, said) = std::thread::scope(|scope| {
            let reader = scope.spawn(move || {
                let mut said = Vec::new();
                stderr.read_to_end(&mut said).map(|_| said)
            });
            (self.wait(&mut child), reader.join())
        });
        let status = status?;
        if status.success() {
            return Ok(Ok(()));
        }
        let said = said.ok().context("stderr cannot be read")??;
        let said = String::from_utf8_lossy(&said);
        let complaint = said.lines().rev().find_map(|line| line.strip_prefix("error: "));
        Ok(Err(complaint.map_or_else(|| status.to_string(), str::to_string)))
    }

    /// Trains to the end: begins the run folder `cell` in `runs`, told by `<cell>.toml`, or goes
    /// on with it. What it says goes to `<cell>.log`.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(super) fn train(
        &self,
        runs: &Path,
        cell: &str,
        begun: bool,
        threads: usize,
    ) -> Result<Ending> {
        let path = runs.join(format!("{cell}.log"));
        let cannot = || format!("{} cannot be written", path.display());
        let log = OpenOptions::new().create(true).append(true).open(&path);
        let log = log.with_context(cannot)?;
        let before = log.metadata()?.len();
        let mut command = self.command();
        if begun {
            command.args(["resume", cell]);
        } else {
            command.args(["train", cell, "--config", &format!("{cell}.toml")]);
        }
        command.args(["--threads", &threads.to_string()]).current_dir(runs);
        let mut child = self.start(command.stdout(Stdio::null()).stderr(log))?;
        let status = self.wait(&mut child)?;
        Ok(match (status.code(), self.interrupted()) {
            (Some(0), _) => Ending::Finished,
            (Some(code @ (130 | 143)), _) => Ending::Interrupted(code as u8),
            // The signal came before it listened for one.
            (None, Some(code)) => Ending::Interrupted(code),
            (code, _) => Ending::Failed(complaint(&path, before).unwrap_or_else(|| {
                code.map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
            })),
        })
    }
}

/// The last error in a log, from `offset` on.
fn complaint(log: &Path, offset: u64) -> Option<String> {
    let bytes = std::fs::read(log).ok()?;
    let text = String::from_utf8_lossy(bytes.get(usize::try_from(offset).ok()?..)?).into_owned();
    let line = text.lines().rev().find_map(|line| line.strip_prefix("error: "))?;
    Some(line.to_string())
}

/// An `autogrow` of which `train`, `resume` and `report` do what a shell script says, in the folder `runs`,
/// where `$1` is the cell.
#[cfg(test)]
pub(super) fn scripted(runs: &Path, script: &str) -> Autogrow {
    for command in ["train", "resume", "report"] {
        std::fs::write(runs.join(command), script).unwrap();
    }
    // The shell takes the command's name for that of a script.
    Autogrow { program: "/bin/sh".into(), signals: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::testing::TestFolder;

    #[test]
    fn a_program_that_is_not_there() {
        let tree = Tree::here().unwrap();
        let error = Autogrow::at(Some(Path::new("no/such/program")), &tree).unwrap_err();
        assert!(error.to_string().contains("no/such/program"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn endings() {
        for (script, ending) in [
            ("exit 0", Ending::Finished),
            ("exit 143", Ending::Interrupted(143)),
            ("exit 5", Ending::Failed("exit code 5".into())),
            (
                "echo 'error: old' >&2; echo 'error: not a number' >&2; exit 5",
                Ending::Failed("not a number".into()),
            ),
        ] {
            let folder = TestFolder::new("endings");
            std::fs::write(folder.path.join("cell.log"), "error: before\n").unwrap();
            let autogrow = scripted(&folder.path, script);
            assert_eq!(autogrow.train(&folder.path, "cell", false, 1).unwrap(), ending);
        }
    }
}
