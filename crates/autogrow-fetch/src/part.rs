//! A file on its way: `NAME.part`, with notes beside it on where it comes from. It gets its name
//! when it is complete and right, and not before.

use crate::error::FetchError;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Where the bytes of a part come from.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notes {
    /// The address.
    pub(crate) address: String,
    /// What the server recognises the file by.
    pub(crate) version: Option<String>,
}

/// A file that is not complete.
pub(crate) struct Part {
    target: PathBuf,
    path: PathBuf,
    notes: PathBuf,
}

impl Part {
    /// The part of the file that is to be at `target`.
    pub(crate) fn of(target: &Path) -> Self {
        let beside = |suffix| target.with_added_extension(suffix);
        Self { target: target.into(), path: beside("part"), notes: beside("part.toml") }
    }

    /// Where the bytes are.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that are there.
    pub(crate) fn len(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// Where they come from, if that was written down.
    pub(crate) fn notes(&self) -> Option<Notes> {
        toml::from_str(&fs::read_to_string(&self.notes).ok()?).ok()
    }

    /// Begins anew, with bytes of another origin.
    pub(crate) fn begin(&self, notes: &Notes) -> Result<File, FetchError> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(FetchError::io(folder, "made"))?;
        }
        // The old bytes go first: notes must never speak for bytes of another origin.
        let file = File::create(&self.path).map_err(FetchError::io(&self.path, "written"))?;
        let text = toml::to_string(notes).unwrap_or_default();
        fs::write(&self.notes, text).map_err(FetchError::io(&self.notes, "written"))?;
        Ok(file)
    }

    /// Goes on after the bytes that are there.
    pub(crate) fn go_on(&self) -> Result<File, FetchError> {
        let opened = File::options().append(true).open(&self.path);
        opened.map_err(FetchError::io(&self.path, "written"))
    }

    /// Forgets what is there.
    pub(crate) fn discard(&self) -> Result<(), FetchError> {
        for path in [&self.path, &self.notes] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(FetchError::io(path, "removed")(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Gives it its name, once it is on the disk. To be called when it is complete and right.
    pub(crate) fn publish(&self) -> Result<(), FetchError> {
        let file = File::options().append(true).open(&self.path);
        file.and_then(|file| file.sync_all()).map_err(FetchError::io(&self.path, "written"))?;
        rename(&self.path, &self.target)?;
        // Notes without a part mean nothing, so it does not matter whether they stay.
        let _ = fs::remove_file(&self.notes);
        Ok(())
    }
}

/// Renames, and makes sure that the new name survives a power cut.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), FetchError> {
    fs::rename(from, to).map_err(FetchError::io(to, "written"))?;
    if let Some(folder) = to.parent() {
        sync_folder(folder);
    }
    Ok(())
}

/// Makes sure that the names in a folder survive a power cut.
pub(crate) fn sync_folder(folder: &Path) {
    // Where a folder cannot be opened, as on Windows, the system does this by itself.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}
