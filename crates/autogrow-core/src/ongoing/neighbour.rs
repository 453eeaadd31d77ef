//! The network that growth has found, at another depth: shallower or deeper, with the same past.

use super::restored;
use crate::growth::Depth;
use crate::job::Job;
use crate::random::{Purpose, generator};
use crate::run::{AdaptingState, Checkpoint, Phase, State};
use crate::training::LearnerRecord;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// The checkpoint of the end of growth, as it would be had `depth` been found. What is too deep loses
/// its topmost sub-modules; what is too shallow gets more, as the job's initializer sets them. A job of
/// policy `none` and that depth resumes it and fine-tunes; each `branch`, from 0, in an order of images of
/// its own.
///
/// # Errors
/// [`Error::Run`] where the checkpoint's network cannot be made shallower, because what follows a
/// sub-network reads channels of each of its sub-modules (DenseNet).
pub fn at_depth(
    job: Job<'_>,
    grown: &Checkpoint,
    depth: &Depth,
    branch: usize,
) -> Result<Checkpoint> {
    let mut state = State { branch, ..grown.state.clone() };
    let mut blueprint = grown.blueprint.clone();
    let kept = at_most(&blueprint.depth, depth);
    let mut record = grown.learner.clone();
    if kept != blueprint.depth {
        truncate(&mut record, &kept);
        blueprint.depth = kept;
    }
    let mut learner = restored(job, &blueprint, record, None)
        .map_err(|error| Error::run("checkpoint", format!("cannot be made {depth}: {error}")))?;
    let initializer = job.initializer()?;
    let mut stacked = Vec::new();
    for (sub_network, &wanted) in depth.as_slice().iter().enumerate() {
        for _ in blueprint.depth.as_slice()[sub_network]..wanted {
            let number = state.draw(state.growths + stacked.len() + 1);
            let mut rng = generator(job.config.run.seed, Purpose::Growth, number);
            learner.stack(sub_network, &*initializer, &mut rng)?;
            stacked.push(sub_network);
        }
    }
    // Nothing is known yet of this network.
    let last = state.last.take();
    state.phase = Phase::Growing;
    state.best = None;
    state.adapting = (initializer.adapts().is_some() && !stacked.is_empty()).then(|| {
        let accuracy_before = last.map_or(0.0, |(train, _)| train.score);
        AdaptingState { grown: stacked, accuracy_before, epochs: 0 }
    });
    Ok(Checkpoint {
        state,
        blueprint: learner.network().blueprint().clone(),
        learner: learner.record()?,
        kept: BTreeMap::new(),
        best: None,
        validation: Vec::new(),
        origin: grown.origin.clone(),
    })
}

/// As deep as the first, but nowhere deeper than the second.
fn at_most(depth: &Depth, most: &Depth) -> Depth {
    let mut kept = Depth::uniform(depth.sub_networks(), 1);
    for (sub_network, (&own, &most)) in depth.as_slice().iter().zip(most.as_slice()).enumerate() {
        (1..own.min(most)).for_each(|_| kept.stack(sub_network));
    }
    kept
}

/// Leaves out what belongs to sub-modules above `depth`. The optimiser's state of them stays, by
/// identities that no parameter has.
fn truncate(record: &mut LearnerRecord, depth: &Depth) {
    let is_kept = |name: &str| {
        let place = name.strip_prefix("layer").and_then(|rest| {
            let (sub_network, rest) = rest.split_once('.')?;
            let (sub_module, _) = rest.split_once('.')?;
            Some((sub_network.parse::<usize>().ok()?, sub_module.parse::<usize>().ok()?))
        });
        place.is_none_or(|(sub_network, sub_module)| {
            let own = sub_network.checked_sub(1).and_then(|index| depth.as_slice().get(index));
            own.is_none_or(|&depth| sub_module < depth)
        })
    };
    record.weights.0.retain(|name, _| is_kept(name));
    record.identities.retain(|name, _| is_kept(name));
    if let Some(average) = &mut record.average {
        average.0.retain(|name, _| is_kept(name));
    }
}
