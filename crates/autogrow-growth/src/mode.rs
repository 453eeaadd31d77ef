//! Which sub-networks grow at a check: one in turn (the paper), what the released code offers
//! beside it (`all`, `rate`, `sub`), or what is our own (`only`, `random`).

use crate::Depth;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How many and which sub-networks get a sub-module at one check.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// `rate:R`: R times all sub-modules at once, rounded, one at least, on the sub-networks in turn
    /// (above 0, at most 10).
    Rate(f64),
    /// `sub:2-1-1`: so many sub-modules on each sub-network in the list.
    Sub(Depth),
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            format!(
                "`{text}` is not a growing mode: expected turn, all, only:INDEX, random:RATE, \
                 rate:RATE or sub:DEPTH"
            )
        };
        match text.split_once(':') {
            None if text == "turn" => Ok(Self::Turn),
            None if text == "all" => Ok(Self::All),
            Some(("only", index)) => index.parse().map(Self::Only).map_err(|_| wrong()),
            Some(("random", rate)) => match rate.parse::<f64>() {
                Ok(rate) if rate > 0.0 && rate <= 1.0 => Ok(Self::Random(rate)),
                _ => Err(wrong()),
            },
            Some(("rate", rate)) => match rate.parse::<f64>() {
                Ok(rate) if rate > 0.0 && rate <= 10.0 => Ok(Self::Rate(rate)),
                _ => Err(wrong()),
            },
            Some(("sub", depth)) => depth.parse().map(Self::Sub).map_err(|_| wrong()),
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
            Self::Rate(rate) => write!(f, "rate:{rate}"),
            Self::Sub(depth) => write!(f, "sub:{depth}"),
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
