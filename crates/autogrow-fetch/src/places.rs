//! Where data sets lie: `AUTOGROW_DATA`, then the platform's folder for data of applications. The
//! readers look in the same places.

use crate::catalogue::Set;
use etcetera::base_strategy::{BaseStrategy, Xdg};
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
        let own = std::env::var_os("AUTOGROW_DATA").filter(|value| !value.is_empty());
        let platform = Xdg::new().ok().map(|xdg| xdg.data_dir().join("autogrow"));
        Self { bases: own.map(PathBuf::from).into_iter().chain(platform).collect() }
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
