//! A program that takes a turn for every line it is sent.

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running program, waiting for the next line.
pub(super) struct Peer {
    /// What tables call it.
    pub(super) name: &'static str,
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts a program on so many threads, on one core where that is one, and waits until it is
    /// `ready`.
    pub(super) fn start(
        name: &'static str,
        program: &Path,
        arguments: &[&str],
        threads: usize,
    ) -> Result<Self> {
        let mut command = on(threads, program);
        let mut child = command
            .args(arguments)
            .env("OMP_NUM_THREADS", threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{name} cannot be started: {command:?}"))?;
        let (stdin, stdout) = child.stdin.take().zip(child.stdout.take()).context("no pipes")?;
        let mut peer = Self { name, child, stdin, stdout: BufReader::new(stdout) };
        let line = peer.line()?;
        ensure!(line == "ready", "{name} said {line:?} in place of `ready`");
        Ok(peer)
    }

    /// What it says of one turn.
    pub(super) fn turn<T: DeserializeOwned>(&mut self) -> Result<T> {
        writeln!(self.stdin).with_context(|| format!("{} is gone", self.name))?;
        let line = self.line()?;
        serde_json::from_str(&line).with_context(|| line.clone())
    }

    /// Ends the program; its last line, which may be empty.
    pub(super) fn finish(self) -> Result<String> {
        let Self { name, mut child, stdin, mut stdout } = self;
        drop(stdin);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let status = child.wait()?;
        ensure!(status.success(), "{name} ended with {status}");
        Ok(line)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        ensure!(!line.is_empty(), "{} ended early: {}", self.name, self.child.wait()?);
        Ok(line.trim_end().to_string())
    }
}

/// A program on so many threads, pinned to one core where that is one.
pub(super) fn on(threads: usize, program: &Path) -> Command {
    if threads > 1 {
        return Command::new(program);
    }
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", "0"]).arg(program);
    pinned
}
