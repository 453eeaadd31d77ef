//! `cargo xtask bench-data --python FILE`: images a second of the input pipeline at 224x224,
//! against torchvision's, on the same made-up photographs.
//!
//! Both sides decode every JPEG file, cut a random part out, scale it, mirror it or not, and
//! normalise it. Rounds alternate between them, and what is quoted is the fastest round of each: a
//! machine that others use as well is never equally fast twice.

use crate::tree::Tree;
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Deserialize;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

/// What to measure, and with what.
#[derive(Debug, Args)]
pub(crate) struct BenchDataArgs {
    /// A Python that has torchvision
    #[arg(long, value_name = "FILE")]
    python: PathBuf,
    /// Epochs of each program
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Photographs
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(80..))]
    pictures: u32,
}

/// One epoch.
#[derive(Deserialize)]
struct Epoch {
    images: usize,
    seconds: f64,
}

impl Epoch {
    fn images_per_second(&self) -> f64 {
        self.images as f64 / self.seconds
    }
}

/// Measures on one thread and on two.
pub(crate) fn run(tree: &Tree, args: &BenchDataArgs) -> Result<ExitCode> {
    let target = tree.root.join("target");
    let script = tree.root.join("xtask/scripts/torchvision_data.py");
    let pictures = target.join(format!("bench-data-{}", args.pictures));
    if !pictures.join("train").is_dir() {
        let count = args.pictures.to_string();
        let made = Command::new(&args.python)
            .args([
                &script,
                Path::new("make"),
                &pictures,
                Path::new("--pictures"),
                Path::new(&count),
            ])
            .status()?;
        ensure!(made.success(), "no pictures: {made}");
    }
    let built = Command::new(env!("CARGO"))
        .args(["build", "--workspace", "--all-targets"])
        .current_dir(&tree.root)
        .status()?;
    ensure!(built.success(), "autogrow does not build");
    let ours = target.join("debug/autogrow");
    println!("threads  autogrow images/s  torchvision images/s  ratio");
    for threads in [1, 2] {
        let mut peer = Peer::start(&args.python, &script, &pictures, threads)?;
        let (mut best, mut theirs) = (0.0_f64, 0.0_f64);
        for _ in 0..args.rounds {
            best = best.max(epoch(&ours, &pictures, threads)?.images_per_second());
            theirs = theirs.max(peer.epoch()?.images_per_second());
        }
        peer.finish()?;
        println!("{threads:>7}  {best:>17.1}  {theirs:>20.1}  {:>5.2}", best / theirs);
    }
    Ok(ExitCode::SUCCESS)
}

/// A program on so many threads, on one core where that is one.
fn on(threads: usize, program: &Path) -> Command {
    if threads > 1 {
        return Command::new(program);
    }
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", "0"]).arg(program);
    pinned
}

/// An epoch of ours, after one that warms up.
fn epoch(autogrow: &Path, pictures: &Path, threads: usize) -> Result<Epoch> {
    let output = on(threads, autogrow)
        .args(["bench", "data", "--json", "--data", "folder", "--network", "basic4resnet-imagenet"])
        .args(["--depth", "1-1-1-1", "--set", "training.batch_size=64"])
        .args(["--set", "data.select_on=test", "--threads", &threads.to_string(), "--dir"])
        .arg(pictures)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("bench data printed no report")
}

/// The other program, waiting for a line to begin an epoch.
struct Peer {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Peer {
    fn start(python: &Path, script: &Path, pictures: &Path, threads: usize) -> Result<Self> {
        let mut child = on(threads, python)
            .args([script, Path::new("serve"), pictures])
            .args(["--threads", &threads.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("Python cannot be started")?;
        let (stdin, stdout) = child.stdin.take().zip(child.stdout.take()).context("no pipes")?;
        let mut peer = Self { child, stdin, stdout: BufReader::new(stdout) };
        let line = peer.line()?;
        ensure!(line == "ready", "torchvision said {line:?} in place of `ready`");
        Ok(peer)
    }

    fn epoch(&mut self) -> Result<Epoch> {
        writeln!(self.stdin)?;
        let line = self.line()?;
        serde_json::from_str(&line).with_context(|| line.clone())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        ensure!(!line.is_empty(), "torchvision ended early: {}", self.child.wait()?);
        Ok(line.trim_end().to_string())
    }

    fn finish(self) -> Result<()> {
        let Self { mut child, stdin, stdout: _stdout } = self;
        drop(stdin);
        let status = child.wait()?;
        ensure!(status.success(), "torchvision ended with {status}");
        Ok(())
    }
}
