//! [`Amount`]: how many sub-modules a growth stacks on a sub-network.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How many sub-modules a growth stacks on a sub-network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Amount {
    /// `2`: so many, from 1.
    Count(usize),
    /// `x1.5`: so many that it is about 1.5 times as deep, one at least (above 1, at most 16).
    Factor(f64),
}

/// Most sub-modules that one growth stacks on a sub-network.
const MOST: usize = 1000;

impl Amount {
    /// The number for a sub-network of this depth.
    pub fn of(self, depth: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Factor(factor) => ((depth as f64 * (factor - 1.0)).round() as usize).max(1),
        }
    }
}

impl Default for Amount {
    fn default() -> Self {
        Self::Count(1)
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let factor = text.strip_prefix('x').and_then(|factor| factor.parse::<f64>().ok());
        match (text.parse::<usize>(), factor) {
            (Ok(count), _) if (1..=MOST).contains(&count) => Ok(Self::Count(count)),
            (_, Some(factor)) if factor > 1.0 && factor <= 16.0 => Ok(Self::Factor(factor)),
            _ => Err(format!(
                "`{text}` is not an amount: expected a number from 1 to {MOST}, or a factor such \
                 as x1.5, above 1 and at most 16"
            )),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Factor(factor) => write!(f, "x{factor}"),
        }
    }
}

impl TryFrom<String> for Amount {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_round_and_grow_by_one_at_least() {
        let of =
            |text: &str| [1, 2, 3, 4, 5, 10].map(|depth| text.parse::<Amount>().unwrap().of(depth));
        assert_eq!(of("x1.5"), [1, 1, 2, 2, 3, 5]);
        assert_eq!(of("x2"), [1, 2, 3, 4, 5, 10]);
        assert_eq!(of("3"), [3; 6]);
        for wrong in ["0", "1001", "x1", "x0.5", "xNaN", "xinf", "x17", "", "x", "-1", "1.5"] {
            assert!(wrong.parse::<Amount>().is_err(), "{wrong}");
        }
        assert_eq!("x1.25".parse::<Amount>().unwrap().to_string(), "x1.25");
    }
}
