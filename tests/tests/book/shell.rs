//! Running what a page shows as its reader would: by a shell, in a folder of its own, with
//! `autogrow` in the path.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder in which commands run one after the other.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    programs: TempDir,
}

impl Place {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let (folder, programs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let autogrow = env!("CARGO_BIN_EXE_autogrow-tests");
        std::os::unix::fs::symlink(autogrow, programs.path().join("autogrow")).unwrap();
        Self { folder, programs }
    }

    /// Runs a line, with results and messages in one stream as a terminal has them.
    pub(crate) fn run(&self, line: &str) -> Output {
        let mut command = Command::new("sh");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AUTOGROW_")) {
            command.env_remove(name);
        }
        let path = std::env::var("PATH").unwrap();
        command
            .args(["-c", &format!("exec 2>&1\n{line}")])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", self.programs.path().display()))
            // Threads that wait for each other are slow where others compute, too. Results are the
            // same on any number.
            .env("RAYON_NUM_THREADS", "1")
            .env("LC_ALL", "C")
            // Where data sets are looked for: nobody's own.
            .env("XDG_DATA_HOME", self.programs.path())
            .output()
            .unwrap()
    }

    /// Copies a file of the place to further names.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        let to = self.folder.path().join(to);
        fs::create_dir_all(to.parent().unwrap_or(Path::new("."))).unwrap();
        fs::copy(self.folder.path().join(from), to).unwrap();
    }
}

/// The words of a line as a shell takes it apart, up to a comment.
pub(crate) fn words(line: &str) -> Vec<String> {
    shlex::split(line).unwrap_or_default()
}

#[test]
fn a_command_that_fails_is_seen_to_fail() {
    let place = Place::new();
    assert!(place.run("autogrow list").status.success());
    assert!(!place.run("autogrow lsit").status.success());
}
