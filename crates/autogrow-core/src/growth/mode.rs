//! Which sub-networks grow at a check: one in turn (the paper), or what the released code offers
//! beside it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How many and which sub-networks get a sub-module at one check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mode {
    /// `turn`: `growingSub` alone, then its successor, as in the paper.
    #[default]
    Turn,
    /// `all`: every sub-network still in the list.
    All,
    /// `only:I`: sub-network I (from 0) and no other.
    Only(usize),
    /// `random:P`: each sub-network in the list with probability P (above 0, at most 1).
    Random(f64),
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            format!("`{text}` is not a growing mode: expected turn, all, only:INDEX or random:RATE")
        };
        match text.split_once(':') {
            None if text == "turn" => Ok(Self::Turn),
            None if text == "all" => Ok(Self::All),
            Some(("only", index)) => index.parse().map(Self::Only).map_err(|_| wrong()),
            Some(("random", rate)) => match rate.parse::<f64>() {
                Ok(rate) if rate > 0.0 && rate <= 1.0 => Ok(Self::Random(rate)),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Turn => f.write_str("turn"),
            Self::All => f.write_str("all"),
            Self::Only(index) => write!(f, "only:{index}"),
            Self::Random(rate) => write!(f, "random:{rate}"),
        }
    }
}

impl TryFrom<String> for Mode {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Mode> for String {
    fn from(mode: Mode) -> Self {
        mode.to_string()
    }
}
