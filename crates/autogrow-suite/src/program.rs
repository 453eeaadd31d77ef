//! The program that trains and draws: this one, started again for each run, so that a run that fails
//! or is killed takes nothing with it.
//!
//! It is asked with `--json` and answers with a document and an exit code.

mod signals;

use crate::keys::text;
use crate::shell::quoted;
use autogrow_base::{Error, Result};
use autogrow_run::storage::failed;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use signals::Signals;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use toml::Table;

/// Where data sets lie; the one variable of `autogrow` that does not change what a run computes.
const DATA: &str = "AUTOGROW_DATA";

/// On Linux, the file that this process runs, even where another has taken its name since.
const RUNNING: &str = "/proc/self/exe";

/// What starts this program, where its file alone does not.
static LAUNCHER: OnceLock<Vec<OsString>> = OnceLock::new();

/// Tells what starts this program, where it is not the file that this process runs: an interpreter and its
/// arguments. The first call counts.
pub fn launched_by(words: impl IntoIterator<Item = OsString>) {
    LAUNCHER.get_or_init(|| words.into_iter().collect());
}

/// The program.
#[derive(Debug)]
pub(crate) struct Program {
    path: PathBuf,
    /// Arguments before those of the command, where `path` is an interpreter.
    before: Vec<OsString>,
    /// Those that are handed on; none where signals do what they do without us.
    signals: Option<Signals>,
}

/// How a command ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Ending {
    /// Well.
    Finished,
    /// By a signal, with this exit code; it can go on.
    Interrupted(u8),
    /// By an error.
    Failed(Failure),
}

/// The error that a command ended with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Failure {
    /// Its exit code; 1 where it has none.
    pub(crate) code: u8,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// What stdout holds where a command fails.
#[derive(Deserialize)]
struct Document {
    error: Failure,
}

impl Program {
    /// This program.
    ///
    /// # Errors
    /// Where the system does not tell which file it runs.
    pub(crate) fn own() -> Result<Self> {
        if let Some((path, before)) = LAUNCHER.get().and_then(|words| words.split_first()) {
            return Ok(Self { before: before.into(), ..Self::at(path.into()) });
        }
        let running = PathBuf::from(RUNNING);
        if running.is_file() {
            return Ok(Self::at(running));
        }
        let own = std::env::current_exe();
        own.map(Self::at).map_err(|error| failed(Path::new("autogrow"), "cannot be found", &error))
    }

    /// The program in a file.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, before: Vec::new(), signals: None }
    }

    /// Makes the file `to`, which starts this program as it is now: a copy, or where an interpreter
    /// runs it, a script. A process that runs what was there keeps it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn install(&self, to: &Path) -> Result<()> {
        let part = to.with_added_extension(format!("{}.part", std::process::id()));
        let made = match self.before.is_empty() {
            true => std::fs::copy(&self.path, &part).map(drop),
            false => self.script(&part),
        };
        let made = made.and_then(|()| std::fs::rename(&part, to));
        made.map_err(|error| failed(to, "cannot be written", &error))
    }

    /// Writes a script that starts it with the arguments that the script is given.
    fn script(&self, to: &Path) -> std::io::Result<()> {
        let words = std::iter::once(self.path.as_os_str());
        let words = words.chain(self.before.iter().map(OsString::as_os_str));
        let words: Vec<_> = words.map(|word| quoted(&word.to_string_lossy())).collect();
        std::fs::write(to, format!("#!/bin/sh\nexec {} \"$@\"\n", words.join(" ")))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }

    /// From now on, the first signal is handed on to what trains and draws.
    pub(crate) fn listen(&mut self) {
        self.signals = Some(Signals::listen());
    }

    /// The exit code where a signal has come.
    pub(crate) fn interrupted(&self) -> Option<u8> {
        self.signals.as_ref().and_then(Signals::code)
    }

    /// The answer to a quick question.
    ///
    /// # Errors
    /// [`Error::Program`] with the command's own error; what it says is no such answer.
    pub(crate) fn ask<T: DeserializeOwned>(
        &self,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<T> {
        let mut command = self.command(arguments);
        let output = command.stderr(Stdio::null()).output().map_err(|error| self.lost(&error))?;
        if !output.status.success() {
            let Failure { code, message, hint } = failure(&output.stdout, &output.status);
            return Err(Error::Program { exit_code: code, problem: message, hint });
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| Error::program(format!("the answer to {command:?}: {error}")))
    }

    /// The same of a question about the settings of a run.
    pub(crate) fn ask_about<T: DeserializeOwned>(
        &self,
        settings: &Table,
        arguments: &[String],
    ) -> Result<T> {
        let path = std::env::temp_dir().join(format!("autogrow-asks-{}.toml", std::process::id()));
        let written = std::fs::write(&path, text(settings)?);
        written.map_err(|error| failed(&path, "cannot be written", &error))?;
        let told = ["--config".to_string(), path.display().to_string()];
        let answer = self.ask(arguments.iter().chain(&told));
        // It lies in the system's folder for what is temporary.
        let _ = std::fs::remove_file(&path);
        answer
    }

    /// Carries out in `folder` what may take hours. What it says of its progress is added to `log`.
    ///
    /// # Errors
    /// Where it cannot be started, or `log` cannot be written.
    pub(crate) fn work(&self, folder: &Path, arguments: &[String], log: &Path) -> Result<Ending> {
        let file = OpenOptions::new().create(true).append(true).open(log);
        let file: File = file.map_err(|error| failed(log, "cannot be written", &error))?;
        let mut command = self.command(arguments);
        command.current_dir(folder).stdout(Stdio::piped()).stderr(file);
        if self.signals.is_some() {
            Signals::shield(&mut command);
        }
        let mut child = command.spawn().map_err(|error| self.lost(&error))?;
        let stdout = child.stdout.take();
        let (status, answer) = std::thread::scope(|scope| {
            let reader = scope.spawn(|| read(stdout));
            (self.wait(&mut child), reader.join())
        });
        let status = status.map_err(|error| self.lost(&error))?;
        Ok(match (status.code(), self.interrupted()) {
            (Some(0), _) => Ending::Finished,
            (Some(code @ (130 | 143)), _) => Ending::Interrupted(code as u8),
            // The signal came before it listened for one.
            (None, Some(code)) => Ending::Interrupted(code),
            _ => Ending::Failed(failure(&answer.unwrap_or_default(), &status)),
        })
    }

    fn wait(&self, child: &mut Child) -> std::io::Result<std::process::ExitStatus> {
        match &self.signals {
            Some(signals) => signals.wait(child),
            None => child.wait(),
        }
    }

    /// A call that hears nothing but its arguments and where data lie.
    fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(&self.path);
        // An interpreter finds what belongs to it by its own name.
        #[cfg(unix)]
        if self.before.is_empty() {
            std::os::unix::process::CommandExt::arg0(&mut command, "autogrow");
        }
        for (name, value) in std::env::vars_os() {
            let ours = name.to_string_lossy().starts_with("AUTOGROW_");
            if ours && name != DATA {
                command.env_remove(&name);
            } else if ours && let Ok(folder) = std::path::absolute(&value) {
                command.env(DATA, folder);
            }
        }
        command.args(&self.before).args(arguments).arg("--json").stdin(Stdio::null());
        command
    }

    fn lost(&self, error: &std::io::Error) -> Error {
        failed(&self.path, "cannot be started", error)
    }
}

/// Everything that is written there.
fn read(stdout: Option<ChildStdout>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut stdout) = stdout {
        // What cannot be read is no document, and is told as that.
        let _ = stdout.read_to_end(&mut bytes);
    }
    bytes
}

/// The error in a document; where there is none, how the process ended.
fn failure(stdout: &[u8], status: &std::process::ExitStatus) -> Failure {
    match serde_json::from_slice::<Document>(stdout) {
        Ok(document) => document.error,
        Err(_) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
            Failure { code, message: status.to_string(), hint: None }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::place::Place;
    use crate::testing::scripted;

    #[test]
    fn how_a_command_ended_is_told_by_its_code_and_document() {
        let failed = |code, message: &str| {
            Ending::Failed(Failure { code, message: message.into(), hint: None })
        };
        for (script, ending) in [
            ("exit 0", Ending::Finished),
            ("exit 143", Ending::Interrupted(143)),
            ("exit 5", failed(5, "exit status: 5")),
            ("kill -9 $$", failed(1, "signal: 9 (SIGKILL)")),
            (
                r#"echo '{"schema":1,"error":{"code":5,"message":"not finite"}}'; exit 5"#,
                failed(5, "not finite"),
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let place = Place::new(folder.path());
            let program = scripted(&place, &format!("echo working >&2\n{script}"));
            let log = folder.path().join("log");
            let runs = place.runs();
            let ended = program.work(&runs, &["train".into()], &log).unwrap();
            assert_eq!(ended, ending);
            assert_eq!(std::fs::read_to_string(log).unwrap(), "working\n");
        }
    }

    #[test]
    fn what_an_interpreter_runs_is_installed_as_a_script() {
        let before = ["-c", "echo \"$0 and $1\"", "it's"].map(OsString::from).to_vec();
        let program = Program { before, ..Program::at("/bin/sh".into()) };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("autogrow");
        for _ in 0..2 {
            program.install(&file).unwrap();
            let said = Command::new("/bin/sh").arg(&file).arg("two words").output().unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), "it's and two words\n");
        }
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
        assert_eq!(mode & 0o111, 0o111);
        let program = Program { before: vec!["-c".into(), "echo 3".into()], ..program };
        assert_eq!(program.ask::<u32>(["x"]).unwrap(), 3);
    }

    #[test]
    fn a_question_is_answered_or_fails_with_the_commands_own_code() {
        let sh = Program::at("/bin/sh".into());
        let said: Vec<u32> = sh.ask(["-c", "echo '[1, 2]'"]).unwrap();
        assert_eq!(said, [1, 2]);
        let refused = r#"echo '{"error":{"code":6,"message":"no device","hint":"h"}}'; exit 6"#;
        let error = sh.ask::<Vec<u32>>(["-c", refused]).unwrap_err();
        assert_eq!((error.exit_code(), error.to_string()), (6, "no device".into()));
        assert_eq!(error.hint().as_deref(), Some("h"));
        let error = Program::at("no/such/program".into()).ask::<u32>(["x"]).unwrap_err();
        assert!(error.to_string().contains("no/such/program"), "{error}");
    }
}
