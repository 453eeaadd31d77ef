//! Where the files of a data set are looked for.

use autogrow_core::{Error, Result};
use etcetera::base_strategy::{BaseStrategy, Xdg};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What the user and the system say about where data are.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// `data.dir`; empty: not set.
    pub(crate) dir: PathBuf,
    /// `AUTOGROW_DATA`.
    pub(crate) autogrow_data: Option<OsString>,
    /// The platform's folder for data of applications.
    pub(crate) platform: Option<PathBuf>,
}

impl Places {
    /// Asks configuration and environment.
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.into(),
            autogrow_data: std::env::var_os("AUTOGROW_DATA").filter(|value| !value.is_empty()),
            platform: Xdg::new().ok().map(|xdg| xdg.data_dir()),
        }
    }

    /// The folders that may hold the set `name`, the likeliest first. `folders` are further names
    /// that the published archives give to the folder they unpack to; `system` are folders of
    /// packages of operating systems. What `data.dir` says is the last word.
    pub(crate) fn candidates(&self, name: &str, folders: &[&str], system: &[&str]) -> Vec<PathBuf> {
        let under = |base: &Path| -> Vec<PathBuf> {
            std::iter::once(&name).chain(folders).map(|folder| base.join(folder)).collect()
        };
        if !self.dir.as_os_str().is_empty() {
            let mut found = vec![self.dir.clone()];
            found.extend(under(&self.dir));
            return found;
        }
        let mut found = Vec::new();
        if let Some(base) = &self.autogrow_data {
            found.extend(under(Path::new(base)));
        }
        if let Some(base) = &self.platform {
            found.extend(under(&base.join("autogrow")));
        }
        found.extend(system.iter().map(PathBuf::from));
        found
    }
}

/// The first of `folders` that holds a file under one of `spellings`.
///
/// # Errors
/// [`Error::Data`] that names the file and every folder, with `how_to_get` as its hint.
pub(crate) fn folder(
    set: &str,
    folders: &[PathBuf],
    spellings: &[String],
    how_to_get: &str,
) -> Result<PathBuf> {
    if let Some(found) = folders.iter().find(|folder| find(folder, spellings).is_some()) {
        return Ok(found.clone());
    }
    let looked_in: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let first = folders.first().cloned().unwrap_or_default();
    let wanted = spellings.first().map(String::as_str).unwrap_or_default();
    Err(Error::data(
        first.join(wanted),
        format!("the files of {set} are not there; looked in {}", looked_in.join(", ")),
    )
    .with_hint(how_to_get))
}

/// The file in `folder` that has one of these names.
///
/// # Errors
/// [`Error::Data`] where there is none, with `how_to_get` as its hint.
pub(crate) fn file(folder: &Path, spellings: &[String], how_to_get: &str) -> Result<PathBuf> {
    find(folder, spellings).ok_or_else(|| {
        let wanted = spellings.first().map(String::as_str).unwrap_or_default();
        Error::data(folder.join(wanted), "is not there").with_hint(how_to_get)
    })
}

fn find(folder: &Path, spellings: &[String]) -> Option<PathBuf> {
    spellings.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_configured_folder_is_the_last_word() {
        let places = Places {
            dir: "/given".into(),
            autogrow_data: Some("/data".into()),
            platform: Some("/home/.local/share".into()),
        };
        let found = places.candidates("set", &["archive"], &["/usr/share/set"]);
        assert_eq!(found, ["/given", "/given/set", "/given/archive"].map(PathBuf::from));
        let found = Places { dir: PathBuf::new(), ..places }.candidates("set", &[], &["/usr/set"]);
        let expected = ["/data/set", "/home/.local/share/autogrow/set", "/usr/set"];
        assert_eq!(found, expected.map(PathBuf::from));
    }

    #[test]
    fn the_first_folder_with_the_file_is_taken() {
        let base = tempfile::tempdir().unwrap();
        let folders = ["a", "b", "c"].map(|name| base.path().join(name));
        let spellings = ["train".to_string(), "train.gz".to_string()];
        folders.iter().for_each(|folder| fs::create_dir(folder).unwrap());
        let error = folder("set", &folders, &spellings, "unpack it").unwrap_err();
        assert_eq!(error.hint().unwrap(), "unpack it");
        let text = error.to_string();
        assert!(text.starts_with(&folders[0].join("train").display().to_string()), "{text}");
        assert!(text.contains(&folders[2].display().to_string()), "{text}");

        fs::write(folders[1].join("train.gz"), "").unwrap();
        fs::write(folders[2].join("train"), "").unwrap();
        assert_eq!(folder("set", &folders, &spellings, "").unwrap(), folders[1]);
    }
}
