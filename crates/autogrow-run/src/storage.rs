//! What a run writes goes through here. What others read appears complete or not at all.
//!
//! Every operation that changes a file first passes `fault::point`, where tests make the n-th one fail or kill the
//! process; without the feature `faults` that is nothing.

use crate::target::{Target, sync_folder, write_to};
use crate::{fault, names};
use autogrow_base::{Error, Result};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Writes a file beside its final place, makes it durable, and renames it there. Links are followed;
/// devices and pipes are written to.
///
/// # Errors
/// [`Error::Run`] with the cause; the file that was there before is then untouched.
pub fn publish(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let Target::File(place) = Target::of(path)? else { return write_to(path, bytes) };
        let part = part(&place);
        let file = write_file(&part, bytes)?;
        fault::point()?;
        file.sync_all()?;
        fault::point()?;
        fs::rename(&part, &place)?;
        sync_folder(place.parent().unwrap_or(&place))
    };
    write().map_err(|error| failed(path, "cannot be written", &error))
}

/// Writes what can be made again from the rest of a run, such as a page: complete or not at all, but
/// not durable, and no fault is made in here, for a run outlives a page that cannot be written. Makes the
/// folder; several processes may write the same file at once.
///
/// # Errors
/// [`Error::Run`] with the cause; the file that was there before is then untouched.
pub fn publish_derived(path: &Path, bytes: &[u8]) -> Result<()> {
    let place = match Target::of(path) {
        Ok(Target::File(place)) => place,
        stream => {
            let written = stream.and_then(|_| write_to(path, bytes));
            return written.map_err(|error| failed(path, "cannot be written", &error));
        }
    };
    let mut part = place.as_os_str().to_owned();
    part.push(format!(".{}{}", std::process::id(), names::PART));
    let part = PathBuf::from(part);
    let write = || {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        fs::write(&part, bytes)?;
        fs::rename(&part, &place)
    };
    write().map_err(|error| {
        // What is left of a failed attempt is of no use; that it failed is told already.
        let _ = fs::remove_file(&part);
        failed(path, "cannot be written", &error)
    })
}

/// Makes a file hold these records in place, so that a program which follows it reads on from where it
/// was: records that are there already stay untouched, what is no beginning of the rest (of a record that
/// was torn, of epochs that a resumed run does again) is cut off, and the others are appended in one write.
/// As [`publish_derived`] in all else.
///
/// # Errors
/// [`Error::Run`] with the cause; the records that were there before are then still whole.
pub fn extend_derived(path: &Path, records: &[Vec<u8>]) -> Result<()> {
    let extend = || {
        if !matches!(Target::of(path)?, Target::File(_)) {
            return write_to(path, &records.concat());
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        // Another process that does the same is left to it. Some file systems have no locks.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Ok(());
        }
        let mut there = Vec::new();
        file.read_to_end(&mut there)?;
        let mut kept = 0;
        let mut rest = records.iter();
        while let Some(record) =
            rest.as_slice().first().filter(|one| there[kept..].starts_with(one))
        {
            kept += record.len();
            rest.next();
        }
        if kept < there.len() {
            file.set_len(kept as u64)?;
        }
        file.seek(SeekFrom::Start(kept as u64))?;
        file.write_all(&rest.as_slice().concat())
    };
    extend().map_err(|error| failed(path, "cannot be written", &error))
}

/// Writes several files into a new folder and publishes it by one rename.
pub fn publish_folder(path: &Path, files: &[(impl AsRef<Path>, Vec<u8>)]) -> Result<()> {
    let part = part(path);
    let write = || {
        if part.exists() {
            fault::point()?;
            fs::remove_dir_all(&part)?;
        }
        fault::point()?;
        // Not its parents: where the run's folder has vanished, that is an error.
        fs::create_dir(&part)?;
        let written = files.iter().map(|(name, bytes)| write_file(&part.join(name), bytes));
        // All are written before the first is synced: the disk then takes them together.
        for file in written.collect::<io::Result<Vec<_>>>()? {
            fault::point()?;
            file.sync_all()?;
        }
        sync_folder(&part)?;
        fault::point()?;
        fs::rename(&part, path)?;
        sync_folder(path.parent().unwrap_or(path))
    };
    write().map_err(|error| failed(path, "cannot be written", &error))
}

/// Deletes a folder: renamed first, so that what is half deleted is not taken for a whole.
pub fn remove_folder(path: &Path) -> Result<()> {
    let part = part(path);
    let remove = || {
        if part.exists() {
            fault::point()?;
            fs::remove_dir_all(&part)?;
        }
        fault::point()?;
        fs::rename(path, &part)?;
        fault::point()?;
        fs::remove_dir_all(&part)
    };
    remove().map_err(|error| failed(path, "cannot be removed", &error))
}

/// Deletes a file, if it is there.
pub fn remove_file(path: &Path) -> Result<()> {
    let remove = || {
        fault::point()?;
        match fs::remove_file(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    };
    remove().map_err(|error| failed(path, "cannot be removed", &error))
}

/// Deletes a folder that was never published, or is half deleted.
pub fn remove_part(part: &Path) -> Result<()> {
    let remove = || {
        fault::point()?;
        fs::remove_dir_all(part)
    };
    remove().map_err(|error| failed(part, "cannot be removed", &error))
}

fn part(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

/// Writes a file that is not synced yet.
fn write_file(path: &Path, bytes: &[u8]) -> io::Result<File> {
    fault::point()?;
    let mut file = File::create(path)?;
    // In two, so that a fault between them leaves half a file.
    let (first, second) = bytes.split_at(bytes.len() / 2);
    file.write_all(first)?;
    fault::point()?;
    file.write_all(second)?;
    Ok(file)
}

/// A file that is appended to.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Log {
    /// A new, empty file.
    pub fn create(path: PathBuf) -> Result<Self> {
        let open = || {
            fault::point()?;
            OpenOptions::new().create(true).truncate(true).write(true).open(&path)
        };
        let file = open().map_err(|error| failed(&path, "cannot be created", &error))?;
        Ok(Self { path, file, length: 0 })
    }

    /// The file as it was when it was `length` bytes long.
    pub fn reopen(path: PathBuf, length: u64) -> Result<Self> {
        let open = || {
            fault::point()?;
            let file = OpenOptions::new().append(true).open(&path)?;
            if file.metadata()?.len() < length {
                return Err(io::Error::new(ErrorKind::UnexpectedEof, "it lacks lines it once had"));
            }
            fault::point()?;
            file.set_len(length)?;
            Ok(file)
        };
        let file = open().map_err(|error| failed(&path, "cannot be continued", &error))?;
        Ok(Self { path, file, length })
    }

    /// Appends a line, in one write.
    pub fn line(&mut self, line: &str) -> Result<()> {
        self.append(format!("{line}\n").as_bytes())
    }

    /// Appends bytes, in one write.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let written = fault::point().and_then(|()| self.file.write_all(bytes));
        written.map_err(|error| failed(&self.path, "cannot be written", &error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// How long it is, in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Makes everything so far durable.
    ///
    /// # Errors
    /// [`Error::Run`] with the cause.
    pub fn sync(&self) -> Result<()> {
        let synced = fault::point().and_then(|()| self.file.sync_data());
        synced.map_err(|error| failed(&self.path, "cannot be written", &error))
    }
}

/// Makes a folder and its parents.
pub fn create_folder(path: &Path) -> Result<()> {
    let created = fault::point().and_then(|()| fs::create_dir_all(path));
    created.map_err(|error| failed(path, "cannot be created", &error))
}

/// Makes a folder that must not be there yet; false where it is. Its parents are made, too.
pub fn create_new_folder(path: &Path) -> Result<bool> {
    let create = || {
        fault::point()?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent)?;
        }
        fs::create_dir(path)
    };
    match create() {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        created => {
            created.map(|()| true).map_err(|error| failed(path, "cannot be created", &error))
        }
    }
}

/// Names of what is in a folder; none where there is no folder.
pub fn names(path: &Path) -> Result<Vec<String>> {
    let read = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    };
    match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        result => result.map_err(|error| failed(path, "cannot be read", &error)),
    }
}

/// Reads a whole file.
///
/// # Errors
/// [`Error::Run`] with the cause.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let read = fault::point().and_then(|()| fs::read(path));
    read.map_err(|error| failed(path, "cannot be read", &error))
}

/// What the operating system says, with what to do about it.
pub fn failed(path: &Path, what: &str, error: &io::Error) -> Error {
    let hint = match error.kind() {
        ErrorKind::NotFound => "check the path",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "choose a folder that you may write to"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free some space on that disk; `autogrow resume` then goes on"
        }
        _ => return Error::run(path, format!("{what} ({error})")),
    };
    Error::run(path, format!("{what} ({error})")).with_hint(hint)
}

#[cfg(test)]
mod following {
    use super::*;

    #[test]
    fn a_program_that_follows_a_file_reads_on_from_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/events");
        let records =
            |of: &[&str]| of.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
        extend_derived(&path, &records(&["one", "two"])).unwrap();
        let mut reader = File::open(&path).unwrap();
        let mut read = || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        };
        assert_eq!(read(), "onetwo");
        extend_derived(&path, &records(&["one", "two", "three"])).unwrap();
        assert_eq!(read(), "three");
        extend_derived(&path, &records(&["one", "two", "three"])).unwrap();
        assert_eq!(read(), "");
        // Torn by a kill, and of epochs that are done again in other times.
        fs::write(&path, "onetwothr").unwrap();
        extend_derived(&path, &records(&["one", "two", "three"])).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"onetwothree");
        extend_derived(&path, &records(&["one", "TWO"])).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"oneTWO");
        extend_derived(&path, &records(&["one", "TWO", "THREE"])).unwrap();
        assert_eq!(read(), "");
        extend_derived(&path, &records(&["one", "TWO", "THREE", "four"])).unwrap();
        assert_eq!(read(), "four");
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, symlink};
    use std::os::unix::net::UnixListener;

    #[test]
    fn links_are_followed_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("big")).unwrap();
        symlink("big/net.onnx", path("link.onnx")).unwrap();
        symlink(path("link.onnx"), path("again.onnx")).unwrap();
        for (link, bytes) in [("link.onnx", b"new"), ("again.onnx", b"two")] {
            publish(&path(link), bytes).unwrap();
            assert!(fs::symlink_metadata(path(link)).unwrap().is_symlink());
            assert_eq!(fs::read(path("big/net.onnx")).unwrap(), bytes);
        }
        symlink(path("circle"), path("circle")).unwrap();
        assert!(publish(&path("circle"), b"").is_err());
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _listener = UnixListener::bind(&path).unwrap();
        for publish in [publish, publish_derived] {
            assert!(publish(&path, b"bytes").is_err());
            assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
            publish(Path::new("/dev/null"), b"bytes").unwrap();
            assert!(fs::symlink_metadata("/dev/null").unwrap().file_type().is_char_device());
        }
    }
}
