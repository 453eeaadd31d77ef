//! Whether a set is there, for lists: names are looked for, nothing is read.

use crate::catalogue::{Catalogue, Set};
use crate::places::Places;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// How much of a set was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// All that its reader needs.
    Here,
    /// A part of it: another download, or a copy, did not come to its end.
    Partly,
    /// Nothing.
    Missing,
}

/// What is there of a set, and how to get the rest.
#[derive(Clone, Debug, Serialize)]
pub struct State {
    /// Name of the set.
    pub set: String,
    /// How much was found.
    pub presence: Presence,
    /// The folder with most of it.
    pub folder: Option<PathBuf>,
    /// What is not in that folder, each by the first name that its reader takes.
    pub missing: Vec<String>,
    /// Every folder that was looked into.
    pub searched: Vec<PathBuf>,
    /// What to do where it is not all here.
    pub how_to_get: String,
}

/// The state of each set, in the catalogue's order.
pub fn states(catalogue: &Catalogue, places: &Places) -> Vec<State> {
    catalogue.sets.iter().map(|set| state(set, places)).collect()
}

fn state(set: &Set, places: &Places) -> State {
    let searched = places.candidates(set);
    let found = searched
        .iter()
        .map(|folder| (missing(set, folder), folder))
        .min_by_key(|(missing, _)| missing.len());
    let all = || set.holds.iter().filter_map(|names| names.first().cloned()).collect();
    let (presence, folder, missing) = match found {
        Some((missing, folder)) if missing.is_empty() => (Presence::Here, Some(folder), missing),
        Some((missing, folder)) if missing.len() < set.holds.len() => {
            (Presence::Partly, Some(folder), missing)
        }
        _ => (Presence::Missing, None, all()),
    };
    State {
        set: set.name.clone(),
        presence,
        folder: folder.cloned(),
        missing,
        how_to_get: set.how_to_get(),
        searched,
    }
}

/// What the reader of `set` needs and `folder` does not hold.
pub(crate) fn missing(set: &Set, folder: &Path) -> Vec<String> {
    let is_there = |name: &String| {
        // An empty file is what a full disk leaves behind.
        let found = std::fs::metadata(folder.join(name));
        found.is_ok_and(|metadata| metadata.is_dir() || metadata.len() > 0)
    };
    let lacks = set.holds.iter().filter(|names| !names.iter().any(is_there));
    lacks.filter_map(|names| names.first().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn here_partly_and_missing() {
        let base = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::built_in().unwrap();
        let cifar = base.path().join("cifar-100-binary");
        let mnist = base.path().join("mnist");
        fs::create_dir(&cifar).unwrap();
        fs::create_dir(&mnist).unwrap();
        for path in [
            cifar.join("train.bin"),
            cifar.join("test.bin"),
            mnist.join("t10k-images.idx3-ubyte.gz"),
        ] {
            fs::write(path, "x").unwrap();
        }
        fs::write(mnist.join("t10k-labels-idx1-ubyte"), "").unwrap();

        let states = states(&catalogue, &Places::only(base.path()));
        let of = |name: &str| states.iter().find(|state| state.set == name).unwrap();
        assert_eq!(of("cifar100").presence, Presence::Here);
        assert_eq!(of("cifar100").folder.as_ref(), Some(&cifar));
        let partly = of("mnist");
        assert_eq!(partly.presence, Presence::Partly);
        let missing =
            ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"];
        assert_eq!(partly.missing, missing);
        let missing = of("svhn");
        assert_eq!((missing.presence, &missing.folder), (Presence::Missing, &None));
        assert_eq!(missing.missing, ["train_32x32.mat", "test_32x32.mat"]);
        assert_eq!(missing.searched, [base.path().join("svhn")]);
        assert_eq!(missing.how_to_get, "`autogrow download svhn`");
        assert!(of("imagenet").how_to_get.contains("image-net.org"));
    }
}
