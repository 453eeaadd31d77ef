//! `cargo xtask ci`: what a change has to pass, one step after the other.
//!
//! All steps share one target folder and one profile, so that each compiles only what the steps
//! before it did not.

use crate::tree::Tree;
use anyhow::{Context, Result};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// A call of cargo.
struct Step {
    arguments: &'static str,
    environment: Option<(&'static str, &'static str)>,
    /// Where it runs, from the workspace's folder.
    folder: &'static str,
}

const fn cargo(arguments: &'static str) -> Step {
    Step { arguments, environment: None, folder: "." }
}

const PLUGIN: &str = "examples/plugin";

/// Where the paper's tables are reproduced in small.
const SMOKE: &str = "target/smoke";

const STEPS: &[Step] = &[
    cargo("test --workspace"),
    cargo("fmt --all --check"),
    cargo("clippy --workspace --all-targets -- -D warnings"),
    Step {
        environment: Some(("RUSTDOCFLAGS", "-D warnings")),
        ..cargo("doc --workspace --no-deps")
    },
    cargo("xtask tidy"),
    // The program with the features that tests have, which have compiled nearly all of it.
    cargo("build --workspace --all-targets"),
    cargo(
        "xtask reproduce all --scale smoke --jobs 2 --out target/smoke \
         --autogrow target/debug/autogrow",
    ),
    cargo("check -p autogrow-cli --features ndarray"),
    cargo("check -p autogrow-cli --features wgpu"),
    // As on docs.rs, or a build script downloads what a check does not need.
    Step { environment: Some(("DOCS_RS", "1")), ..cargo("check -p autogrow-cli --features cuda") },
    Step { folder: PLUGIN, ..cargo("fmt --check") },
    // With a feature that the workspace's tests have, so that their dependencies are reused.
    Step { folder: PLUGIN, ..cargo("test --features ndarray") },
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

    /// Whether it passes.
    fn run(&self, tree: &Tree) -> Result<bool> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(self.arguments.split(' '))
            .envs(self.environment)
            .env("CARGO_TARGET_DIR", tree.target())
            .current_dir(tree.root.join(self.folder))
            .status()
            .context("cargo cannot be started")?;
        Ok(status.success())
    }
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

    #[test]
    fn titles_can_be_typed() {
        let titles: Vec<_> = STEPS.iter().map(Step::title).collect();
        assert_eq!(titles[0], "cargo test --workspace");
        assert_eq!(titles[3], "RUSTDOCFLAGS=\"-D warnings\" cargo doc --workspace --no-deps");
        assert_eq!(titles[10], "cd examples/plugin && cargo fmt --check");
    }
}
