//! `cargo xtask python`: the tests of the Python package, with the engine that all tests share, so that
//! nothing is compiled for it alone.

use crate::python;
use crate::tree::Tree;
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The package's folder.
const PACKAGE: &str = "python";

/// What its tests need.
const NEEDS: [&str; 5] = ["numpy", "scikit-learn", "pandas", "pytest", "mypy"];

/// What they need besides to run what is about PyTorch and ONNX; some gigabytes.
const LARGE: [&str; 2] = ["torch", "onnxruntime"];

/// Where Python looks for the engine.
const ENGINE: &str = if cfg!(windows) { "_autogrow.pyd" } else { "_autogrow.abi3.so" };

#[derive(Debug, Args)]
pub(crate) struct PythonArgs {
    /// Install PyTorch and ONNX Runtime as well, some gigabytes
    #[arg(long, conflicts_with = "python")]
    torch: bool,
    /// A Python that has what the tests need, in place of a new environment
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// Arguments for pytest
    #[arg(last = true)]
    pytest: Vec<String>,
}

/// Builds the engine, puts it into the package and runs mypy and pytest. Where there is no Python, or
/// its packages cannot be had, it says so and passes.
///
/// # Errors
/// Where the engine does not build.
pub(crate) fn run(tree: &Tree, args: &PythonArgs) -> Result<ExitCode> {
    tree.build_autogrow()?;
    let package = tree.root.join(PACKAGE);
    put_engine(&tree.target(), &package)?;
    let python = match &args.python {
        Some(python) => python.clone(),
        None => {
            let large = if args.torch { &LARGE[..] } else { &[] };
            match python::with(&tree.target(), &[&NEEDS, large].concat()) {
                Ok(python) => python,
                Err(error) => {
                    println!("skipped: no Python with {}: {error:#}", NEEDS.join(", "));
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
    };
    let run = |module: &str, arguments: &[String]| {
        let mut command = Command::new(&python);
        command.args(["-m", module]).args(arguments).current_dir(&package);
        let program = tree.target().join("debug/autogrow");
        let status = command.env("PYTHONPATH", &package).env("PROGRAM", program).status();
        status.with_context(|| format!("{} cannot be started", python.display()))
    };
    let passed = run("mypy", &[])?.success() && run("pytest", &args.pytest)?.success();
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Copies the engine, as cargo has built it, to where Python imports it from.
fn put_engine(target: &Path, package: &Path) -> Result<()> {
    let built = target.join(format!("debug/{DLL_PREFIX}_autogrow{DLL_SUFFIX}"));
    ensure!(built.is_file(), "{} is not there", built.display());
    let engine = package.join("autogrow").join(ENGINE);
    // Not over the old file, which a process may have open.
    let part = engine.with_extension("part");
    std::fs::copy(&built, &part)
        .with_context(|| format!("{} cannot be copied", built.display()))?;
    std::fs::rename(&part, &engine).with_context(|| format!("{} is in use", engine.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_replaces_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let (target, package) = (folder.path().join("target"), folder.path().join("python"));
        std::fs::create_dir_all(target.join("debug")).unwrap();
        std::fs::create_dir_all(package.join("autogrow")).unwrap();
        assert!(put_engine(&target, &package).is_err());
        let built = target.join(format!("debug/{DLL_PREFIX}_autogrow{DLL_SUFFIX}"));
        for content in ["old", "new"] {
            std::fs::write(&built, content).unwrap();
            put_engine(&target, &package).unwrap();
            let engine = package.join("autogrow").join(ENGINE);
            assert_eq!(std::fs::read_to_string(engine).unwrap(), content);
        }
    }
}
