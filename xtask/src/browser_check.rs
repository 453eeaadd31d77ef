//! `cargo xtask browser-check`: report pages in Chromium, where what they show is held to
//! `result.json`, the pointer and keys are tried, and pictures are taken.

use crate::python;
use crate::tree::Tree;
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// What drives the browser, beside the crate whose pages it opens.
const SCRIPT: &str = "crates/autogrow-report/tests/browser/check.py";

/// What has to be installed, by Debian's names.
const PACKAGES: &str = "chromium chromium-driver python3-selenium";

/// Runs of some seconds: one that grows, one that does not.
const RUNS: [(&str, &[&str]); 2] = [
    ("grown", &["--set=growth.interval=1", "--set=growth.patience=3"]),
    ("fixed", &["--policy=none", "--depth=2-2-2"]),
];

/// Which pages, and where pictures of them go.
#[derive(Debug, Args)]
pub(crate) struct BrowserCheckArgs {
    /// Run folders [default: two small runs that are trained for it]
    runs: Vec<PathBuf>,
    /// Folder of the pictures and of the runs [default: target/browser]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Make the pages, and look at none: needs no browser
    #[arg(long)]
    pages: bool,
}

/// Looks at the pages.
///
/// # Errors
/// Where something cannot be built, started or written.
pub(crate) fn run(tree: &Tree, args: &BrowserCheckArgs) -> Result<ExitCode> {
    let python = match python_with_selenium() {
        _ if args.pages => None,
        Some(python) => Some(python.into()),
        None => Some(python::with(&tree.target(), &["selenium"])?),
    };
    let out = args.out.clone().unwrap_or_else(|| tree.target().join("browser"));
    let autogrow = tree.build_autogrow()?;
    let runs = if args.runs.is_empty() { train(&autogrow, &out)? } else { args.runs.clone() };
    let comparison = out.join("comparison.html");
    if runs.len() > 1 {
        std::fs::create_dir_all(&out).with_context(|| format!("{}", out.display()))?;
        let mut report = Command::new(&autogrow);
        succeed(report.args(["report", "--quiet", "--out"]).arg(&comparison).args(&runs))?;
    }
    let Some(python) = python else {
        runs.iter().for_each(|run| println!("{}", run.join("report.html").display()));
        return Ok(ExitCode::SUCCESS);
    };
    let mut command = Command::new(python);
    command.arg(tree.root.join(SCRIPT)).args(&runs).arg("--screenshots").arg(&out);
    if runs.len() > 1 {
        command.arg("--compare").arg(comparison);
    }
    let status = command.status();
    let status = status.with_context(|| format!("no python3\nhint: apt install {PACKAGES}"))?;
    println!("pictures in {}", out.display());
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Trains afresh what is looked at.
fn train(autogrow: &Path, out: &Path) -> Result<Vec<PathBuf>> {
    let mut runs = Vec::new();
    for (name, options) in RUNS {
        let run = out.join(name);
        if run.exists() {
            std::fs::remove_dir_all(&run).with_context(|| format!("{}", run.display()))?;
        }
        let mut command = Command::new(autogrow);
        command.arg("train").arg(&run).args(["--quiet", "--quick", "--epochs=4"]).args(options);
        succeed(&mut command)?;
        runs.push(run);
    }
    Ok(runs)
}

/// Debian's Python has what Debian packages, another one before it in the path may not.
fn python_with_selenium() -> Option<&'static str> {
    let has = |python: &&str| succeeds(Command::new(python).args(["-c", "import selenium"]));
    ["python3", "/usr/bin/python3"].into_iter().find(has)
}

fn succeeds(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot be started: {command:?}"))?;
    ensure!(status.success(), "{status}: {command:?}");
    Ok(())
}
