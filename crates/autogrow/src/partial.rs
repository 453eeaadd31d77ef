//! What there is of a run that was cancelled.

use crate::found::{Found, progress};
use autogrow_core::network::StateDict;
use autogrow_core::run::{Checkpoint, Event, ModelFile, Outcome, Phase};
use autogrow_core::training::evaluate;
use autogrow_core::{Job, Result};
use std::path::Path;

/// What is found of a run at its last checkpoint.
pub(crate) fn found(job: Job<'_>, last: &Checkpoint, events: Vec<Event>) -> Result<Found> {
    let Job { config, data, device, ranks } = job;
    let info = job.model_info();
    let weights = last.best.as_ref().unwrap_or(&last.learner.weights).clone();
    let of_network = info.of(last.blueprint.clone());
    let file = ModelFile::of_weights(weights, Some(of_network), Path::new("checkpoint"));
    let (network, _) = file.build(device)?;
    let objective = job.objective()?;
    let score = |split| {
        let judged = evaluate(&network, &*objective, split, device, ranks, &mut || Ok(()))?;
        Ok(judged.scores.score)
    };
    let (validation_accuracy, test_accuracy) = (score(&*data.validation)?, score(&*data.test)?);
    let state = &last.state;
    let is_growing = state.phase != Phase::FineTuning;
    let (growing_epochs, growing_seconds) = match is_growing {
        true => (state.epochs, state.seconds),
        false => (state.growing_epochs, state.growing_seconds),
    };
    let floor = events.iter().find_map(|event| match event {
        Event::Started { floor, .. } => floor.clone(),
        _ => None,
    });
    let outcome = Outcome {
        at_floor: floor.as_ref() == Some(network.depth()),
        found: network.depth().clone(),
        network: config.network.name.clone(),
        data: config.data.name.clone(),
        objective: config.training.objective.clone(),
        val_accuracy: validation_accuracy,
        test_accuracy,
        growing_epochs,
        fine_tuning_epochs: state.epochs - growing_epochs,
        growing_seconds,
        fine_tuning_seconds: state.seconds - growing_seconds,
        parameters: StateDict::of(&network)?.parameters(),
        macs: network.macs()?,
        floor,
        timed: Vec::new(),
        peak: None,
    };
    Ok(Found {
        depth: network.depth().clone(),
        network,
        validation_accuracy,
        test_accuracy,
        history: events.iter().filter_map(progress).collect(),
        events,
        outcome,
        is_complete: false,
        grown: None,
        config: config.clone(),
        info,
        device: device.clone(),
    })
}
