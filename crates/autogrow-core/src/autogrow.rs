//! Algorithm 1 of the paper (section 3.1) from end to end: train, stop, grow, and fine-tune what
//! was found. What is decided is decided in [`crate::growth`]; what is computed, in
//! [`crate::training`]; how a run is kept and taken up again, in `ongoing` beside this file.

use crate::config::{Config, OnDivergence};
use crate::data::DataSet;
use crate::growth::{Growth, Kind};
use crate::initializer::{Initializer, InitializerKind};
use crate::ongoing::Run;
use crate::ranks::Ranks;
use crate::run::{Checkpoint, Event, Outcome, Phase, Watch};
use crate::training::{Learner, Schedule};
use crate::{Error, Result};
use burn::tensor::Device;

/// How often a run goes back after divergence, each time with half the step size.
const MAX_ROLLBACKS: usize = 3;

/// Discovers the depth of a network on `data` and trains what it found. `config` is resolved (see
/// [`Config::resolve`]); `device` is the plain device, not its autodiff twin. With a checkpoint the
/// run goes on from there, to the same end.
///
/// Where there are several `ranks`, all call this. The first one's `watch` and `checkpoint` count;
/// the others' watch is told the same and had better keep it to itself.
///
/// # Errors
/// Whatever can go wrong with data, device, files or the loss; see [`Error`].
pub fn autogrow(
    config: &Config,
    data: &DataSet,
    device: &Device,
    ranks: &Ranks,
    watch: &mut dyn Watch,
    checkpoint: Option<Checkpoint>,
) -> Result<Outcome> {
    ranks.check_alike(config, data, device)?;
    let mut checkpoint = ranks.checkpoint_of_first(checkpoint)?;
    loop {
        let rollbacks = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.state.rollbacks);
        let (learner, run) = match checkpoint {
            None => Run::start(config, data, device, ranks, watch)?,
            Some(checkpoint) => Run::resume(config, data, device, ranks, watch, checkpoint)?,
        };
        let error = match algorithm_1(config, ranks, learner, run) {
            Err(error @ Error::Diverged { .. }) => error,
            ended => return ended,
        };
        // The logs tell what went wrong: they are cut back only where it is tried again.
        let tries_again =
            config.training.on_divergence == OnDivergence::Rollback && rollbacks < MAX_ROLLBACKS;
        let before = match tries_again {
            true => ranks.checkpoint_of_first(watch.go_back()?)?,
            false => None,
        };
        let Some(before) = before else {
            return Err(error.with_checkpoint(watch.last_checkpoint()));
        };
        tracing::warn!("{error}; going back with half the step size");
        checkpoint = Some(slower(before, watch)?);
    }
}

/// Algorithm 1, from where `run` is to its end.
fn algorithm_1(
    config: &Config,
    ranks: &Ranks,
    mut learner: Learner,
    mut run: Run<'_>,
) -> Result<Outcome> {
    let initializer = crate::registry::find::<InitializerKind>(&config.growth.initializer)?;
    let initializer = (initializer.build)(config.compat);
    let rate = config.training.learning_rate;
    let schedule = Schedule::growing(config.training.schedule, rate, config.growth.interval);
    let mut growth = Growth::new(&config.growth, config.network.depth.clone(), config.run.seed)?;
    run.replay(&mut growth);
    run.check(&growth, learner.network().depth())?;
    learner = adapt(learner, &mut run, &*initializer)?;

    // As long as a sub-network is in subNetList ...
    while !growth.finished() {
        // ... train; every K epochs the policies decide: delete grownSub, grow growingSub.
        if !run.is_undecided() {
            let rate = schedule.rate(growth.epochs());
            learner = run.epoch(learner, Phase::Growing, rate, &growth)?;
        }
        let decisions = ranks.decisions_of_first(growth.epoch(run.guiding_accuracy()))?;
        for decision in &decisions {
            if decision.kind == Kind::Grow {
                learner.stack(decision.subnet, &*initializer, &mut run.next_growth())?;
                learner = learner.follow_first()?;
            }
            run.decided(decision.kind, decision.subnet, learner.network())?;
        }
        run.all_decided(&decisions, &learner, initializer.adapts().is_some())?;
        learner = adapt(learner, &mut run, &*initializer)?;
    }

    // The depth is found: fine-tune for N epochs, from the last weights, momentum kept.
    run.found(&learner)?;
    let schedule = Schedule {
        initial: rate,
        period: config.fine_tune.epochs,
        milestones: config.fine_tune.milestones.clone(),
    };
    for epoch in run.fine_tuned()..config.fine_tune.epochs {
        learner = run.epoch(learner, Phase::FineTuning, schedule.rate(epoch), &growth)?;
    }
    run.finish(&learner)
}

/// AdamInit, where a growth has begun it: trains the newest gates alone until the training
/// accuracy is as good as before the growth. Its epochs count in the cost, but not in K.
fn adapt(
    mut learner: Learner,
    run: &mut Run<'_>,
    initializer: &dyn Initializer,
) -> Result<Learner> {
    let (Some(adapt), Some(grown)) = (initializer.adapts(), run.adapting()) else {
        return Ok(learner);
    };
    if !learner.is_adapting() {
        let any;
        (learner, any) = learner.begin_adapting(&grown);
        if !any {
            run.adapted(&learner)?;
            return Ok(learner);
        }
    }
    while run.goes_on_adapting(adapt) {
        learner = run.adapting_epoch(learner, adapt.learning_rate)?;
    }
    learner = learner.end_adapting();
    run.adapted(&learner)?;
    Ok(learner)
}

/// The checkpoint with half its step size.
fn slower(mut before: Checkpoint, watch: &mut dyn Watch) -> Result<Checkpoint> {
    let state = &mut before.state;
    state.rollbacks += 1;
    state.rate_scale *= 0.5;
    watch.event(&Event::WentBack {
        epoch: state.epochs,
        depth: before.blueprint.depth.clone(),
        seconds: state.seconds,
        rate_scale: state.rate_scale,
    })?;
    // So that a second divergence, or another process, remembers the first.
    watch.checkpoint(&before)?;
    Ok(before)
}
