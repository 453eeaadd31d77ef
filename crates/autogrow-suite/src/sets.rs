//! Data sets that a suite knows without having them (`suites/sets.toml`): what they cost, and what
//! stands in for them at scale `smoke`.

use crate::pictures;
use autogrow_base::{Error, Result};
use autogrow_run::Config;
use serde::Deserialize;

const SETS: &str = include_str!("../suites/sets.toml");

/// A data set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Set {
    /// As `data.name` has it.
    pub(crate) name: String,
    /// As the paper calls it.
    pub(crate) title: String,
    /// Channels, height, width of what a network sees.
    pub(crate) image: [usize; 3],
    pub(crate) classes: usize,
    /// Published training images.
    pub(crate) train: usize,
    /// Published test images.
    pub(crate) test: usize,
    /// The set in its place where nothing may be downloaded.
    pub(crate) stand_in: String,
}

impl Set {
    /// Whether its images are as large as ImageNet's, and so need its networks.
    pub(crate) fn is_large(&self) -> bool {
        self.image[1] >= 224
    }
}

/// All of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sets {
    set: Vec<Set>,
}

impl Sets {
    /// Reads the file.
    pub(crate) fn read() -> Result<Self> {
        toml::from_str(SETS).map_err(|error| Error::config("sets.toml", error.to_string()))
    }

    /// The set of this name.
    ///
    /// # Errors
    /// [`Error::Unknown`] where there is none.
    pub(crate) fn named(&self, name: &str) -> Result<&Set> {
        let known = || self.set.iter().map(|set| set.name.as_str());
        self.set.iter().find(|set| set.name == name).ok_or_else(|| {
            Error::unknown("data set of suites", "data.name", name, known()).with_origin("--data")
        })
    }

    /// The set that a run is trained on; none where only its files can tell what is in it.
    pub(crate) fn of(&self, config: &Config) -> Option<&Set> {
        let dir = config.data.dir.as_os_str();
        let is_drawn = dir == pictures::DIR;
        let found = self.set.iter().find(|set| set.name == config.data.name)?;
        let is_known = is_drawn == (found.name == pictures::NAME);
        (is_known && (is_drawn || dir.is_empty())).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_has_a_stand_in() {
        let sets = Sets::read().unwrap();
        for set in &sets.set {
            let stand_in = sets.named(&set.stand_in).unwrap();
            assert_eq!((stand_in.is_large(), &stand_in.stand_in), (set.is_large(), &stand_in.name));
        }
        let error = sets.named("cifar11").unwrap_err();
        assert_eq!(error.hint().unwrap(), "did you mean `cifar10`?");
    }

    #[test]
    fn a_folder_of_ones_own_is_not_known() {
        let sets = Sets::read().unwrap();
        let mut config = Config::default();
        for (name, dir, known) in [
            ("cifar10", "", true),
            ("cifar10", "/data/mine", false),
            ("folder", pictures::DIR, true),
            ("folder", "/data/mine", false),
            ("csv", "", false),
        ] {
            (config.data.name, config.data.dir) = (name.into(), dir.into());
            assert_eq!(sets.of(&config).is_some(), known, "{name} {dir}");
        }
    }
}
