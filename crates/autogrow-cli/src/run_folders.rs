//! Where runs are, and which is the newest: `last` where a command takes a run.

use autogrow::{Error, Result};
use autogrow_run::names;
use std::path::{Path, PathBuf};

/// Where `train` puts runs that are not given a folder.
pub(crate) const FOLDER: &str = "runs";

/// The word for the newest run.
const LAST: &str = "last";

/// The run folders in a folder, that which was written to last first.
pub(crate) fn newest_first(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // Nothing was trained here yet.
        Err(error)
            if error.kind() == std::io::ErrorKind::NotFound && folder == Path::new(FOLDER) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => {
            return Err(Error::run(folder, format!("cannot be listed ({error})"))
                .with_hint("name the folder that holds run folders"));
        }
    };
    let changed = |path: &Path| {
        // Every epoch adds a line to it.
        let file = [names::JOURNAL, names::CONFIG].map(|name| path.join(name));
        file.iter().find_map(|file| std::fs::metadata(file).and_then(|file| file.modified()).ok())
    };
    let folders = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let runs = folders.filter(|path| path.join(names::CONFIG).is_file());
    let mut runs: Vec<_> = runs.map(|path| (changed(&path), path)).collect();
    runs.sort_by(|one, other| other.cmp(one));
    Ok(runs.into_iter().map(|(_, path)| path).collect())
}

/// Where `path` is `last`, the newest run in `runs`.
///
/// # Errors
/// [`Error::Run`] where there is none.
pub(crate) fn resolve(path: &mut PathBuf) -> Result<()> {
    if path.as_os_str() != LAST || path.exists() {
        return Ok(());
    }
    let newest = newest_first(Path::new(FOLDER))?.into_iter().next();
    *path = newest.ok_or_else(|| {
        Error::run(LAST, format!("is the newest run in {FOLDER}, and there is none"))
            .with_hint("`autogrow train` starts one, or name a folder")
    })?;
    Ok(())
}
