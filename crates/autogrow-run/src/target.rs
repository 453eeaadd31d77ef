//! Where the bytes for a path go: links are followed, devices and pipes are written to, never replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Links that are followed one after the other.
const MOST_LINKS: usize = 40;

/// Where the bytes for a path go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A file, which may not be there yet: another can be put in its place.
    File(PathBuf),
    /// A device, a pipe, or what another program has opened.
    Stream,
}

impl Target {
    /// That of `path`.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let mut place = path.to_path_buf();
        for _ in 0..MOST_LINKS {
            match fs::symlink_metadata(&place) {
                Ok(found) if found.is_symlink() => {
                    // Links of /proc lead to what is open, by whatever name.
                    if ["/dev", "/proc"].iter().any(|folder| place.starts_with(folder)) {
                        return Ok(Self::Stream);
                    }
                    let target = fs::read_link(&place)?;
                    place = place.parent().unwrap_or(Path::new("")).join(target);
                }
                // What a folder is an obstacle to is told by whoever writes.
                Ok(found) if found.is_file() || found.is_dir() => return Ok(Self::File(place)),
                Ok(_) => return Ok(Self::Stream),
                Err(_) => return Ok(Self::File(place)),
            }
        }
        Err(io::Error::other("too many links"))
    }
}

/// Writes to what is there and is no file.
pub(crate) fn write_to(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(bytes)
}

/// Whether a path names a device, a pipe, or what another program has opened.
pub fn is_stream(path: &Path) -> bool {
    matches!(Target::of(path), Ok(Target::Stream))
}

/// Makes what was done to the names in a folder durable, where its file system can.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // EINVAL, ENOTSUP, ENOSYS: file systems that have no such thing. The files themselves were synced.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Ok(())
        }
        synced => synced,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_a_stream() {
        assert!(is_stream(Path::new("/dev/null")) && is_stream(Path::new("/dev/stdout")));
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_stream(folder.path()) && !is_stream(&folder.path().join("new")));
    }

    #[test]
    fn a_bare_name_has_a_folder() {
        sync_folder(Path::new("")).unwrap();
        assert!(sync_folder(Path::new("/no/such/folder")).is_err());
    }

    /// As on disks of some networks and of phones.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_system_that_cannot_sync_folders_is_no_error() {
        let cannot = File::open("/proc").and_then(|folder| folder.sync_all()).unwrap_err();
        assert_eq!(cannot.kind(), ErrorKind::InvalidInput);
        sync_folder(Path::new("/proc")).unwrap();
    }
}
