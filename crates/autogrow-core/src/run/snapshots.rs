//! Snapshots: the weights that a run has kept on its way (`run.snapshots`), each a model file of its
//! own. A trajectory is made of them.

use crate::config::Config;
use crate::network::{ModelInfo, StateDict};
use crate::{Error, Result};
use autogrow_run::storage;
use std::path::{Path, PathBuf};

const FOLDER: &str = "snapshots";

/// Makes the folder of a run that keeps any.
pub(super) fn prepare(run: &Path, config: &Config) -> Result<()> {
    if config.run.snapshots == 0 {
        return Ok(());
    }
    storage::create_folder(&run.join(FOLDER))
}

/// Where that of an epoch is.
pub(super) fn path(run: &Path, epoch: usize) -> PathBuf {
    run.join(FOLDER).join(format!("epoch-{epoch:04}.safetensors"))
}

/// The weights of a run after some epochs, on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Epochs trained until then.
    pub epoch: usize,
    /// The file.
    pub path: PathBuf,
}

/// The snapshots in a run folder, in the order in which they were taken.
///
/// # Errors
/// [`Error::Run`] where the folder cannot be read, or holds none.
pub fn snapshots(run: &Path) -> Result<Vec<Snapshot>> {
    let names = storage::names(&run.join(FOLDER))?;
    let epoch = |name: &String| {
        name.strip_prefix("epoch-")?.strip_suffix(".safetensors")?.parse::<usize>().ok()
    };
    let mut epochs: Vec<_> = names.iter().filter_map(epoch).collect();
    epochs.sort_unstable();
    epochs.dedup();
    if epochs.is_empty() {
        return Err(Error::run(run, "has kept no weights on its way")
            .with_hint("train it with --set run.snapshots=N: weights are kept every N epochs"));
    }
    Ok(epochs.into_iter().map(|epoch| Snapshot { epoch, path: path(run, epoch) }).collect())
}

impl Snapshot {
    /// What it says of itself, and its numbers.
    ///
    /// # Errors
    /// [`Error::Run`] where it cannot be read, is damaged, is no snapshot, or holds numbers that are
    /// not finite.
    pub fn read(&self) -> Result<(ModelInfo, StateDict)> {
        let (state, info) = super::read_weights(&self.path)?;
        super::check_finite(&state, &self.path)?;
        match info {
            Some(info) if info.epoch == Some(self.epoch) => Ok((info, state)),
            _ => Err(Error::run(&self.path, "is not the snapshot that its name says").with_hint(
                "a run writes its snapshots itself; put nothing else into their folder",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_found_in_order_whatever_else_is_there() {
        let run = tempfile::tempdir().unwrap();
        let error = snapshots(run.path()).unwrap_err();
        assert_eq!(error.exit_code(), 4);
        assert!(error.hint().unwrap().contains("run.snapshots"), "{error}");
        std::fs::create_dir(run.path().join(FOLDER)).unwrap();
        for name in ["epoch-0012", "epoch-0003", "epoch-12000", "epoch-", "notes"] {
            let name = format!("{FOLDER}/{name}.safetensors");
            std::fs::write(run.path().join(name), "").unwrap();
        }
        std::fs::write(path(run.path(), 6).with_extension("safetensors.part"), "").unwrap();
        let found = snapshots(run.path()).unwrap();
        assert_eq!(found.iter().map(|one| one.epoch).collect::<Vec<_>>(), [3, 12, 12_000]);
        assert!(found.iter().all(|one| one.path.is_file()));
        assert!(found[0].read().is_err(), "an empty file is no snapshot");
    }
}
