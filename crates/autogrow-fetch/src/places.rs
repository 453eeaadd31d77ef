//! Where data sets lie: `AUTOGROW_DATA`, then the platform's folder for data of applications. The
//! readers look in the same places.

use crate::catalogue::Set;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The folders that hold data sets, each set in a folder of its own name.
#[derive(Clone, Debug)]
pub struct Places {
    /// The one that is written to first.
    bases: Vec<PathBuf>,
}

impl Places {
    /// As the environment says.
    pub fn from_environment() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
        let xdg = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || std::env::home_dir().map(|home| home.join(".local/share"));
        let platform = xdg.or_else(home).map(|base| base.join("autogrow"));
        let bases = variable("AUTOGROW_DATA").map(PathBuf::from).into_iter().chain(platform);
        Self { bases: bases.collect() }
    }

    /// This folder alone.
    pub fn only(dir: impl Into<PathBuf>) -> Self {
        Self { bases: vec![dir.into()] }
    }

    /// Where a set is put that is fetched; none where there is neither a variable nor a home.
    pub fn destination(&self) -> Option<&Path> {
        self.bases.first().map(PathBuf::as_path)
    }

    /// Every folder that may hold this set, the likeliest first.
    pub(crate) fn candidates(&self, set: &Set) -> Vec<PathBuf> {
        let under = |base: &PathBuf| -> Vec<PathBuf> {
            std::iter::once(&set.name).chain(&set.folders).map(|name| base.join(name)).collect()
        };
        self.bases.iter().flat_map(under).chain(set.system.iter().cloned()).collect()
    }
}
