//! What would a growing network be worth now? A branch of its run that grows no further and anneals.

use super::{at_depth, built};
use crate::config::Config;
use crate::job::Job;
use crate::run::{Checkpoint, Origin, Past, PastState, State};
use crate::training::Learner;
use crate::{Error, Resolved, Result};

/// Settings and checkpoint of a run that takes a network of the job's past, grows it no further and
/// fine-tunes it for `epochs` epochs, on the images that the run itself saw next.
///
/// # Errors
/// [`Error::Config`] where the settings do not suit the network; [`Error::Run`] where the job's data are
/// others than those of the past.
pub fn cooldown(job: Job<'_>, past: Past, epochs: usize) -> Result<(Resolved, Checkpoint)> {
    let Past { run, epoch, kept, origin } = past;
    if !origin.is_of(job.data)? {
        return Err(Error::run(run, "was trained on other images than the data set holds now")
            .with_hint("bring the data back as it was"));
    }
    let blueprint = match &kept {
        PastState::Checkpoint(checkpoint) => checkpoint.blueprint.clone(),
        PastState::Weights { info, .. } => info.architecture.clone(),
    };
    let mut config: Config = job.config.config().clone();
    config.growth.policy = "none".into();
    config.network.depth = blueprint.depth.clone();
    config.growth.max_depth = None;
    (config.growth.max_macs, config.growth.max_parameters) = (0, 0);
    config.run.max_minutes = 0.0;
    config.fine_tune.epochs = epochs;
    let config = Resolved::of(config)?;
    let job = Job { config: &config, ..job };
    let from = match kept {
        PastState::Checkpoint(mut checkpoint) => {
            // New gates that were trained alone train with everything else.
            if let Some(aside) = checkpoint.learner.aside.take() {
                checkpoint.learner.optimizer = aside;
            }
            *checkpoint
        }
        PastState::Weights { weights, rate_scale, .. } => {
            let device = job.device.clone().autodiff();
            let network = weights.load_into(built(&blueprint, &device)?, &run)?;
            let learner = Learner::new(network, &job.training(), &config.plugin, device)?;
            Checkpoint {
                state: State { epochs: epoch, rate_scale, ..State::start() },
                learner: learner.record()?,
                blueprint: blueprint.clone(),
                kept: Default::default(),
                best: None,
                validation: Vec::new(),
                origin,
            }
        }
    };
    let mut checkpoint = at_depth(job, &from, &blueprint.depth, 0)?;
    checkpoint.origin = Origin::of(&config, job.data)?;
    Ok((config, checkpoint))
}
