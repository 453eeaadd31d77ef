//! `cargo xtask tidy`: the house rules that a program can check. It also runs as a test.
//!
//! Each rule is a function of a file's path and text, or of what a crate's files name, so that its
//! tests need no files. What clippy can say, it says: see `clippy.toml` and the lints in
//! `Cargo.toml`.

mod borders;
mod circles;
mod manifest;
mod paths;
mod rust;
mod sources;
mod text;

use crate::tree::Tree;
use anyhow::{Context, Result};
use sources::Crate;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A rule that a line breaks.
#[derive(Debug, PartialEq)]
struct Violation {
    path: PathBuf,
    /// From 1.
    line: usize,
    rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.rule)
    }
}

/// A file of which rules are broken.
struct Findings<'a> {
    path: &'a Path,
    found: Vec<Violation>,
}

impl<'a> Findings<'a> {
    fn of(path: &'a Path) -> Self {
        Self { path, found: Vec::new() }
    }

    fn add(&mut self, line: usize, rule: impl Into<String>) {
        self.found.push(Violation { path: self.path.to_path_buf(), line, rule: rule.into() });
    }
}

/// Prints each violation; fails where there is one.
///
/// # Errors
/// Where a file cannot be read.
pub(crate) fn run(tree: &Tree) -> Result<ExitCode> {
    let found = violations(tree)?;
    for violation in &found {
        println!("{violation}");
    }
    if found.is_empty() {
        println!("tidy: {} files", tree.files()?.len());
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} to tidy up", found.len());
    Ok(ExitCode::FAILURE)
}

fn violations(tree: &Tree) -> Result<Vec<Violation>> {
    let mut found = Vec::new();
    let mut texts = Vec::new();
    for path in tree.files()? {
        let bytes = std::fs::read(tree.root.join(&path))
            .with_context(|| format!("{} cannot be read", path.display()))?;
        found.extend(text::size(&path, bytes.len()));
        let Ok(content) = String::from_utf8(bytes) else { continue };
        found.extend(text::check(&path, &content));
        if is_rust(&path) {
            found.extend(rust::check(&path, &content));
        }
        if path.ends_with("Cargo.toml") {
            found.extend(manifest::check(&path, &content));
        }
        texts.push((path, content));
    }
    let manifests = texts.iter().filter(|(path, _)| path.ends_with("Cargo.toml"));
    let mut crates: Vec<_> =
        manifests.filter_map(|(path, content)| Crate::of(path, content)).collect();
    for (path, content) in texts.iter().filter(|(path, _)| is_rust(path)) {
        for of in &mut crates {
            if let Err(error) = of.read(path, content) {
                let mut findings = Findings::of(path);
                findings.add(error.span().start().line, "this is not Rust");
                found.extend(findings.found);
            }
        }
    }
    found.extend(crates.iter().filter_map(circles::check));
    let table = texts.iter().find(|(path, _)| path == Path::new(borders::FILE));
    found.extend(borders::check(table.map_or("", |(_, content)| content), &crates));
    Ok(found)
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tidy() {
        let found = violations(&Tree::here().unwrap()).unwrap();
        let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
    }
}
