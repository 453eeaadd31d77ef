//! A cell: one run, which *is* its settings. Equal ones are one cell, and its name says what is in
//! it.

use crate::keys::{flat, set};
use crate::scale::Told;
use autogrow_growth::Depth;
use autogrow_run::names;
use std::fmt::Write;

/// A key that changes no result, and so is no part of a cell's name.
const SNAPSHOTS: &str = "run.snapshots";

/// Index of a cell in a plan.
pub(crate) type CellId = usize;

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// The run folder's name, or where its depth is to be found, what it will be the baseline of.
    pub(crate) key: String,
    /// With the row's own depth as long as the right one is to be found.
    pub(crate) told: Told,
    /// The cell that finds the depth.
    pub(crate) found_by: Option<CellId>,
    /// The cells that have to end before.
    pub(crate) after: Vec<CellId>,
    /// The depth that the paper found with the same settings.
    pub(crate) expected: Option<Depth>,
}

impl Cell {
    /// What the run is told, given the depth that the other cell has found.
    pub(crate) fn resolved(&self, found: Option<&Depth>) -> Told {
        let mut told = self.told.clone();
        if let Some(found) = found {
            set(&mut told.settings, "network.depth", found.to_string());
            told.config.network.depth = found.clone();
        }
        told
    }
}

/// The name of a run folder: what the run is in short, and a sum over its settings.
pub(crate) fn name(told: &Told) -> String {
    let config = &told.config;
    let (growth, training, data) = (&config.growth, &config.training, &config.data);
    let mut name = format!("{}-{}-{}", data.name, config.network.name, config.network.depth);
    // Writing to a string does not fail.
    let _ = match growth.policy.as_str() {
        "none" if training.init_from.as_os_str().is_empty() => write!(name, "-scratch"),
        "none" => write!(name, "-deepened"),
        _ if growth.max_depth.is_some() && !training.init_from.as_os_str().is_empty() => {
            write!(name, "-deepen-{}", growth.initializer)
        }
        policy => write!(name, "-{policy}-k{}-{}", growth.interval, growth.initializer),
    };
    if growth.policy != "none" && training.schedule != "constant" {
        let _ = write!(name, "-{}", training.schedule);
    }
    if data.fraction < 1.0 {
        let _ = write!(name, "-f{}", data.fraction);
    }
    let _ = write!(name, "-s{}-{:08x}", config.run.seed, sum(&lines(told)));
    name
}

/// What a baseline is called as long as its depth is to be found by the cell `search`.
pub(crate) fn baseline_of(search: &str, told: &Told) -> String {
    format!("baseline {:08x} of {search}", sum(&lines(told)))
}

/// A cell's best model, from the folder in which all run folders lie.
pub(crate) fn model_of(cell: &str) -> String {
    format!("{cell}/{}", names::MODEL)
}

/// Every setting that decides the result, a line each, sorted.
fn lines(told: &Told) -> String {
    let keys = flat(&told.settings).into_iter().filter(|(key, _)| key != SNAPSHOTS);
    keys.map(|(key, value)| format!("{key} = {value}\n")).collect()
}

/// FNV-1a, which will be the same for ever, folded to 32 bits.
fn sum(text: &str) -> u32 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash ^ (hash >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use autogrow_run::Config;
    use serde::Deserialize;
    use toml::Table;

    fn told(text: &str) -> Told {
        let settings: Table = toml::from_str(text).unwrap();
        Told { config: Config::deserialize(settings.clone()).unwrap(), settings }
    }

    #[test]
    fn sums_are_those_that_were_published() {
        // The empty string's is the offset basis, that of "a" 0xaf63dc4c8601ec8c.
        assert_eq!(sum(""), 0xcbf2_9ce4 ^ 0x8422_2325);
        assert_eq!(sum("a"), 0xaf63_dc4c ^ 0x8601_ec8c);
    }

    #[test]
    fn names_tell_settings_apart_and_nothing_else() {
        let base = "data.name = 'svhn'\nnetwork.depth = '1-1-1'\n";
        let name = |more: &str| name(&told(&format!("{base}{more}")));
        let grown = name("growth.interval = 5");
        assert!(grown.starts_with("svhn-basic3resnet-1-1-1-periodic-k5-gaussian-s0-"), "{grown}");
        assert_eq!(name("growth.interval = 5\nrun.snapshots = 3"), grown);
        assert_ne!(name("growth.interval = 5\ntraining.momentum = 0.5"), grown);
        let part = name("growth.policy = 'none'\ndata.fraction = 0.5\nrun.seed = 2");
        assert!(part.starts_with("svhn-basic3resnet-1-1-1-scratch-f0.5-s2-"), "{part}");
        let deepened = name("growth.policy = 'none'\ntraining.init_from = 'a'");
        assert!(deepened.starts_with("svhn-basic3resnet-1-1-1-deepened-s0-"), "{deepened}");
    }
}
