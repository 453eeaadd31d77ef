//! One process a run folder: a lock that dies with its process.

use crate::names;
use crate::storage::failed;
use autogrow_base::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

/// Holds a run folder as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    is_held: bool,
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
        let is_held = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::Error(error)) if has_no_locks(&error) => false,
            Err(TryLockError::Error(error)) => return Err(cannot(&error)),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who holds it is a courtesy; that it is held is the point.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                return Err(Error::run(folder, format!("is being written by process {holder}"))
                    .with_hint("wait for it, end it, or name another run folder"));
            }
        };
        let name = std::process::id().to_string();
        file.set_len(0)
            .and_then(|()| file.write_all(name.as_bytes()))
            .map_err(|error| cannot(&error))?;
        Ok(Self { _file: file, is_held })
    }

    /// Whether others are kept out, which not every file system can.
    pub fn is_held(&self) -> bool {
        self.is_held
    }
}

/// Whether a file system has no locks: ENOTSUP, ENOSYS, EINVAL, and ENOLCK of NFS without its lock
/// daemon, which has no kind.
fn has_no_locks(error: &std::io::Error) -> bool {
    const ENOLCK: [i32; 2] = [37, 77];
    let is_kind = matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput);
    is_kind || error.raw_os_error().is_some_and(|code| ENOLCK.contains(&code))
}

/// Whether a process holds the run folder. Looked at without waiting, and let go at once.
pub fn is_locked(folder: &Path) -> bool {
    File::open(folder.join(names::LOCK))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
