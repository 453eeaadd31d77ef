//! `cargo xtask bench --against pytorch`: training steps and evaluations of the paper's networks,
//! ours and a peer's interleaved in one run, as ratios; the table becomes part of
//! `docs/benchmarks.md`.
//!
//! A machine that others use as well is never equally fast twice. So every round takes one step of
//! each program in turn, and what is quoted is the ratio of the least times.

mod growth;
mod peer;
mod python;
mod table;

use crate::tree::Tree;
use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use peer::Peer;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use table::{Measured, Times};

/// What to compare, with whom.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// The other program
    #[arg(long, value_enum)]
    against: Against,
    /// Steps of each program
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only networks whose title contains this
    #[arg(long, default_value = "")]
    only: String,
    /// A Python that has the other program; without, it is installed from PyPI
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Leave docs/benchmarks.md as it is
    #[arg(long)]
    print: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Against {
    /// PyTorch, in both layouts and through torch.compile
    Pytorch,
}

/// A line of the table.
struct Case {
    title: &'static str,
    network: &'static str,
    depth: &'static str,
    width: usize,
    evaluate: bool,
}

const fn training(title: &'static str, network: &'static str, depth: &'static str) -> Case {
    Case { title, network, depth, width: 16, evaluate: false }
}

const CASES: &[Case] = &[
    training("Basic3ResNet-3-3-3", "basic3resnet", "3-3-3"),
    training("Basic3ResNet-9-9-9", "basic3resnet", "9-9-9"),
    training("Plain3Net-6-6-6", "plain3net", "6-6-6"),
    Case { width: 64, ..training("Basic4ResNet-1-1-1-1", "basic4resnet", "1-1-1-1") },
    Case { width: 64, ..training("Bottleneck4ResNet-1-1-1-1", "bottleneck4resnet", "1-1-1-1") },
    Case { width: 8, ..training("Basic3ResNet-3-3-3, width 8", "basic3resnet", "3-3-3") },
    Case {
        evaluate: true,
        ..training("Basic3ResNet-3-3-3, evaluation of 500", "basic3resnet", "3-3-3")
    },
];

/// How PyTorch is asked to work.
const LAYOUTS: [(&str, &[&str]); 3] = [
    ("channels_last", &["--layout", "channels_last"]),
    ("NCHW", &["--layout", "nchw"]),
    ("compiled", &["--layout", "channels_last", "--compile"]),
];

/// Measures, prints the table and writes it down.
///
/// # Errors
/// Where a program cannot be built, installed or started, or ends early.
pub(crate) fn run(tree: &Tree, args: &BenchArgs) -> Result<ExitCode> {
    let Against::Pytorch = args.against;
    let python = match &args.python {
        Some(python) => python.clone(),
        None => python::with(&tree.target(), "pytorch", &["torch", "numpy"])?,
    };
    let autogrow = build(tree)?;
    let script = tree.root.join("xtask/scripts/pytorch_step.py");
    let all = std::thread::available_parallelism()?.get();
    let mut threads = vec![1, all];
    threads.dedup();

    let mut measured = Vec::new();
    for case in CASES.iter().filter(|case| case.title.contains(&args.only)) {
        for &threads in &threads {
            let of = interleave(case, threads, args.rounds, &autogrow, &python, &script)?;
            println!("{}", of.line());
            measured.push(of);
        }
    }
    ensure!(!measured.is_empty(), "no network's title contains {:?}", args.only);
    let version = python::version(&python, "torch")?;
    let page = table::page(&measured, &version, args.rounds, &growth::measure(&autogrow)?);
    println!("\n{page}");
    if !args.print {
        table::write(&tree.root.join("docs/benchmarks.md"), &page)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The binary that users run, with the features that tests have, so that nothing is built twice.
fn build(tree: &Tree) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--workspace", "--all-targets"])
        .current_dir(&tree.root)
        .status()
        .context("cargo cannot be started")?;
    ensure!(status.success(), "autogrow does not build");
    Ok(tree.target().join("debug/autogrow"))
}

/// One step of each program in turn, again and again.
fn interleave(
    case: &Case,
    threads: usize,
    rounds: u32,
    autogrow: &Path,
    python: &Path,
    script: &Path,
) -> Result<Measured> {
    let (width, count) = (case.width.to_string(), threads.to_string());
    let batch = if case.evaluate { "500" } else { "128" };
    let mut peers = Vec::new();
    let evaluate: &[&str] = if case.evaluate { &["--evaluate"] } else { &[] };
    let width_key = format!("network.width={width}");
    let ours = ["bench", "step", "--serve", "--network", case.network, "--depth", case.depth];
    let ours = [&ours[..], &["--set", &width_key, "--threads", &count], evaluate].concat();
    peers.push(Peer::start("ours", autogrow, &ours, threads)?);
    let script = script.to_string_lossy();
    for (name, layout) in LAYOUTS {
        let theirs = [&*script, case.network, case.depth, &width, "--threads", &count];
        let theirs = [&theirs[..], &["--batch", batch], layout, evaluate].concat();
        peers.push(Peer::start(name, python, &theirs, threads)?);
    }
    let mut seconds = vec![Vec::new(); peers.len()];
    for _ in 0..rounds {
        for (peer, seconds) in peers.iter_mut().zip(&mut seconds) {
            seconds.push(peer.step()?);
        }
    }
    let programs = peers.into_iter().zip(seconds).map(|(peer, seconds)| {
        let name = peer.name;
        Ok(Times { name, seconds, memory_mb: peer.finish()? })
    });
    Ok(Measured { title: case.title, threads, programs: programs.collect::<Result<_>>()? })
}
