//! Unpacking `.tar` and `.tar.gz`, from people who may mean harm.
//!
//! Members are written into a new folder beside the one that they are for, which gets its name when
//! all of them are there and on the disk. So a half-unpacked set is never seen.

mod names;
mod refusal;
mod stream;
mod walk;

pub use refusal::{Reason, Refusal};
pub use walk::{Limits, Member};

use crate::catalogue::{Set, Unpacks};
use crate::error::FetchError;
use crate::part;
use crate::state::missing;
use crate::watch::{Event, Told};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use walk::{Sink, walk};

/// The list of checksums that is put beside what was unpacked, in the format of `sha256sum`.
pub(crate) const SUMS: &str = "SHA256SUMS";
/// Files and folders of an archive at most; the largest of the catalogue has nine.
const MEMBERS: usize = 10_000;

/// The members of the `tar` or `tar.gz` in `reader`, read to its end; nothing is written. Memory
/// is bounded by `limits`, whatever the archive says.
///
/// # Errors
/// The first thing in it that [`unpack`](self) refuses.
pub fn check(reader: impl Read, limits: &Limits) -> Result<Vec<Member>, Refusal> {
    let mut list = List(Vec::new());
    walk(reader, limits, &mut list)?;
    Ok(list.0)
}

struct List(Vec<Member>);

impl Sink for List {
    type Error = Refusal;

    fn member(&mut self, member: Member) -> Result<(), Refusal> {
        self.0.push(member);
        Ok(())
    }

    fn write(&mut self, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        Ok(())
    }
}

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
    // What is left is of no use to anybody, and the next attempt removes it as well.
    let _ = remove(&beside);
    published
}

/// Unpacks into `beside` and says which folder of it is the set's.
fn unpack_into(
    archive: &Path,
    unpacks: &Unpacks,
    set: &Set,
    beside: &Path,
    told: &mut Told<'_>,
) -> Result<PathBuf, FetchError> {
    let refused = |refusal| FetchError::Refused { archive: archive.into(), refusal };
    let file = File::open(archive).map_err(FetchError::io(archive, "read"))?;
    let size = file.metadata().map_err(FetchError::io(archive, "read"))?.len();
    let reader = Reported { inner: file, bytes: 0, size, told };
    let folder = beside.join(&unpacks.folder);
    let mut disk = Disk { root: beside.into(), open: None, sums: Vec::new() };
    let limits = Limits { bytes: unpacks.at_most, members: MEMBERS };
    walk(reader, &limits, &mut disk).map_err(|stop| match stop {
        Stop::Refused(refusal) => refused(refusal),
        Stop::Failed(error) => error,
    })?;
    if let Some(name) = missing(set, &folder).into_iter().next() {
        let member = Some(format!("{}/{name}", unpacks.folder));
        return Err(refused(Refusal { member, offset: size, reason: Reason::Lacks(name) }));
    }
    let mut sums = String::new();
    for (path, sum) in disk.sums {
        if let Some(path) = path.strip_prefix(&format!("{}/", unpacks.folder)) {
            let _ = writeln!(sums, "{sum}  {path}");
        }
    }
    let list = folder.join(SUMS);
    let written = File::create_new(&list).and_then(|mut file| {
        file.write_all(sums.as_bytes())?;
        file.sync_all()
    });
    written.map_err(FetchError::io(&list, "written"))?;
    Ok(folder)
}

/// Gives `folder` the name `target`, and what has that name another one.
fn publish(folder: &Path, target: &Path) -> Result<Option<PathBuf>, FetchError> {
    // An empty folder stands in nobody's way.
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

/// Writes members below a folder that was empty. Paths were checked before they come here.
struct Disk {
    root: PathBuf,
    open: Option<Open>,
    /// Path in the archive and SHA-256 of each file.
    sums: Vec<(String, String)>,
}

/// The file that is being written.
struct Open {
    name: String,
    path: PathBuf,
    file: BufWriter<File>,
    sum: Sha256,
}

/// Why unpacking stopped.
enum Stop {
    Refused(Refusal),
    Failed(FetchError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Sink for Disk {
    type Error = Stop;

    fn member(&mut self, member: Member) -> Result<(), Stop> {
        let failed = |path: &Path, error| Stop::Failed(FetchError::io(path, "written")(error));
        let path = self.root.join(&member.path);
        let folder = if member.bytes.is_none() { Some(path.as_path()) } else { path.parent() };
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        }
        if member.bytes.is_some() {
            // The folder was empty, so whatever is there already came through this archive.
            let file = File::create_new(&path).map_err(|error| failed(&path, error))?;
            let (file, sum) = (BufWriter::new(file), Sha256::new());
            self.open = Some(Open { name: member.path, path, file, sum });
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.sum.update(bytes);
        let written = open.file.write_all(bytes);
        written.map_err(|error| Stop::Failed(FetchError::io(&open.path, "written")(error)))
    }

    fn end(&mut self) -> Result<(), Stop> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let Open { name, path, mut file, sum } = open;
        let synced = file.flush().and_then(|()| file.get_ref().sync_all());
        synced.map_err(|error| Stop::Failed(FetchError::io(&path, "written")(error)))?;
        self.sums.push((name, format!("{:x}", sum.finalize())));
        Ok(())
    }
}

/// An archive that tells how far it was read.
struct Reported<'a, 'b> {
    inner: File,
    bytes: u64,
    size: u64,
    told: &'a mut Told<'b>,
}

impl Read for Reported<'_, '_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(block)?;
        self.bytes += read as u64;
        self.told.event(&Event::Unpacked { bytes: self.bytes, size: self.size });
        Ok(read)
    }
}
