//! From names of sets to folders with sets: what `autogrow download` does.

use crate::catalogue::{Catalogue, File, Set};
use crate::digest::{compare, sha256};
use crate::download::download;
use crate::error::FetchError;
use crate::http::{Client, Patience};
use crate::part::{Notes, Part};
use crate::places::Places;
use crate::state::missing;
use crate::unpack::{SUMS, unpack};
use crate::watch::{Told, Watch};
use serde::Serialize;
use std::fs::{self, TryLockError};
use std::path::{Path, PathBuf};

/// How sets are fetched.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where they are put: each into a folder of its name in [`Places::destination`].
    pub places: Places,
    /// A folder with published files that were fetched by hand, flat or in a folder a set. Then
    /// no server is asked.
    pub from: Option<PathBuf>,
    /// The address of a folder that is asked instead of the published ones, laid out likewise.
    pub mirror: Option<String>,
    /// How long is waited for servers.
    pub patience: Patience,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            places: Places::from_environment(),
            from: None,
            mirror: None,
            patience: Patience::default(),
        }
    }
}

/// How a set got here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// From a server, or from the files given by hand; checked.
    Fetched,
    /// It was here already, and its checksums are right.
    AlreadyHere,
    /// It was here already. Somebody else unpacked it, so there are no checksums to compare with.
    AlreadyHereUnchecked,
    /// The files given by hand are the published ones. They stay where they are.
    Verified,
}

/// A set that is here.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Name of the set.
    pub set: String,
    /// The folder that holds it.
    pub folder: PathBuf,
    /// How it got there.
    pub how: How,
    /// Where something was put that had its name and was not the whole set.
    pub set_aside: Option<PathBuf>,
}

/// Sees to it that the sets of these names are here, whole and right; `all` stands for those that
/// are given out freely. What is here already is checked and not fetched again.
///
/// Sets are fetched one after the other. After an error those before it are here, and of the one
/// that failed, what was received: the next call goes on there.
///
/// # Errors
/// [`FetchError`] says what is wrong with which file, and [`FetchError::hint`] what to do.
pub fn get<S: AsRef<str>>(
    catalogue: &Catalogue,
    names: &[S],
    options: &Options,
    watcher: &mut dyn Watch,
) -> Result<Vec<Outcome>, FetchError> {
    let sets = catalogue.select(names)?;
    let base = options.places.destination().ok_or(FetchError::NoPlace)?;
    let mirror = options.mirror.as_deref().map(mirror).transpose()?;
    let client = Client::new(&options.patience);
    let mut job = Job { options, mirror, base, client, watcher };
    sets.into_iter().map(|set| job.get(set)).collect()
}

fn mirror(address: &str) -> Result<&str, FetchError> {
    let host = ["http://", "https://"].iter().find_map(|scheme| address.strip_prefix(scheme));
    match host {
        Some(host) if !host.is_empty() && !host.starts_with('/') => {
            Ok(address.trim_end_matches('/'))
        }
        _ => Err(FetchError::Mirror { address: address.into() }),
    }
}

struct Job<'a> {
    options: &'a Options,
    mirror: Option<&'a str>,
    base: &'a Path,
    client: Client,
    watcher: &'a mut dyn Watch,
}

impl Job<'_> {
    fn get(&mut self, set: &Set) -> Result<Outcome, FetchError> {
        if !set.is_free() {
            return self.verify(set);
        }
        fs::create_dir_all(self.base).map_err(FetchError::io(self.base, "made"))?;
        let _lock = lock(self.base, set)?;
        let home = self.base.join(&set.name);
        let outcome = |folder: PathBuf, how, set_aside| {
            Ok(Outcome { set: set.name.clone(), folder, how, set_aside })
        };
        if let Some((folder, how)) = self.unpacked(set)? {
            return outcome(folder, how, None);
        }
        let (mut fetched, mut set_aside) = (false, None);
        for file in &set.files {
            match &file.unpacks {
                None => fetched |= self.file(set, file, &home.join(&file.name))?,
                Some(unpacks) => {
                    let (archive, is_ours) = self.archive(set, file)?;
                    let mut told = self.told(set, file);
                    set_aside = unpack(&archive, unpacks, set, &home, &mut told)?;
                    if is_ours {
                        // Its content is here; that it cannot be removed takes nothing away.
                        let _ = fs::remove_file(&archive);
                    }
                    fetched = true;
                }
            }
        }
        outcome(home, if fetched { How::Fetched } else { How::AlreadyHere }, set_aside)
    }

    fn told<'a>(&'a mut self, set: &'a Set, file: &'a File) -> Told<'a> {
        Told { watcher: self.watcher, set: &set.name, file: &file.name }
    }

    /// Where a set that comes as an archive was unpacked before, if all of it is there.
    fn unpacked(&self, set: &Set) -> Result<Option<(PathBuf, How)>, FetchError> {
        if set.files.iter().all(|file| file.unpacks.is_none()) {
            return Ok(None);
        }
        for name in std::iter::once(&set.name).chain(&set.folders) {
            let folder = self.base.join(name);
            if !missing(set, &folder).is_empty() {
                continue;
            }
            let Ok(sums) = fs::read_to_string(folder.join(SUMS)) else {
                return Ok(Some((folder, How::AlreadyHereUnchecked)));
            };
            let mut are_right = true;
            for (sum, name) in sums.lines().filter_map(|line| line.split_once("  ")) {
                are_right &= sha256(&folder.join(name)).is_ok_and(|found| found == sum);
            }
            if are_right {
                return Ok(Some((folder, How::AlreadyHere)));
            }
        }
        Ok(None)
    }

    /// Sees to it that the right file is at `target`, and says whether it had to be brought there.
    fn file(&mut self, set: &Set, file: &File, target: &Path) -> Result<bool, FetchError> {
        if target.is_file() && compare(target, file, &mut self.told(set, file))?.is_ok() {
            return Ok(false);
        }
        match &self.options.from {
            Some(from) => {
                let given = given(from, set, file)?;
                self.copy(set, file, &given, target)?;
            }
            None => self.download(set, file, target)?,
        }
        Ok(true)
    }

    /// The archive, checked, and whether it may be removed afterwards.
    fn archive(&mut self, set: &Set, file: &File) -> Result<(PathBuf, bool), FetchError> {
        if let Some(from) = &self.options.from {
            let given = given(from, set, file)?;
            let compared = compare(&given, file, &mut self.told(set, file))?;
            compared.map_err(|mismatch| FetchError::Wrong { path: given.clone(), mismatch })?;
            return Ok((given, false));
        }
        let target = self.base.join(&file.name);
        if !(target.is_file() && compare(&target, file, &mut self.told(set, file))?.is_ok()) {
            self.download(set, file, &target)?;
        }
        Ok((target, true))
    }

    fn download(&mut self, set: &Set, file: &File, target: &Path) -> Result<(), FetchError> {
        let addresses: Vec<_> = match self.mirror {
            Some(mirror) => vec![
                format!("{mirror}/{}/{}", set.name, file.name),
                format!("{mirror}/{}", file.name),
            ],
            None => set.addresses.iter().map(|folder| format!("{folder}/{}", file.name)).collect(),
        };
        let mut told = Told { watcher: self.watcher, set: &set.name, file: &file.name };
        let patience = &self.options.patience;
        download(file, &addresses, target, &self.client, patience, &mut told)
    }

    /// Copies a file that was fetched by hand, and gives the copy its name if it is right.
    fn copy(&mut self, set: &Set, file: &File, from: &Path, to: &Path) -> Result<(), FetchError> {
        let part = Part::of(to);
        let mut source = fs::File::open(from).map_err(FetchError::io(from, "read"))?;
        let address = from.display().to_string();
        let mut copy = part.begin(&Notes { address, version: None })?;
        std::io::copy(&mut source, &mut copy).map_err(FetchError::io(part.path(), "written"))?;
        match compare(part.path(), file, &mut self.told(set, file))? {
            Ok(()) => part.publish(),
            Err(mismatch) => {
                part.discard()?;
                Err(FetchError::Wrong { path: from.into(), mismatch })
            }
        }
    }

    /// Checks those files of a set that was fetched by hand that are there.
    fn verify(&mut self, set: &Set) -> Result<Outcome, FetchError> {
        let Some(from) = &self.options.from else {
            let set_name = set.name.clone();
            return Err(FetchError::ByHand { set: set_name, how_to_get: set.how_to_get() });
        };
        let (mut is_any_there, mut first_absent) = (false, None);
        for file in &set.files {
            match given(from, set, file) {
                Ok(path) => {
                    let compared = compare(&path, file, &mut self.told(set, file))?;
                    if let Err(mismatch) = compared {
                        return Err(FetchError::Wrong { path, mismatch });
                    }
                    is_any_there = true;
                }
                Err(error) => first_absent = first_absent.or(Some(error)),
            }
        }
        if let Some(error) = first_absent.filter(|_| !is_any_there) {
            return Err(error);
        }
        let (set, folder) = (set.name.clone(), from.clone());
        Ok(Outcome { set, folder, how: How::Verified, set_aside: None })
    }
}

/// A file among those that were fetched by hand.
fn given(from: &Path, set: &Set, file: &File) -> Result<PathBuf, FetchError> {
    let places = [from.join(&set.name).join(&file.name), from.join(&file.name)];
    places.into_iter().find(|path| path.is_file()).ok_or_else(|| FetchError::NotGiven {
        folder: from.into(),
        file: file.name.clone(),
        page: set.page.clone(),
    })
}

/// Keeps other processes from fetching the same set, until it is dropped.
fn lock(base: &Path, set: &Set) -> Result<fs::File, FetchError> {
    let path = base.join(format!(".{}.lock", set.name));
    let options = fs::File::options().create(true).append(true).open(&path);
    let file = options.map_err(FetchError::io(&path, "written"))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(FetchError::Busy { folder: base.join(&set.name) }),
        // Some file systems have no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}
