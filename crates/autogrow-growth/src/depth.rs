//! [`Depth`]: how many sub-modules each sub-network has, written `3-2-2` as in the paper.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Sub-modules of each sub-network, from the image's side. Never empty, no entry is zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Depth(Vec<usize>);

impl Depth {
    /// `sub_networks` sub-networks of `sub_modules` sub-modules each; both at least 1.
    pub fn uniform(sub_networks: usize, sub_modules: usize) -> Self {
        Self(vec![sub_modules.max(1); sub_networks.max(1)])
    }

    /// M, the number of sub-networks.
    pub fn sub_networks(&self) -> usize {
        self.0.len()
    }

    /// Number of sub-modules in all sub-networks together.
    pub fn sub_modules(&self) -> usize {
        self.0.iter().sum()
    }

    /// Sub-modules of each sub-network.
    pub fn as_slice(&self) -> &[usize] {
        &self.0
    }

    /// Whether every sub-network is at least as deep as that of `other`.
    pub fn covers(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a >= b)
    }

    /// One level deeper: each sub-network about 1.5 times as deep, by one sub-module at least.
    pub fn deeper(&self) -> Self {
        Self(self.0.iter().map(|&depth| depth + depth.div_ceil(2)).collect())
    }

    /// One level shallower: each sub-network about two thirds as deep; none where no sub-network
    /// can lose a sub-module.
    pub fn shallower(&self) -> Option<Self> {
        let less = |&depth: &usize| (2 * depth).div_ceil(3).min(depth - 1).max(1);
        let shallower = Self(self.0.iter().map(less).collect());
        (shallower != *self).then_some(shallower)
    }

    /// The same, with the first `count` sub-networks as deep as those of `other`.
    pub fn with_first_of(mut self, other: &Self, count: usize) -> Self {
        self.0.iter_mut().zip(&other.0).take(count).for_each(|(own, other)| *own = *other);
        self
    }

    /// Adds one sub-module to a sub-network, counted from 0.
    pub fn stack(&mut self, sub_network: usize) {
        self.0[sub_network] += 1;
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.pad(&parts.join("-"))
    }
}

impl FromStr for Depth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = |part: &str| match part.trim().parse::<usize>() {
            Ok(count) if (1..=10_000).contains(&count) => Ok(count),
            _ => Err(format!(
                "`{text}` is not a depth: expected numbers from 1 to 10000 joined by `-`, as in 3-2-2"
            )),
        };
        text.split('-').map(parse).collect::<Result<_, _>>().map(Self)
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

/// Serde of an optional depth as a string, empty for none.
pub mod optional {
    use super::Depth;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the depth, or an empty string.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(
        depth: &Option<Depth>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&depth.as_ref().map(ToString::to_string).unwrap_or_default())
    }

    /// Reads a depth; none from an empty string.
    ///
    /// # Errors
    /// The deserializer's, and text that is not a depth.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Depth>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_half_as_deep_again() {
        let depth = |text: &str| text.parse::<Depth>().unwrap();
        assert_eq!(depth("1-2-3-4-10").deeper(), depth("2-3-5-6-15"));
        assert_eq!(depth("1-2-3-4-10").shallower(), Some(depth("1-1-2-3-7")));
        assert_eq!(depth("1-1").shallower(), None);
        assert_eq!(depth("6-5-4").with_first_of(&depth("1-2-3"), 2), depth("1-2-4"));
    }

    #[test]
    fn text_and_back() {
        for text in ["1", "3-2-2", "6-16-72-32"] {
            assert_eq!(text.parse::<Depth>().unwrap().to_string(), text);
        }
        for text in ["", "-", "1-", "0-1", "1-x", "1--1", "-1", "1-99999999999999999999"] {
            assert!(text.parse::<Depth>().is_err(), "{text}");
        }
    }
}
