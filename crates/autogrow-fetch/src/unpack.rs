//! Unpacking a `.tar.gz` whose checksum is right.
//!
//! The checksum says that the archive is the published one. Beyond that nothing is taken on trust:
//! an archive holds files and folders alone, which lie below one folder, and no more of them than
//! the catalogue says. They are written into a new folder beside the one that they are for, which
//! gets its name when all of them are there and on the disk. So a half-unpacked set is never seen.

use crate::catalogue::{Set, Unpacks};
use crate::digest::blocks;
use crate::error::FetchError;
use crate::part;
use crate::refusal::Refusal;
use crate::state::missing;
use crate::watch::{Event, Told};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use tar::{Archive, EntryType};

/// The list of checksums that is put beside what was unpacked, in the format of `sha256sum`.
pub(crate) const SUMS: &str = "SHA256SUMS";
/// Files and folders of an archive at most; the largest of the catalogue has nine.
const MEMBERS: usize = 1_000;

/// Unpacks `archive`, whose checksum is right, so that what its folder holds is in `target`.
/// What was at `target` is set aside under another name, which is returned.
///
/// # Errors
/// [`FetchError::Refused`] where something is in it that no published archive holds, or what the
/// set holds is not; [`FetchError::Io`] where it cannot be read or written.
pub(crate) fn unpack(
    archive: &Path,
    unpacks: &Unpacks,
    set: &Set,
    target: &Path,
    told: &mut Told<'_>,
) -> Result<Option<PathBuf>, FetchError> {
    let beside = target.with_file_name(format!("{}.unpacking", set.name));
    remove(&beside)?;
    fs::create_dir_all(&beside).map_err(FetchError::io(&beside, "made"))?;
    let published = unpack_into(archive, unpacks, set, &beside, told)
        .and_then(|folder| publish(&folder, target));
    // Where this fails, the next attempt removes it.
    let _ = remove(&beside);
    published
}

/// Unpacks into `beside`, which is empty, and says which folder of it is the set's.
fn unpack_into(
    archive: &Path,
    unpacks: &Unpacks,
    set: &Set,
    beside: &Path,
    told: &mut Told<'_>,
) -> Result<PathBuf, FetchError> {
    let refused = |refusal| FetchError::Refused { archive: archive.into(), refusal };
    // What the system says is not the archive's fault.
    let damaged = |path: &Path, error: io::Error| match error.raw_os_error() {
        Some(_) => FetchError::io(path, "unpacked")(error),
        None => refused(Refusal::Damaged(error.to_string())),
    };
    let file = File::open(archive).map_err(FetchError::io(archive, "read"))?;
    let size = file.metadata().map_err(FetchError::io(archive, "read"))?.len();
    let mut tar = Archive::new(GzDecoder::new(Reported { file, bytes: 0, size, told }));
    let (folder, mut sums, mut left) =
        (beside.join(&unpacks.folder), String::new(), unpacks.at_most);
    // Raw: nothing that stands in front of a member may change what it is.
    let entries = tar.entries().map_err(|error| damaged(archive, error))?.raw(true);
    for (number, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|error| damaged(archive, error))?;
        let path = entry.path().map_err(|error| damaged(archive, error))?.into_owned();
        let name = path.to_string_lossy().escape_debug().to_string();
        let (kind, bytes) = (entry.header().entry_type(), entry.size());
        if number >= MEMBERS {
            return Err(refused(Refusal::Members(MEMBERS)));
        }
        let too_many = || refused(Refusal::Bytes(unpacks.at_most));
        left = left.checked_sub(bytes).ok_or_else(too_many)?;
        if !matches!(kind, EntryType::Regular | EntryType::Directory) {
            return Err(refused(Refusal::Kind(name)));
        }
        let is_plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if !path.components().all(is_plain) {
            return Err(refused(Refusal::LeadsOut(name)));
        }
        let to = beside.join(path);
        let is_file = kind == EntryType::Regular;
        let around = if is_file { to.parent().unwrap_or(beside) } else { &to };
        fs::create_dir_all(around).map_err(FetchError::io(around, "made"))?;
        if is_file {
            let (written, sum) = write(&mut entry, &to).map_err(|error| damaged(&to, error))?;
            if written < bytes {
                return Err(refused(Refusal::Lacks(name)));
            }
            if let Ok(path) = to.strip_prefix(&folder) {
                let names: Vec<_> = path.iter().map(OsStr::to_string_lossy).collect();
                let _ = writeln!(sums, "{sum}  {}", names.join("/"));
            }
        }
    }
    if let Some(name) = missing(set, &folder).into_iter().next() {
        return Err(refused(Refusal::Lacks(name)));
    }
    let list = folder.join(SUMS);
    let written = File::create_new(&list).and_then(|mut file| {
        file.write_all(sums.as_bytes())?;
        file.sync_all()
    });
    written.map_err(FetchError::io(&list, "written"))?;
    Ok(folder)
}

/// Writes a file that is not there yet, and says how many bytes of it there were and their SHA-256.
fn write(content: &mut impl Read, to: &Path) -> io::Result<(u64, String)> {
    let mut file = File::create_new(to)?;
    let (mut sum, mut bytes) = (Sha256::new(), 0);
    blocks(content, |block| {
        sum.update(block);
        bytes += block.len() as u64;
        file.write_all(block)
    })?;
    file.sync_all()?;
    Ok((bytes, format!("{:x}", sum.finalize())))
}

/// Gives `folder` the name `target`, and what has that name another one.
fn publish(folder: &Path, target: &Path) -> Result<Option<PathBuf>, FetchError> {
    // An empty folder holds nothing to keep.
    let _ = fs::remove_dir(target);
    let mut aside = None;
    if fs::symlink_metadata(target).is_ok() {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let free = (1..)
            .map(|n| target.with_file_name(format!("{name}.old-{n}")))
            .find(|path| fs::symlink_metadata(path).is_err());
        if let Some(free) = free {
            part::rename(target, &free)?;
            aside = Some(free);
        }
    }
    part::sync_folder(folder);
    part::rename(folder, target)?;
    Ok(aside)
}

fn remove(folder: &Path) -> Result<(), FetchError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FetchError::io(folder, "removed")(error))
        }
        _ => Ok(()),
    }
}

/// An archive that tells how far it was read.
struct Reported<'a, 'b> {
    file: File,
    bytes: u64,
    size: u64,
    told: &'a mut Told<'b>,
}

impl Read for Reported<'_, '_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(block)?;
        self.bytes += read as u64;
        self.told.event(&Event::Unpacked { bytes: self.bytes, size: self.size });
        Ok(read)
    }
}
