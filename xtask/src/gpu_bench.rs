//! `cargo xtask gpu-bench`: training steps on a GPU, ours beside PyTorch's. The work is done by
//! `xtask/scripts/gpu_bench.py`, which also runs where there is neither cargo nor a network: copy
//! `xtask/scripts` and the program there, which is all it needs beside a Python with PyTorch.

use crate::cargo::passes;
use crate::tree::Tree;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// What is measured, and how long.
#[derive(Debug, Args)]
pub(crate) struct GpuBenchArgs {
    /// The program, built in release with a backend for GPUs
    #[arg(long, value_name = "FILE")]
    binary: PathBuf,
    /// Its device; without, the first of cuda, vulkan and wgpu that works
    #[arg(long)]
    device: Option<String>,
    /// A Python with PyTorch
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// Seconds that everything may take; what finds no time is left out
    #[arg(long, default_value_t = 450)]
    seconds: u32,
    /// Sizes for a rehearsal without a GPU
    #[arg(long)]
    tiny: bool,
}

/// Measures and prints the table.
///
/// # Errors
/// Where Python cannot be started.
pub(crate) fn run(tree: &Tree, args: &GpuBenchArgs) -> Result<ExitCode> {
    let mut script = Command::new(&args.python);
    script.arg(tree.root.join("xtask/scripts/gpu_bench.py")).arg("--binary").arg(&args.binary);
    script.arg("--seconds").arg(args.seconds.to_string());
    if let Some(device) = &args.device {
        script.args(["--device", device]);
    }
    if args.tiny {
        script.arg("--tiny");
    }
    Ok(if passes(&mut script)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
