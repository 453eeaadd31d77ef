//! Chores of the workspace, a file each: `cargo xtask --help`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to whoever runs it")]

mod bench;
mod browser_check;
mod cargo;
mod ci;
mod crash;
#[cfg(test)]
mod docs;
mod gpu_bench;
mod gpu_check;
mod mpi_check;
mod python;
mod python_check;
mod reproduce;
mod scaling;
mod tidy;
mod tree;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Chores of the AutoGrow workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 80)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Check the house rules that a program can check
    Tidy,
    /// Run every check that a change has to pass
    Ci,
    /// Kill a run at every storage operation, and suites at random
    Crash(crash::CrashArgs),
    /// Look at report pages in a browser
    BrowserCheck(browser_check::BrowserCheckArgs),
    /// Run the tests that want a Vulkan device
    GpuCheck,
    /// Time steps on a GPU, ours beside PyTorch's, in a few minutes
    GpuBench(gpu_bench::GpuBenchArgs),
    /// Time steps or the input pipeline, interleaved with another program's
    Bench(bench::BenchArgs),
    /// Train on several processes by mpirun, kill some, and compare
    MpiCheck(mpi_check::MpiCheckArgs),
    /// Test the Python package
    Python(python_check::PythonArgs),
    /// Make the paper's tables and figures again
    Reproduce(Box<reproduce::BuildAndReproduce>),
    /// Predict what more ranks would bring, from measured points
    Scaling(scaling::ScalingArgs),
}

fn main() -> anyhow::Result<ExitCode> {
    let tree = tree::Tree::here()?;
    match Cli::parse().chore {
        Chore::Tidy => tidy::run(&tree),
        Chore::Ci => ci::run(&tree),
        Chore::Crash(args) => crash::run(&tree, &args),
        Chore::BrowserCheck(args) => browser_check::run(&tree, &args),
        Chore::GpuCheck => gpu_check::run(&tree),
        Chore::GpuBench(args) => gpu_bench::run(&tree, &args),
        Chore::Bench(args) => bench::run(&tree, &args),
        Chore::MpiCheck(args) => mpi_check::run(&tree, &args),
        Chore::Python(args) => python_check::run(&tree, &args),
        Chore::Reproduce(args) => reproduce::run(&tree, &args),
        Chore::Scaling(args) => scaling::run(&args),
    }
}
