//! All file access of a run goes through here. What others read appears complete or not at all.

use crate::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Writes a file beside its final place, makes it durable, and renames it there.
///
/// # Errors
/// [`Error::Run`] with the cause; the file that was there before is then untouched.
pub fn publish(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let write = || {
        let mut file = File::create(part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(part, path)
    };
    write().map_err(|error| failed(path, "cannot be written", &error))
}

/// Opens a file to append to, empty at first.
pub(super) fn create(path: &Path) -> Result<File> {
    let open = OpenOptions::new().create_new(true).append(true).open(path);
    open.map_err(|error| failed(path, "cannot be created", &error))
}

/// Appends a line to a file that [`create`] made, in one write.
pub(super) fn append(file: &mut File, path: &Path, line: &str) -> Result<()> {
    let written = file.write_all(format!("{line}\n").as_bytes());
    written.map_err(|error| failed(path, "cannot be written", &error))
}

/// Makes a folder that must not be there yet, or is empty, and its parents.
pub(super) fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| failed(path, "cannot be created", &error))?;
    let mut entries = fs::read_dir(path).map_err(|error| failed(path, "cannot be read", &error))?;
    if entries.next().is_some() {
        return Err(Error::run(path, "holds files already")
            .with_hint("name another folder, or none for one that is numbered by itself"));
    }
    Ok(())
}

/// Reads a whole file.
///
/// # Errors
/// [`Error::Run`] with the cause.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| failed(path, "cannot be read", &error))
}

fn failed(path: &Path, what: &str, error: &std::io::Error) -> Error {
    let hint = match error.kind() {
        ErrorKind::NotFound => "check the path",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "choose a folder that you may write to"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space on that disk",
        _ => return Error::run(path, format!("{what} ({error})")),
    };
    Error::run(path, format!("{what} ({error})")).with_hint(hint)
}
