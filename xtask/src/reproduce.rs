//! `cargo xtask reproduce`: builds the program that the device needs and hands over to its command
//! `reproduce`.

use crate::cargo::passes;
use crate::tree::Tree;
use anyhow::{Result, bail, ensure};
use autogrow_suite::ReproduceArgs;
use clap::Args;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Backends that are features of the program, by the name that a device begins with.
const FEATURES: [&str; 4] = ["cuda", "wgpu", "vulkan", "ndarray"];

/// The option that is ours; all others are passed on.
const AUTOGROW: &str = "--autogrow";

/// What `autogrow reproduce` takes, and the program.
#[derive(Debug, Args)]
pub(crate) struct BuildAndReproduce {
    #[command(flatten)]
    args: ReproduceArgs,
    /// Hand over to this program; without, it is built
    #[arg(long, value_name = "FILE")]
    autogrow: Option<PathBuf>,
    /// Print one JSON document to stdout, nothing else
    #[arg(long)]
    json: bool,
    /// No progress, no warnings
    #[arg(long = "quiet", short = 'q')]
    _quiet: bool,
    /// Log more; twice for everything
    #[arg(long = "verbose", short = 'v', action = clap::ArgAction::Count)]
    _verbose: u8,
}

/// Looks for the data, builds, and becomes the program.
///
/// # Errors
/// Where it does not build or cannot be started.
pub(crate) fn run(tree: &Tree, args: &BuildAndReproduce) -> Result<ExitCode> {
    // Whatever stops the program at once is said before it is built.
    let preview = match autogrow_suite::preview(&args.args) {
        Ok(preview) => preview,
        Err(error) => {
            eprintln!("error: {error}");
            error.hint().iter().for_each(|hint| eprintln!("hint: {hint}"));
            return Ok(error.exit_code().into());
        }
    };
    let program = match &args.autogrow {
        Some(program) => program.clone(),
        None => {
            let mut cargo = cargo(tree, args.args.device());
            let program = tree.target().join("release/autogrow");
            if args.args.is_dry_run() {
                eprintln!("would run: cargo {}", words(&cargo));
                if !program.is_file() {
                    let document = args.json.then(|| preview.document.to_string());
                    println!("{}", document.unwrap_or(preview.text));
                    return Ok(ExitCode::SUCCESS);
                }
            } else {
                ensure!(passes(&mut cargo)?, "autogrow does not build");
            }
            program
        }
    };
    become_program(&program)
}

/// The call that builds the program with what a device needs.
fn cargo(tree: &Tree, device: Option<&str>) -> Command {
    let mut cargo = tree.cargo();
    cargo.args(["build", "--release", "--package", "autogrow-cli"]);
    let features = features(device.unwrap_or_default());
    if !features.is_empty() {
        cargo.args(["--features", &features.join(",")]);
    }
    cargo
}

/// What a command is told.
fn words(command: &Command) -> String {
    command.get_args().map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// The features that the devices of a list such as `cuda:0,cuda:1` need.
fn features(devices: &str) -> Vec<&str> {
    let backends = devices.split(',').filter_map(|device| device.trim().split(':').next());
    let features: BTreeSet<_> = backends.filter(|name| FEATURES.contains(name)).collect();
    features.into_iter().collect()
}

/// Hands over to the program with all that this one was told, but for our option.
fn become_program(program: &Path) -> Result<ExitCode> {
    let mut command = Command::new(program);
    command.args(passed_on(std::env::args_os().skip(1)));
    #[cfg(unix)]
    bail!(
        "{} cannot be started: {}",
        program.display(),
        std::os::unix::process::CommandExt::exec(&mut command)
    );
    #[cfg(not(unix))]
    {
        let status = command.status()?;
        Ok(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1).into())
    }
}

fn passed_on(mut all: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut passed = Vec::new();
    while let Some(argument) = all.next() {
        if argument == AUTOGROW {
            all.next();
        } else if !argument.to_string_lossy().starts_with("--autogrow=") {
            passed.push(argument);
        }
    }
    passed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_needs_its_backend() {
        for (device, wanted) in [
            ("", ""),
            ("auto", ""),
            ("flex", ""),
            ("cuda:0", "cuda"),
            ("cuda:0,cuda:1", "cuda"),
            ("wgpu, cuda", "cuda,wgpu"),
            ("vulkan:1", "vulkan"),
        ] {
            assert_eq!(features(device).join(","), wanted, "{device}");
        }
    }

    #[test]
    fn all_but_our_option_is_passed_on() {
        let words = "reproduce --autogrow a table3 --autogrow=b --scale smoke";
        let passed = passed_on(words.split(' ').map(OsString::from));
        assert_eq!(passed, ["reproduce", "table3", "--scale", "smoke"].map(OsString::from));
    }
}
