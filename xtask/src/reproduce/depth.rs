//! A depth as the paper writes it: `2-3-2` has 2, 3 and 2 sub-modules in its sub-networks.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Sub-modules of each sub-network.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Depth(pub(super) Vec<u32>);

impl Depth {
    /// One sub-module in each of so many sub-networks: the seed of the paper.
    pub(super) fn seed(sub_networks: usize) -> Self {
        Self(vec![1; sub_networks])
    }

    /// All sub-modules.
    pub(super) fn sub_modules(&self) -> u32 {
        self.0.iter().sum()
    }

    /// The most sub-modules that one sub-network has more than in `other`.
    pub(super) fn steps_from(&self, other: &Self) -> u32 {
        let steps = self.0.iter().zip(&other.0).map(|(own, other)| own.saturating_sub(*other));
        steps.max().unwrap_or(0)
    }
}

impl FromStr for Depth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split('-').map(str::parse).collect::<Result<Vec<u32>, _>>();
        match numbers {
            Ok(numbers) if !numbers.contains(&0) => Ok(Self(numbers)),
            _ => Err(format!("`{text}` is not a depth such as 2-3-2")),
        }
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<_> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&numbers.join("-"))
    }
}

impl TryFrom<String> for Depth {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Depth> for String {
    fn from(depth: Depth) -> Self {
        depth.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_paper_writes_it() {
        let depth: Depth = "17-51-16-16".parse().unwrap();
        assert_eq!((depth.to_string(), depth.sub_modules()), ("17-51-16-16".into(), 100));
        for wrong in ["", "1-", "1-0-1", "a", "1 1"] {
            assert!(wrong.parse::<Depth>().is_err(), "{wrong}");
        }
        let deep: Depth = "5-5-5".parse().unwrap();
        assert_eq!(deep.steps_from(&"3-3-3".parse().unwrap()), 2);
    }
}
