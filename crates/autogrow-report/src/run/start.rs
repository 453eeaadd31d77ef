//! When a run started. A file's time is that of its last copy, so that the name of the run's
//! event file, which carries the start, counts where there is one.

use autogrow_run::names;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What event files of runs are called, before and after the seconds since 1970 of the start.
const NAME: [&str; 2] = ["events.out.tfevents.", ".autogrow"];

/// The name of the event file of a run that started then.
pub(crate) fn event_file(seconds: u64) -> String {
    let [before, after] = NAME;
    format!("{before}{seconds:010}{after}")
}

/// The event files in a folder and the starts they are named by, the earliest first.
pub(crate) fn event_files(folder: &Path) -> Vec<(u64, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let named = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        let seconds = name.strip_prefix(NAME[0])?.strip_suffix(NAME[1])?;
        Some((seconds.parse().ok()?, path))
    };
    let mut files: Vec<_> = entries.flatten().filter_map(|entry| named(entry.path())).collect();
    files.sort();
    files
}

/// When the run in a folder started, whole seconds since 1970: by its event file, else by its
/// `config.toml`, which is written first; 0 where that is not known.
pub(super) fn of(run: &Path) -> f64 {
    let told = event_files(&run.join("tensorboard")).first().map(|(seconds, _)| *seconds);
    told.or_else(|| modified(&run.join(names::CONFIG))).unwrap_or(0) as f64
}

/// When a file was written, whole seconds since 1970.
fn modified(path: &Path) -> Option<u64> {
    let time = fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}
