//! One process a run folder: a lock that dies with its process.

use crate::names;
use crate::storage::failed;
use autogrow_base::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

/// Holds a run folder as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a run folder.
    ///
    /// # Errors
    /// [`Error::Run`] that tells who holds it.
    pub fn take(folder: &Path) -> Result<Self> {
        let path = folder.join(names::LOCK);
        let cannot = |error: &std::io::Error| failed(&path, "cannot be locked", error);
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).read(true).write(true);
        let mut file = options.open(&path).map_err(|error| cannot(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(cannot(&error)),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who holds it is a courtesy; that it is held is the point.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                return Err(Error::run(folder, format!("is being written by process {holder}"))
                    .with_hint("wait for it, end it, or name another run folder"));
            }
        }
        let name = std::process::id().to_string();
        file.set_len(0)
            .and_then(|()| file.write_all(name.as_bytes()))
            .map_err(|error| cannot(&error))?;
        Ok(Self { _file: file })
    }
}

/// Whether a process holds the run folder. Looked at without waiting, and let go at once.
pub fn is_locked(folder: &Path) -> bool {
    File::open(folder.join(names::LOCK))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
