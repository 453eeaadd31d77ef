//! `training.stage_rates`: a step size for each part of a network, and none for those that are frozen.

use crate::network::{Network, SeedNetwork};
use crate::{Error, Result};
use burn::optim::lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler};

/// Parts that are frozen, from the image on: those with a factor of 0.
pub(crate) fn frozen(factors: &[f64]) -> usize {
    factors.iter().take_while(|&&factor| factor == 0.0).count()
}

/// The step size of each parameter where `rate` is that of a part with factor 1.
pub(super) fn rates(network: &Network, rate: f64, factors: &[f64]) -> ModuleLearningRate {
    let stages = network.stages().into_iter().zip(factors);
    let all = ModuleLrScheduler::new(rate);
    stages.fold(all, |all, (stage, factor)| all.with_group(stage, rate * factor)).step()
}

/// Refuses factors that do not suit the network: another number than it has parts, a frozen part above one
/// that trains, no part that trains.
pub(crate) fn check_stage_rates(factors: &[f64], network: &SeedNetwork) -> Result<()> {
    let parts = network.sub_networks + 2;
    let refused = |problem: String, hint: String| {
        Err(Error::config("training.stage_rates", problem).with_hint(hint))
    };
    let (ones, name) = (vec!["1"; network.sub_networks].join(", "), network.name);
    match factors {
        [] => Ok(()),
        _ if factors.len() != parts => refused(
            format!("has {} factors, but {name} has {parts} parts", factors.len()),
            format!(
                "the stem, the sub-networks, the head: --set training.stage_rates=[0, {ones}, 1]"
            ),
        ),
        _ if frozen(factors) == parts => {
            refused("freezes everything".into(), "the last factor, of the head, is above 0".into())
        }
        _ if factors[frozen(factors)..].contains(&0.0) => refused(
            "freezes a part above one that trains".into(),
            "zeros come first: parts are frozen from the image on".into(),
        ),
        _ => Ok(()),
    }
}
