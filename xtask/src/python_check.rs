//! `cargo xtask python`: the tests of the Python package, with the engine that all tests share, so that
//! nothing is compiled for it alone.

use crate::python;
use crate::tree::Tree;
use anyhow::{Context, Result};
use clap::Args;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The package's sources.
const SOURCE: &str = "python";

/// What its tests need.
const NEEDS: [&str; 6] = ["numpy", "scikit-learn", "pandas", "pytest", "mypy", "ruff"];

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

/// Builds the engine, puts it beside the package's files and runs ruff, mypy and pytest. Where there is no
/// Python, or its packages cannot be had, it says so and passes.
///
/// # Errors
/// Where the engine does not build.
pub(crate) fn run(tree: &Tree, args: &PythonArgs) -> Result<ExitCode> {
    tree.build_autogrow()?;
    let (source, target) = (tree.root.join(SOURCE), tree.target());
    let package = target.join("python/package");
    put_together(&source, &target, &package)?;
    if args.python.is_none() && !is_new_enough() {
        println!("skipped: no python3 of version 3.11 or newer");
        return Ok(ExitCode::SUCCESS);
    }
    let python = match &args.python {
        Some(python) => python.clone(),
        None => {
            let large = if args.torch { &LARGE[..] } else { &[] };
            match python::with(&target, &[&NEEDS, large].concat()) {
                Ok(python) => python,
                Err(error) => {
                    println!("skipped: no Python with {}: {error:#}", NEEDS.join(", "));
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
    };
    // Nothing is left among the sources: not by Python, nor by these.
    let settings = source.join("pyproject.toml");
    let mut mypy = Command::new(&python);
    mypy.args(["-m", "mypy", "--cache-dir"]).arg(target.join("python/mypy"));
    mypy.arg("--config-file").arg(&settings);
    let mut stubs = Command::new(&python);
    stubs.args(["-m", "mypy.stubtest", "autogrow._autogrow", "--mypy-config-file"]).arg(&settings);
    let ruff = |arguments: &[&str]| {
        let mut ruff = Command::new(&python);
        ruff.args(["-m", "ruff"]).args(arguments).arg("--no-cache").arg(&source);
        ruff
    };
    let (mut form, mut lints) = (ruff(&["format", "--check"]), ruff(&["check"]));
    let mut pytest = Command::new(&python);
    pytest.args(["-m", "pytest", "-p", "no:cacheprovider", "-c"]).arg(&settings);
    pytest.arg("--rootdir").arg(&source).arg(source.join("tests")).args(&args.pytest);
    for command in [&mut form, &mut lints, &mut mypy, &mut stubs, &mut pytest] {
        command.current_dir(&package).env("PYTHONPATH", &package);
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PROGRAM", target.join("debug/autogrow"));
        let status = command.status();
        let status = status.with_context(|| format!("{} cannot be started", python.display()))?;
        if !status.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether `python3` can load the engine, which is built for 3.11 and newer.
fn is_new_enough() -> bool {
    let script = "import sys; sys.exit(sys.version_info < (3, 11))";
    Command::new("python3").args(["-c", script]).status().is_ok_and(|status| status.success())
}

/// The package as a wheel would hold it: its files in `source`, and the engine as cargo has built it.
fn put_together(source: &Path, target: &Path, package: &Path) -> Result<()> {
    let inside = package.join("autogrow");
    // Files that are gone from the sources are not imported any more.
    if inside.exists() {
        std::fs::remove_dir_all(&inside).context("the package cannot be put together anew")?;
    }
    std::fs::create_dir_all(&inside).context("the package cannot be put together")?;
    let copy = |from: &Path, name: &OsStr| {
        std::fs::copy(from, inside.join(name))
            .map(drop)
            .with_context(|| format!("{} cannot be copied", from.display()))
    };
    for entry in source.join("autogrow").read_dir().context("there is no package")? {
        let path = entry?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            copy(&path, name)?;
        }
    }
    copy(&target.join(format!("debug/{DLL_PREFIX}_autogrow{DLL_SUFFIX}")), ENGINE.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_package_has_the_files_of_now() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        for name in ["target/debug", "python/autogrow/__pycache__"] {
            fs::create_dir_all(place(name)).unwrap();
        }
        fs::write(place("python/autogrow/old.py"), "").unwrap();
        let together = || put_together(&place("python"), &place("target"), &place("package"));
        assert!(together().unwrap_err().to_string().contains("cannot be copied"));
        fs::write(place("target/debug").join(format!("{DLL_PREFIX}_autogrow{DLL_SUFFIX}")), "")
            .unwrap();
        fs::rename(place("python/autogrow/old.py"), place("python/autogrow/new.py")).unwrap();
        together().unwrap();
        let names = place("package/autogrow").read_dir().unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [ENGINE, "new.py"]);
    }
}
