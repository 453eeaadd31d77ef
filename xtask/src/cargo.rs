//! Cargo, started by a chore that cargo itself has started.
//!
//! `cargo run` tells the program it runs about the package `xtask`, in variables. Build scripts of
//! some crates (ring's is one) watch these variables: if the inner cargo inherited them, it would run
//! such a script again, and compile all that depends on it, and so would the next outer cargo.

use crate::tree::Tree;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

/// What cargo says of the package and the target that it runs. `CARGO_PKG_` begins many names.
const OF_THE_CALLER: [&str; 7] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_CRATE_NAME",
    "CARGO_BIN_NAME",
    "CARGO_TARGET_TMPDIR",
    "OUT_DIR",
];

impl Tree {
    /// A command of cargo in the workspace's folder, to which arguments can be added. It builds into
    /// the workspace's target folder, and what it prints is shown.
    pub(crate) fn cargo(&self) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        for name in std::env::vars_os().map(|(name, _)| name).filter(is_of_the_caller) {
            command.env_remove(name);
        }
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", self.target());
        command
    }

    /// Builds the binary that users run, with the features that tests have, so that nothing is
    /// compiled twice. Returns its path.
    ///
    /// # Errors
    /// Where it does not build.
    pub(crate) fn build_autogrow(&self) -> Result<PathBuf> {
        self.build_autogrow_with(&[])
    }

    /// As [`Self::build_autogrow`], with more arguments to cargo.
    ///
    /// # Errors
    /// Where it does not build.
    pub(crate) fn build_autogrow_with(&self, arguments: &[&str]) -> Result<PathBuf> {
        let mut build = self.cargo();
        build.args(["build", "--workspace", "--all-targets"]).args(arguments);
        ensure!(passes(&mut build)?, "autogrow does not build");
        Ok(self.target().join("debug/autogrow"))
    }
}

/// Runs a command of cargo to its end. Says whether it succeeded.
///
/// # Errors
/// Where cargo cannot be started.
pub(crate) fn passes(command: &mut Command) -> Result<bool> {
    Ok(command.status().context("cargo cannot be started")?.success())
}

fn is_of_the_caller(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || OF_THE_CALLER.contains(&name.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cargo sets these for tests as well.
    #[test]
    fn an_inner_cargo_builds_what_an_outer_one_does() {
        let command = Tree::here().unwrap().cargo();
        let removed: Vec<_> =
            command.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
            assert!(removed.contains(&name.as_ref()), "{name} is not removed: {removed:?}");
        }
        let kept = ["CARGO", "CARGO_HOME", "CARGO_TARGET_DIR", "RUSTUP_TOOLCHAIN", "PATH"];
        assert!(!kept.iter().any(|name| is_of_the_caller(&name.into())));
    }
}
