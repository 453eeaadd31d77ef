//! What tests of several files use.

use super::paper::Paper;
use super::plan::Plan;
use super::scale::{Scale, Settings};
use super::suites;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder that is gone when the test is over.
#[derive(Debug)]
pub(super) struct TestFolder {
    pub(super) path: PathBuf,
}

impl TestFolder {
    pub(super) fn new(name: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("reproduce-{}-{number}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self { path }
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        // What remains is in the system's folder for what is temporary.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Calls `look` with the plan of some suites.
pub(super) fn with_plan<T>(
    scale: Scale,
    names: &[&str],
    seeds: u64,
    look: impl FnOnce(&Plan<'_>) -> T,
) -> T {
    let paper = Paper::read().unwrap();
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let suites = suites::choose(&paper, &names).unwrap();
    let settings = Settings { paper: &paper, scale, data: None, device: "auto" };
    look(&Plan::new(&settings, &suites, seeds).unwrap())
}
