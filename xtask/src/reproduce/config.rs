//! The `config.toml` of a cell: what `autogrow train` is told, every hyper-parameter written out.
//!
//! A cell *is* its configuration: equal ones are one cell, and the cell's name says what is in it.

use super::depth::Depth;
use anyhow::Result;
use serde::Serialize;
use std::fmt::Write;

/// What `autogrow train` is told; the keys are its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Config {
    pub(super) compat: String,
    pub(super) network: Network,
    pub(super) growth: Growth,
    pub(super) training: Training,
    pub(super) fine_tune: FineTune,
    pub(super) data: Data,
    pub(super) run: Run,
}

/// Section `[network]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Network {
    pub(super) name: String,
    pub(super) depth: Depth,
    pub(super) width: u32,
}

/// Section `[growth]`; nothing but the policy where nothing grows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Growth {
    pub(super) policy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) interval: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) patience: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) threshold: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) initializer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_depth: Option<Depth>,
}

/// Section `[training]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Training {
    pub(super) batch_size: u32,
    pub(super) optimizer: &'static str,
    pub(super) learning_rate: f64,
    pub(super) momentum: f64,
    pub(super) weight_decay: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) schedule: Option<String>,
    /// A model of another cell, from the folder in which all cells lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) init_from: Option<String>,
}

/// Section `[fine_tune]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct FineTune {
    pub(super) epochs: u32,
    pub(super) milestones: Vec<f64>,
}

/// Section `[data]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Data {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dir: Option<&'static str>,
    pub(super) fraction: f64,
    pub(super) select_on: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) difficulty: Option<f64>,
}

/// Section `[run]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Run {
    pub(super) seed: u64,
    pub(super) device: String,
    #[serde(skip_serializing_if = "is_none")]
    pub(super) snapshots: u32,
}

fn is_none(snapshots: &u32) -> bool {
    *snapshots == 0
}

impl Growth {
    /// No growth: the given depth is trained.
    pub(super) fn none() -> Self {
        Self {
            policy: "none".into(),
            interval: None,
            patience: None,
            threshold: None,
            initializer: None,
            mode: None,
            max_depth: None,
        }
    }
}

impl Config {
    /// As TOML.
    ///
    /// # Errors
    /// None that is known of: the keys are plain values.
    pub(super) fn toml(&self) -> Result<String> {
        Ok(toml::to_string(self)?)
    }

    /// The cell's name: what it is in short, and a sum over all of it, so that equal
    /// configurations have equal names and others do not. Which weights are kept is not part of it:
    /// that changes no result.
    ///
    /// # Errors
    /// As [`Config::toml`].
    pub(super) fn cell_name(&self) -> Result<String> {
        let Self { network, growth, training, data, .. } = self;
        let mut name = format!("{}-{}-{}", data.name, network.name, network.depth);
        match (&growth.interval, &growth.initializer, &growth.max_depth) {
            (Some(_), Some(initializer), Some(_)) => write!(name, "-deepen-{initializer}")?,
            (Some(interval), Some(initializer), None) => {
                write!(name, "-{}-k{interval}-{initializer}", growth.policy)?;
            }
            _ if training.init_from.is_some() => name.push_str("-deepened"),
            _ => name.push_str("-scratch"),
        }
        if training.schedule.as_ref().is_some_and(|schedule| schedule != "constant") {
            name.push_str("-staircase");
        }
        if data.fraction < 1.0 {
            write!(name, "-f{}", data.fraction)?;
        }
        let mut named = self.clone();
        named.run.snapshots = 0;
        write!(name, "-s{}-{:08x}", self.run.seed, sum(&named.toml()?))?;
        Ok(name)
    }
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

    #[test]
    fn sums_as_published() {
        // The empty string's is the offset basis, that of "a" 0xaf63dc4c8601ec8c.
        assert_eq!(sum(""), 0xcbf2_9ce4 ^ 0x8422_2325);
        assert_eq!(sum("a"), 0xaf63_dc4c ^ 0x8601_ec8c);
    }
}
