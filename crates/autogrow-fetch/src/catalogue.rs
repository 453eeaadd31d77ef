//! The catalogue: which sets there are, where they are published, and what proves that a file is
//! the right one. The built-in one is `catalogue.toml` beside this file.

use crate::error::FetchError;
use serde::Deserialize;
use std::path::PathBuf;

/// The data sets that can be fetched, or at least checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// In the order of the file.
    #[serde(rename = "set")]
    pub sets: Vec<Set>,
}

/// A data set as its publishers give it out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// Name in `data.name`, and of the folder that it lands in.
    pub name: String,
    /// What it is, in a few words.
    pub title: String,
    /// Where its publishers describe it.
    pub page: String,
    /// Addresses of the folder that holds the files, the best first; none where nobody may give it
    /// out without asking.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// How to get a set without addresses.
    pub by_hand: Option<String>,
    /// Further names that its folder goes by where somebody unpacked it by hand.
    #[serde(default)]
    pub folders: Vec<String>,
    /// Folders in which packages of operating systems put it.
    #[serde(default)]
    pub system: Vec<PathBuf>,
    /// What its reader needs, each under the names that the reader takes.
    pub holds: Vec<Vec<String>>,
    /// The published files.
    #[serde(rename = "file")]
    pub files: Vec<File>,
}

/// A published file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Name under each address.
    pub name: String,
    /// Bytes, where they are known.
    pub size: Option<u64>,
    /// MD5 in hexadecimal, as published.
    pub md5: String,
    /// SHA-256 in hexadecimal, where it is known.
    pub sha256: Option<String>,
    /// What an archive unpacks to.
    pub unpacks: Option<Unpacks>,
}

/// What a `.tar.gz` holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unpacks {
    /// The one folder on top.
    pub folder: String,
    /// A little more than the bytes of its files: an archive with more is not the published one.
    pub at_most: u64,
}

impl Catalogue {
    /// The sets that AutoGrow reads.
    ///
    /// # Errors
    /// [`FetchError::Catalogue`] never, as its tests show.
    pub fn built_in() -> Result<Self, FetchError> {
        Self::parse(include_str!("catalogue.toml"))
    }

    /// Reads a catalogue in the format of `catalogue.toml`.
    ///
    /// # Errors
    /// [`FetchError::Catalogue`] where it is not one.
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        let wrong = |problem: String| FetchError::Catalogue { problem };
        let catalogue: Self = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        for set in &catalogue.sets {
            let names = set.files.iter().map(|file| &file.name);
            let folders = set.files.iter().flat_map(|file| &file.unpacks).map(|to| &to.folder);
            for name in names.chain(folders).chain([&set.name]).chain(set.holds.iter().flatten()) {
                if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', ':', '\0'])
                {
                    return Err(wrong(format!("{}: `{name}` is no plain file name", set.name)));
                }
            }
            for file in &set.files {
                let sums = [(32, Some(&file.md5)), (64, file.sha256.as_ref())];
                let bad = |(digits, sum): &(usize, Option<&String>)| {
                    let digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                    sum.is_some_and(|sum| sum.len() != *digits || !sum.bytes().all(digit))
                };
                if sums.iter().any(bad) {
                    return Err(wrong(format!("{}: {} has no such sum", set.name, file.name)));
                }
            }
        }
        Ok(catalogue)
    }

    /// The sets of these names; `all` stands for every set that is given out freely.
    ///
    /// # Errors
    /// [`FetchError::Unknown`] with every valid name.
    pub fn select<'a, S: AsRef<str>>(&'a self, names: &[S]) -> Result<Vec<&'a Set>, FetchError> {
        let mut selected: Vec<&Set> = Vec::new();
        for name in names.iter().map(AsRef::as_ref) {
            let before = selected.len();
            for set in &self.sets {
                let meant = set.name == name || (name == ALL && set.is_free());
                if meant && selected.iter().all(|other| other.name != set.name) {
                    selected.push(set);
                }
            }
            let again = selected.iter().any(|set| set.name == name) || name == ALL;
            if selected.len() == before && !again {
                let known = self.sets.iter().map(|set| set.name.clone());
                let known = known.chain([ALL.to_string()]).collect();
                return Err(FetchError::Unknown { name: name.into(), known });
            }
        }
        Ok(selected)
    }
}

/// What stands for every set that is given out freely.
const ALL: &str = "all";

impl Set {
    /// Whether it can be downloaded without an account.
    pub fn is_free(&self) -> bool {
        !self.addresses.is_empty()
    }

    /// How to get it, in a sentence.
    pub fn how_to_get(&self) -> String {
        self.by_hand.clone().unwrap_or_else(|| format!("`autogrow download {}`", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_built_in_catalogue_is_sound() {
        let catalogue = Catalogue::built_in().unwrap();
        let names: Vec<_> = catalogue.sets.iter().map(|set| set.name.as_str()).collect();
        let expected = ["mnist", "fashion-mnist", "cifar10", "cifar100", "svhn", "imagenet"];
        assert_eq!(names, expected);
        for set in &catalogue.sets {
            assert_ne!(set.is_free(), set.by_hand.is_some(), "{}", set.name);
            let files: BTreeSet<_> = set.files.iter().map(|file| &file.name).collect();
            assert_eq!(files.len(), set.files.len());
            for file in &set.files {
                let archive = file.name.ends_with(".tar.gz");
                assert!(!set.is_free() || file.unpacks.is_some() == archive, "{}", file.name);
                assert!(!set.is_free() || file.size.is_some(), "a download has a known end");
                assert!(file.sha256.is_some(), "{}", file.name);
            }
            for address in &set.addresses {
                assert!(address.starts_with("http") && !address.ends_with('/'), "{address}");
            }
        }
    }

    #[test]
    fn files_that_are_not_unpacked_are_what_the_reader_looks_for() {
        for set in Catalogue::built_in().unwrap().sets.iter().filter(|set| set.is_free()) {
            for file in set.files.iter().filter(|file| file.unpacks.is_none()) {
                assert!(set.holds.iter().any(|names| names.contains(&file.name)), "{}", file.name);
            }
            for folder in set.files.iter().flat_map(|file| &file.unpacks).map(|to| &to.folder) {
                assert!(set.folders.contains(folder), "{folder}");
            }
        }
    }

    #[test]
    fn all_is_what_is_free_and_a_name_counts_once() {
        let catalogue = Catalogue::built_in().unwrap();
        let names = |asked: &[&str]| -> Vec<_> {
            catalogue.select(asked).unwrap().iter().map(|set| set.name.clone()).collect()
        };
        assert_eq!(names(&["all"]), ["mnist", "fashion-mnist", "cifar10", "cifar100", "svhn"]);
        assert_eq!(names(&["svhn", "imagenet", "svhn"]), ["svhn", "imagenet"]);
        assert_eq!(names(&["svhn", "all"]).len(), 5);
        match catalogue.select(&["mnist", "cifar"]).unwrap_err() {
            FetchError::Unknown { name, known } => {
                assert_eq!((name.as_str(), known.len()), ("cifar", 7));
            }
            other => unreachable!("{other}"),
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_and_a_mangled_sum_are_refused() {
        let text = include_str!("catalogue.toml");
        for (from, to) in [
            ("name = \"mnist\"", "name = \"../mnist\""),
            ("name = \"train_32x32.mat\"", "name = \"/etc/passwd\""),
            ("[\"train.bin\"]", "[\"..\"]"),
            ("e26dedcc434d2e4c54c9b2d4a06d8373", "e26dedcc434d2e4c54c9b2d4a06d837\u{430}"),
            ("page = ", "pages = "),
        ] {
            assert!(text.contains(from));
            let error = Catalogue::parse(&text.replace(from, to)).unwrap_err();
            assert!(matches!(error, FetchError::Catalogue { .. }), "{error}");
        }
    }
}
