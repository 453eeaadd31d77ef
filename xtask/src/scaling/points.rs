//! The file of measured points.

use super::model::Link;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::path::Path;

/// All that was measured.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Points {
    /// What the ranks ran on, in words.
    pub(super) about: String,
    /// Sums over ranks that the network's parameters are found from.
    pub(super) all_reduce: Vec<Exchange>,
    /// Others, to hold the parameters against.
    #[serde(default)]
    pub(super) check: Vec<Exchange>,
    #[serde(default)]
    pub(super) network: Vec<Network>,
    /// Networks between ranks that were not measured, to ask what they would change.
    #[serde(default)]
    pub(super) assumed: Vec<Assumed>,
}

/// A sum over ranks.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) ranks: f64,
    pub(super) bytes: f64,
    pub(super) seconds: f64,
}

/// A neural network and its steps on one rank.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Network {
    pub(super) name: String,
    pub(super) parameters: f64,
    /// Images of a step, on all ranks together.
    pub(super) batch: f64,
    pub(super) step: Vec<Step>,
    /// Steps on several ranks, to hold the model against.
    #[serde(default)]
    pub(super) parallel: Vec<Parallel>,
}

/// A step on one rank.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) images: f64,
    pub(super) seconds: f64,
}

/// A step of the whole batch on several ranks.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parallel {
    pub(super) ranks: f64,
    pub(super) seconds: f64,
}

/// A network between ranks, by its parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Assumed {
    pub(super) name: String,
    /// Seconds.
    latency: f64,
    /// Seconds.
    message: f64,
    /// Bytes a second.
    bandwidth: f64,
}

impl Assumed {
    pub(super) fn link(&self) -> Link {
        let Self { latency, message, bandwidth, .. } = *self;
        Link { latency, message, bandwidth }
    }
}

impl Points {
    /// Reads a file.
    ///
    /// # Errors
    /// Where it cannot be read, or a number in it cannot be.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
        Self::parse(&text).with_context(|| format!("{}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let points: Self = toml::from_str(text)?;
        let positive = |number: f64| number.is_finite() && number > 0.0;
        for sum in points.all_reduce.iter().chain(&points.check) {
            let numbers = [sum.ranks - 1.0, sum.bytes, sum.seconds];
            ensure!(numbers.into_iter().all(positive), "no sum over ranks: {sum:?}");
        }
        for network in &points.network {
            let whole = positive(network.parameters) && positive(network.batch);
            let steps = network.step.iter().all(|step| positive(step.images * step.seconds));
            let parallel = network.parallel.iter().all(|step| positive(step.ranks * step.seconds));
            ensure!(whole && steps && parallel, "a number of {} cannot be", network.name);
        }
        for assumed in &points.assumed {
            let Link { latency, message, bandwidth } = assumed.link();
            let can_be = latency >= 0.0 && message >= 0.0 && positive(bandwidth);
            ensure!(can_be, "a number of {} cannot be", assumed.name);
        }
        Ok(points)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        let sum = |ranks: &str, seconds: &str| {
            let point = format!("{{ ranks = {ranks}, bytes = 4, seconds = {seconds} }}");
            Points::parse(&format!("about = 'x'\nall_reduce = [{point}]"))
        };
        assert_eq!(sum("2", "0.1").unwrap().all_reduce.len(), 1);
        for (ranks, seconds) in [("1", "0.1"), ("2", "0"), ("2", "nan"), ("2", "-1"), ("2", "'x'")]
        {
            assert!(sum(ranks, seconds).is_err(), "{ranks} {seconds}");
        }
        assert!(Points::parse("about = 'x'").is_err());
    }
}
