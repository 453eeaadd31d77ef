//! `cargo xtask bench`: ours and a peer's work interleaved in one run, as ratios.
//!
//! A machine that others use as well is never equally fast twice. So every round takes a turn of
//! each program, and what is quoted is the ratio of the least times.

mod data;
mod growth;
mod peer;
mod step;
mod table;

use crate::python;
use crate::tree::Tree;
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

/// PyTorch through `torch.compile`, in tables.
const COMPILED: &str = "compiled";

/// What to compare, with whom.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// What is measured
    #[arg(value_enum, default_value_t = What::Step)]
    what: What,
    /// The other program: pytorch or itself for steps, torchvision for data
    #[arg(long, value_enum)]
    against: Against,
    /// Turns of each program
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only networks whose title contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Photographs of the input pipeline
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(80..))]
    pictures: u32,
    /// A Python that has the other program; without, it is installed from PyPI
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Steps in bf16 on both sides; nothing is written
    #[arg(long)]
    bf16: bool,
    /// Leave docs/benchmarks.md as it is
    #[arg(long)]
    print: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Training steps and evaluations of the paper's networks
    Step,
    /// The input pipeline at 224x224
    Data,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Against {
    /// In both layouts and through torch.compile
    Pytorch,
    /// With Pillow, as many workers as threads
    Torchvision,
    /// A second autogrow: how far two equal programs are apart on this machine. Nothing is written
    Itself,
}

/// Measures, prints the table and writes it down.
///
/// # Errors
/// Where a program cannot be built, installed or started, or ends early.
pub(crate) fn run(tree: &Tree, args: &BenchArgs) -> Result<ExitCode> {
    let python = |packages: &[&str]| match &args.python {
        Some(python) => Ok(python.clone()),
        None => python::with(&tree.target(), packages),
    };
    match (args.what, args.against) {
        (What::Step, Against::Itself) => step::run(tree, args, None)?,
        (What::Step, Against::Pytorch) => {
            step::run(tree, args, Some(&python(&["torch", "numpy"])?))?;
        }
        (What::Data, Against::Torchvision) => {
            data::run(tree, args, &python(&["torch", "torchvision", "numpy"])?)?;
        }
        _ => bail!("steps are compared with pytorch or itself, data with torchvision"),
    }
    Ok(ExitCode::SUCCESS)
}

/// One thread, and as many as the machine has.
fn threads() -> Result<Vec<usize>> {
    let mut threads = vec![1, std::thread::available_parallelism()?.get()];
    threads.dedup();
    Ok(threads)
}
