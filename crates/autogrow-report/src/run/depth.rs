//! [`Depth`]: sub-modules of each sub-network, written `3-2-2`. As files give it: checked, and
//! small enough to be drawn.

use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// Most sub-networks that are read; the paper's nets have four.
const MAX_SUB_NETWORKS: usize = 64;

/// Sub-modules of each sub-network, from the image's side. Never empty, no entry is zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Depth(Vec<usize>);

impl Depth {
    /// Sub-modules of each sub-network.
    pub fn as_slice(&self) -> &[usize] {
        &self.0
    }

    /// All sub-modules together.
    pub fn sub_modules(&self) -> usize {
        self.0.iter().sum()
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, count) in self.0.iter().enumerate() {
            write!(f, "{}{count}", if index == 0 { "" } else { "-" })?;
        }
        Ok(())
    }
}

impl FromStr for Depth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no depth");
        if text.len() > 6 * MAX_SUB_NETWORKS {
            return Err("a depth is too long".into());
        }
        let parse = |part: &str| match part.parse::<usize>() {
            Ok(count) if (1..=10_000).contains(&count) => Ok(count),
            _ => Err(wrong()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for text in ["1", "3-2-2", "6-16-72-32"] {
            assert_eq!(text.parse::<Depth>().unwrap().to_string(), text);
        }
        for text in ["", "-", "0-1", "1-x", "1--1", "1-99999", &"1-".repeat(900)] {
            assert!(text.parse::<Depth>().is_err(), "{text}");
        }
    }
}
