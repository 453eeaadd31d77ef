//! `training.stage_rates`: a step size for each part of a network, and none for those that are frozen.

use crate::config::TrainingConfig;
use crate::network::{Network, SeedNetwork};
use crate::{Error, Result};
use burn::optim::lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler};

/// The step size of each parameter where `rate` is that of a part with factor 1.
pub(super) fn rates(network: &Network, rate: f64, factors: &[f64]) -> ModuleLearningRate {
    let stages = network.stages().into_iter().zip(factors);
    let all = ModuleLrScheduler::new(rate);
    stages.fold(all, |all, (stage, factor)| all.with_group(stage, rate * factor)).step()
}

/// Refuses factors that do not suit the network: another number than it has parts, a frozen part above one
/// that trains, no part that trains.
pub(crate) fn check_stage_rates(training: &TrainingConfig, network: &SeedNetwork) -> Result<()> {
    let (factors, frozen) = (&training.stage_rates[..], training.frozen_parts());
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
        _ if frozen == parts => {
            refused("freezes everything".into(), "the last factor, of the head, is above 0".into())
        }
        _ if factors[frozen..].contains(&0.0) => refused(
            "freezes a part above one that trains".into(),
            "zeros come first: parts are frozen from the image on".into(),
        ),
        _ => Ok(()),
    }
}
