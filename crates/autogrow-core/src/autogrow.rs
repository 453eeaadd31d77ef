//! Algorithm 1 of the paper (section 2) from end to end: train, stop, grow, and fine-tune what
//! was found. What is decided is decided in [`crate::growth`]; what is computed, in
//! [`crate::training`]; how a run is kept and taken up again, in `ongoing` beside this file.

use crate::config::OnDivergence;
use crate::growth::Kind;
use crate::job::Job;
use crate::network::Initializer;
use crate::ongoing::{Found, Run};
use crate::registry::find;
use crate::run::{Checkpoint, Event, Phase, Watch};
use crate::training::{Learner, Schedule, ScheduleKind, ScheduleRequest};
use crate::{Error, Resolved, Result};

/// How often a run goes back after divergence, each time with half the step size.
const MAX_ROLLBACKS: usize = 3;

/// Discovers the depth of a network on the job's data and trains what it found. With a checkpoint
/// the run continues from there, to the same end.
///
/// Where there are several ranks, all call this. The first one's `watch` and `checkpoint` count;
/// the others' watch is told the same and should print nothing.
///
/// # Errors
/// Whatever can go wrong with data, device, files or the loss; see [`Error`].
pub fn autogrow(
    job: Job<'_>,
    watch: &mut dyn Watch,
    checkpoint: Option<Checkpoint>,
) -> Result<Found> {
    let Job { config, ranks, .. } = job;
    ranks.check_alike(job)?;
    let mut checkpoint = ranks.checkpoint_of_first(checkpoint)?;
    loop {
        let rollbacks = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.state.rollbacks);
        let (learner, run) = match checkpoint {
            None => Run::start(job, watch)?,
            Some(checkpoint) => Run::resume(job, watch, checkpoint)?,
        };
        let error = match algorithm_1(job, learner, run) {
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
fn algorithm_1(job: Job<'_>, mut learner: Learner, mut run: Run<'_>) -> Result<Found> {
    let Job { config, ranks, .. } = job;
    let initializer = job.initializer()?;
    let rate = config.training.learning_rate;
    let interval = config.growth.interval;
    let plan = schedule(&config.training.schedule, &[0.5, 0.75], config)?;
    let mut growth = job.growth()?;
    run.replay(&mut growth);
    run.check(&growth, learner.network().depth())?;
    learner = adapt(learner, &mut run, &*initializer)?;

    // As long as a sub-network is in subNetList ...
    while !growth.finished() {
        // ... train; every K epochs the policies decide: delete grownSub, grow growingSub.
        if !run.is_undecided() {
            // The schedule begins again with every interval.
            let rate = rate * plan.factor(growth.epochs() % interval, interval);
            learner = run.epoch(learner, Phase::Growing, rate, &growth)?;
        }
        let decisions = match run.is_growing_time_over()? {
            false => growth.epoch(run.evidence()),
            true => growth.last_epoch(run.evidence()),
        };
        let decisions = ranks.decisions_of_first(decisions)?;
        for decision in &decisions {
            match decision.kind {
                Kind::Grow => {
                    learner.stack(decision.subnet, &*initializer, &mut run.next_growth())?;
                    learner = learner.follow_first()?;
                }
                Kind::Keep => run.keep(decision, &learner)?,
                Kind::RollBack => learner = run.go_back(decision, learner)?,
                Kind::Restart => learner = run.restart(decision, learner)?,
                Kind::Stop | Kind::Cap | Kind::OutOfTime => {}
            }
            run.tell_decision(decision, learner.network(), &growth)?;
        }
        run.save_decisions(&decisions, &learner, initializer.adapts().is_some())?;
        learner = adapt(learner, &mut run, &*initializer)?;
    }

    // The depth is found: fine-tune for N epochs, or as many as there is time for, from the last
    // weights, momentum kept.
    run.begin_fine_tuning(&learner)?;
    let epochs = config.fine_tune.epochs;
    let plan = schedule(&config.fine_tune.schedule, &config.fine_tune.milestones, config)?;
    while let Some(position) = run.next_fine_tuning()? {
        let rate = rate * plan.factor(position, epochs);
        learner = run.epoch(learner, Phase::FineTuning, rate, &growth)?;
    }
    run.finish(&learner)
}

fn schedule(name: &str, milestones: &[f64], config: &Resolved) -> Result<Box<dyn Schedule>> {
    (find::<ScheduleKind>(name)?.build)(&ScheduleRequest { milestones, plugins: &config.plugin })
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
        (learner, any) = learner.begin_adapting(adapt, &grown);
        if !any {
            run.end_adapting(&learner)?;
            return Ok(learner);
        }
    }
    while run.continues_adapting(adapt) {
        learner = run.adapting_epoch(learner, adapt.learning_rate)?;
    }
    learner = learner.end_adapting();
    run.end_adapting(&learner)?;
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
