//! Tells the crate of which commit it is, where it is built from a git repository. The same commit
//! gives the same program; nothing is built again as long as it stays.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

fn main() -> io::Result<()> {
    let mut cargo = io::stdout();
    writeln!(cargo, "cargo::rerun-if-changed=build.rs")?;
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return Ok(()) };
    writeln!(cargo, "cargo::rustc-env=COMMIT_OF_AUTOGROW={commit}")?;
    // What changes when the commit does: HEAD, and the branch that it names.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    let names = ["HEAD".to_string(), "packed-refs".to_string()].into_iter().chain(branch);
    for path in names.filter_map(|name| git(&["rev-parse", "--git-path", &name])) {
        // Of a file that is not there cargo would think that it changes all the time.
        if Path::new(&path).exists() {
            writeln!(cargo, "cargo::rerun-if-changed={path}")?;
        }
    }
    Ok(())
}

/// What git says; nothing where there is no git, or no repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_string()).filter(|text| !text.is_empty())
}
