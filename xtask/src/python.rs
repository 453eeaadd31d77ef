//! Python programs to compare with, in virtual environments of their own.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python that has these packages of PyPI, in a virtual environment below the target folder;
/// made on first use.
pub(crate) fn with(target: &Path, packages: &[&str]) -> Result<PathBuf> {
    let environment = target.join("python").join(packages.join("-"));
    let python = environment.join("bin/python");
    let complete = environment.join("complete");
    if !complete.is_file() {
        println!("installing {} in {}", packages.join(", "), environment.display());
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        succeed(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
        std::fs::write(&complete, packages.join("\n"))?;
    }
    Ok(python)
}

/// The version of an installed package.
pub(crate) fn version(python: &Path, package: &str) -> Result<String> {
    let script = format!("import importlib.metadata as m; print(m.version({package:?}))");
    let output = Command::new(python).args(["-c", &script]).output();
    let output = output.with_context(|| format!("{} cannot be started", python.display()))?;
    ensure!(output.status.success(), "{} has no {package}", python.display());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot be started: {command:?}"))?;
    ensure!(status.success(), "{status}: {command:?}");
    Ok(())
}
