//! The source tree: where it is and which files belong to it.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders that hold no sources, for a tree without git.
const NO_SOURCES: [&str; 3] = [".git", "target", "runs"];

/// The workspace on disk.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// The file of this program, to start or copy it. It is looked up before anything is built: a
    /// build may replace the file, and the system then names the old one, which cannot be opened.
    pub(crate) program: PathBuf,
}

impl Tree {
    /// The tree that this program was built from. On the machine where a job runs it need not be
    /// there.
    ///
    /// # Errors
    /// Where the system does not say which file this program is.
    pub(crate) fn here() -> Result<Self> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = own.parent().context("xtask lies in the workspace's folder")?.to_path_buf();
        let program = std::env::current_exe().context("the file of this program is not known")?;
        Ok(Self { root, program })
    }

    /// Tracked files that exist, relative to the root, sorted.
    ///
    /// # Errors
    /// Where a folder cannot be read.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = match tracked(&self.root) {
            Some(files) => files,
            None => walk(&self.root)?,
        };
        files.sort();
        Ok(files)
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target(&self) -> PathBuf {
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        self.root.join(target)
    }
}

/// What git tracks; none where there is no git, or no repository.
fn tracked(root: &Path) -> Option<Vec<PathBuf>> {
    // Whoever checked the tree out need not be whoever runs this.
    let git = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .current_dir(root)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let names = String::from_utf8(git.stdout).ok()?;
    let files: Vec<_> = names.split_terminator('\0').map(PathBuf::from).collect();
    // A file that was deleted is tracked until that is committed.
    (!files.is_empty())
        .then(|| files.into_iter().filter(|file| root.join(file).is_file()).collect())
}

/// Every file below the root but those in folders that hold no sources.
fn walk(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = folder.read_dir().with_context(|| format!("{}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_file() {
                files.push(entry.path().strip_prefix(root)?.to_path_buf());
            } else if kind.is_dir() && !NO_SOURCES.iter().any(|name| entry.file_name() == *name) {
                folders.push(entry.path());
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_git_the_same_files_are_found() {
        let tree = Tree::here().unwrap();
        let walked = walk(&tree.root).unwrap();
        for file in &tree.files().unwrap() {
            assert!(walked.contains(file), "{}", file.display());
        }
    }
}
