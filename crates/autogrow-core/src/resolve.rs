//! [`Resolved`]: settings of which nothing is left to be decided.

use crate::config::{Config, TrainingConfig};
use crate::data::Task;
use crate::growth::{Depth, PolicyKind};
use crate::initializer::InitializerKind;
use crate::network::SeedNetwork;
use crate::registry::find;
use crate::training::{OptimizerKind, ScheduleKind, check_stage_rates, objective};
use crate::{Error, Result};
use std::ops::Deref;

/// As good as no limit to the depth of a sub-network.
const MOST: usize = 99;

/// A configuration whose names are all registered, whose values suit each other, and in which what
/// was left to the network (`network.width`, `training.learning_rate`) or to plugins is filled in.
/// The only way to one is [`Resolved::of`]; whatever trains asks for one.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved(Config);

impl Resolved {
    /// Fills in what depends on other keys and checks every value against every other. The name of
    /// the data set is not looked up: data may come from memory.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::Unknown`], naming the key.
    pub fn of(mut config: Config) -> Result<Self> {
        let seed_network = find::<SeedNetwork>(&config.network.name)?;
        let kind = seed_network.sub_module_kind()?;
        find::<PolicyKind>(&config.growth.policy)?;
        find::<InitializerKind>(&config.growth.initializer)?;
        let optimizer = find::<OptimizerKind>(&config.training.optimizer)?;
        find::<ScheduleKind>(&config.training.schedule)?;
        find::<ScheduleKind>(&config.fine_tune.schedule)?;
        config.plugin = config.plugin.complete()?;
        let task = objective(&config.training, &config.plugin)?.task();
        refuse_mixed_values(&config.training, task)?;
        if config.network.width == 0 {
            config.network.width = seed_network.width;
        }
        if config.training.learning_rate == 0.0 {
            // Gradients of squared errors are as large as the errors are, so they want shorter steps.
            let wants_long_steps = kind.residual && task != Task::Values;
            let of_network = if wants_long_steps { 0.1 } else { 0.01 };
            config.training.learning_rate = optimizer.learning_rate.unwrap_or(of_network);
        }
        config.check()?;
        let (wanted, got) = (seed_network.sub_networks, config.network.depth.sub_networks());
        if wanted != got {
            let (depth, name) = (&config.network.depth, seed_network.name);
            let problem = format!("= {depth} names {got} sub-networks, but {name} has {wanted}");
            return Err(Error::config("network.depth", problem)
                .with_hint(format!("--set network.depth={}", Depth::uniform(wanted, 1))));
        }
        check_stage_rates(&config.training, seed_network)?;
        refuse_frozen_growth(&config)?;
        Ok(Self(config))
    }

    /// The plain values, to be written down.
    pub fn config(&self) -> &Config {
        &self.0
    }
}

/// Refuses mixed targets where they mean nothing: a number between two numbers is no soft target.
fn refuse_mixed_values(training: &TrainingConfig, task: Task) -> Result<()> {
    let keys = [("training.mixup", training.mixup), ("training.cutmix", training.cutmix)];
    match keys.into_iter().find(|&(_, alpha)| alpha > 0.0) {
        Some((key, alpha)) if task == Task::Values => {
            let problem = format!("= {alpha} does not go with the objective of values");
            Err(Error::config(key, problem).with_hint(format!("--set {key}=0")))
        }
        _ => Ok(()),
    }
}

/// Refuses growth of a sub-network that is frozen: what it got would never learn.
fn refuse_frozen_growth(config: &Config) -> Result<()> {
    let (depth, growth) = (config.network.depth.as_slice(), &config.growth);
    let frozen = config.training.frozen_sub_networks();
    let may_grow = |&sub_network: &usize| {
        let most = growth.max_depth.as_ref().map(|most| most.as_slice()[sub_network]);
        most.is_none_or(|most| most > depth[sub_network])
    };
    let Some(grows) = (0..frozen).find(may_grow).filter(|_| growth.policy != "none") else {
        return Ok(());
    };
    let most = depth.iter().enumerate().map(|(sub_network, depth)| match sub_network < frozen {
        true => depth.to_string(),
        false => MOST.to_string(),
    });
    let most = most.collect::<Vec<_>>().join("-");
    let problem = format!("freezes sub-network {}, which may grow", grows + 1);
    Err(Error::config("training.stage_rates", problem)
        .with_hint(format!("keep its depth: --set growth.max_depth={most}")))
}

impl Deref for Resolved {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.0
    }
}
