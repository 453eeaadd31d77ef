//! `cargo xtask ci`: what a change has to pass, one step after the other.
//!
//! All steps share one target folder and one profile, so that each compiles only what the steps
//! before it did not. Chores that take longer than a change can wait start here as well, with a
//! part of their work, so that a change cannot break them unseen. The devices that few machines have
//! compile for longer than all else together; these, the benchmarks and the fuzz targets are checked beside
//! this (`.github/workflows`).

use crate::cargo::passes;
use crate::tree::Tree;
use anyhow::{Context, Result};
use std::process::ExitCode;
use std::time::Instant;

/// A call of cargo.
struct Step {
    arguments: &'static str,
    environment: Option<(&'static str, &'static str)>,
    /// Where it runs, from the workspace's folder.
    folder: &'static str,
    /// A program without which it is skipped.
    needs: Option<&'static str>,
}

const fn cargo(arguments: &'static str) -> Step {
    Step { arguments, environment: None, folder: ".", needs: None }
}

const PLUGIN: &str = "examples/plugin";
const EMBED: &str = "examples/embed";

/// Where the paper's tables are reproduced in small.
const SMOKE: &str = "target/smoke";

const STEPS: &[Step] = &[
    // A lock file that a change of dependencies forgot is an error, here and below.
    cargo("test --workspace --locked"),
    cargo("fmt --all --check"),
    cargo("clippy --workspace --all-targets -- -D warnings"),
    Step {
        environment: Some(("RUSTDOCFLAGS", "-D warnings")),
        ..cargo("doc --workspace --no-deps")
    },
    cargo("xtask tidy"),
    Step { needs: Some("cargo-machete"), ..cargo("machete --with-metadata") },
    // The program with the features that tests have, which have compiled nearly all of it.
    cargo("build --workspace --all-targets"),
    // Of the long chores a part each: they use the program that is built by now.
    cargo(
        "xtask reproduce all --scale smoke --shard 1/8 --jobs 2 --out target/smoke \
         --autogrow target/debug/autogrow",
    ),
    cargo("xtask crash --sample"),
    cargo("xtask browser-check --pages"),
    cargo("xtask bench --against itself --rounds 1 --print --only Basic3ResNet"),
    Step { needs: Some("python3"), ..cargo("xtask python") },
    Step { needs: Some("mpicc"), ..cargo("check --workspace --features autogrow-cli/mpi") },
    Step { folder: PLUGIN, ..cargo("fmt --check") },
    // With a feature that the workspace's tests have, so that their dependencies are reused.
    Step { folder: PLUGIN, ..cargo("test --features ndarray --locked") },
    Step { folder: EMBED, ..cargo("fmt --check") },
    Step { folder: EMBED, ..cargo("check --features ndarray --locked") },
    // The models that the first step has written.
    Step { folder: "tests/onnx", ..cargo("test --locked") },
];

impl Step {
    fn title(&self) -> String {
        let folder = match self.folder {
            "." => String::new(),
            folder => format!("cd {folder} && "),
        };
        let variable = self
            .environment
            .map(|(name, value)| format!("{name}=\"{value}\" "))
            .unwrap_or_default();
        format!("{folder}{variable}cargo {}", self.arguments)
    }

    /// The program that it needs and this machine lacks.
    fn lacks(&self) -> Option<&'static str> {
        self.needs.filter(|program| !is_on_path(program))
    }

    /// Whether it passes.
    fn run(&self, tree: &Tree) -> Result<bool> {
        let mut cargo = tree.cargo();
        cargo.args(self.arguments.split(' ')).envs(self.environment);
        passes(cargo.current_dir(tree.root.join(self.folder)))
    }
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Runs the steps up to the first that fails.
///
/// # Errors
/// Where cargo cannot be started.
pub(crate) fn run(tree: &Tree) -> Result<ExitCode> {
    let mut times = Vec::new();
    // Or what was reproduced before is not done again.
    match std::fs::remove_dir_all(tree.root.join(SMOKE)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).context(format!("{SMOKE} cannot be removed"));
        }
        _ => {}
    }
    for (number, step) in (1..).zip(STEPS) {
        let title = step.title();
        println!("\n==> {number}/{}: {title}", STEPS.len());
        if let Some(program) = step.lacks() {
            println!("skipped: no {program}");
            times.push(format!(" skipped  {title}: no {program}"));
            continue;
        }
        let started = Instant::now();
        let passed = step.run(tree)?;
        times.push(format!("{:>6} s  {title}", started.elapsed().as_secs()));
        if !passed {
            println!("\n{}  <- failed", times.join("\n"));
            return Ok(ExitCode::FAILURE);
        }
    }
    println!("\n{}\nall passed", times.join("\n"));
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cli;
    use clap::Parser;

    #[test]
    fn titles_can_be_typed() {
        let titles: Vec<_> = STEPS.iter().map(Step::title).collect();
        assert_eq!(titles[0], "cargo test --workspace --locked");
        assert_eq!(titles[3], "RUSTDOCFLAGS=\"-D warnings\" cargo doc --workspace --no-deps");
        assert!(titles.contains(&"cd examples/plugin && cargo fmt --check".into()), "{titles:?}");
    }

    #[test]
    fn chores_know_their_arguments() {
        for step in STEPS.iter().filter(|step| step.arguments.starts_with("xtask ")) {
            let parsed = Cli::try_parse_from(step.arguments.split(' '));
            assert!(parsed.is_ok(), "{}\n{}", step.arguments, parsed.unwrap_err());
        }
    }

    #[test]
    fn a_step_without_its_program_is_skipped() {
        assert_eq!(
            Step { needs: Some("no-such-program"), ..cargo("") }.lacks(),
            Some("no-such-program")
        );
        assert_eq!(Step { needs: Some("sh"), ..cargo("") }.lacks(), None);
        assert_eq!(cargo("").lacks(), None);
    }
}
