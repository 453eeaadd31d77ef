//! The growing and stopping rule with a run's own numbers (section 2.3 of the paper): what the
//! policy saw at each check, and what each growth brought. The numbers come from the code that
//! decided: the recorded scores are replayed through Algorithm 1.

use crate::Words;
use crate::run::{Epoch, MOST_SUB_NETWORKS, Run};
use autogrow_growth::{
    Curve, Decision, Evidence, Growth, GrowthConfig, Kind, Metric, Trial, Worth,
};
use autogrow_run::{Event, Phase};
use std::collections::BTreeMap;

/// Most sub-modules of a network that is replayed: far more than fit into any memory.
const MOST_SUB_MODULES: usize = 10_000;

/// What a built-in policy compares at a check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Epochs of growing at its beginning: t - J in max\[t - J\].
    pub from: usize,
    /// Guiding score then, percent.
    pub before: f64,
    /// What it has gained since, percentage points.
    pub gained: f64,
}

/// A check of the policies, every K epochs.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Epochs of the whole run so far.
    pub epoch: usize,
    /// Epochs of growing so far: t.
    pub t: usize,
    /// Guiding score, percent: max\[t\].
    pub now: f64,
    /// The window of a built-in policy, once there are epochs enough.
    pub window: Option<Window>,
    /// What was decided, in this order.
    pub decisions: Vec<Decision>,
    /// What the policy waits for from here on, in its own words.
    pub waiting: String,
    /// Trainable parameters after its growths, where the run tells them.
    pub parameters: Option<usize>,
    /// What the guiding score gained in the K epochs after its growths, percentage points; none
    /// while they are not over.
    pub brought: Option<f64>,
}

impl Check {
    /// Its last growth, the network of which is trained from here on.
    pub fn growth(&self) -> Option<&Decision> {
        self.decisions.iter().rfind(|decision| decision.kind == Kind::Grow)
    }

    /// Whether a sub-network stopped growing because it no longer paid.
    pub fn stops(&self) -> bool {
        self.decisions.iter().any(|decision| decision.kind == Kind::Stop)
    }
}

/// The policy of a run, the scores that guided it, and what they led to.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Section `[growth]`.
    pub config: GrowthConfig,
    /// What the scores are called.
    pub words: Words,
    /// The length of the window, epochs: J for `periodic`, K for `convergent`, none for any other
    /// policy.
    pub length: Option<usize>,
    /// Guiding score after each growing epoch, with that epoch's number in the whole run.
    pub guiding: Vec<(usize, f64)>,
    /// Every check so far.
    pub checks: Vec<Check>,
    /// Every growth of a policy that takes growths back, and what became of it.
    pub trials: Vec<Trial>,
    /// The epoch of the whole run after which time ended growth, where it did.
    pub out_of_time: Option<usize>,
    /// Whether the recorded scores lead to the recorded network by these settings. Where not, or
    /// where the policy is not linked, decisions are those of the journal, and there are no windows.
    pub is_replayed: bool,
}

impl Rule {
    /// That of `run`.
    pub fn of(run: &Run) -> Self {
        let growing = run.epochs.iter().filter(|epoch| epoch.record.phase == Phase::Growing);
        let epochs: Vec<&Epoch> = growing.collect();
        let replayed = replay(run, &epochs);
        let is_replayed = replayed.is_some();
        let (steps, trials) = replayed.unwrap_or_else(|| (recorded(run, &epochs), Vec::new()));
        Self {
            config: run.config.growth.clone(),
            words: run.words(),
            length: length(&run.config.growth),
            guiding: epochs.iter().zip(&steps).map(|(e, step)| (e.number, step.score)).collect(),
            checks: checks(run, &epochs, steps),
            trials,
            out_of_time: out_of_time(run),
            is_replayed,
        }
    }

    /// Whether the running maximum guides, or a moving average.
    pub fn is_maximum(&self) -> bool {
        self.config.metric == Metric::Max
    }
}

/// The epoch after which time ended growth.
fn out_of_time(run: &Run) -> Option<usize> {
    run.events.iter().find_map(|event| match event {
        Event::OutOfTime { epoch, .. } => Some(*epoch),
        _ => None,
    })
}

/// How far back a built-in policy looks.
fn length(config: &GrowthConfig) -> Option<usize> {
    match config.policy.as_str() {
        "periodic" => Some(config.patience),
        "convergent" => Some(config.interval),
        _ => None,
    }
}

/// A growing epoch.
struct Step {
    /// Guiding score after it.
    score: f64,
    /// What the last epochs, as many as the window is long, have gained.
    gained: Option<f64>,
    decisions: Vec<Decision>,
    waiting: String,
}

/// What Algorithm 1 makes of the recorded scores. None where it cannot be run by these settings, or
/// where it would have trained other networks than the run has.
fn replay(run: &Run, epochs: &[&Epoch]) -> Option<(Vec<Step>, Vec<Trial>)> {
    let rules = run.config.rules();
    rules.growth.check(rules.depth).ok()?;
    if rules.growth.limits_cost() {
        // What networks cost is not known here, so neither is which of them were allowed.
        return None;
    }
    let mut growth = Growth::new(&rules).ok()?;
    let out_of_time = out_of_time(run);
    let step = |epoch: &&Epoch| {
        let depth = growth.depth();
        let is_small =
            depth.sub_networks() <= MOST_SUB_NETWORKS && depth.sub_modules() <= MOST_SUB_MODULES;
        if !is_small || *depth != epoch.depth || growth.finished() {
            return None;
        }
        let evidence = run.evidence.get(&epoch.number).cloned();
        let by_score = || Evidence::of_score(epoch.record.val_accuracy);
        let evidence = evidence.unwrap_or_else(by_score);
        let decisions = match out_of_time == Some(epoch.number) {
            true => growth.last_epoch(evidence),
            false => growth.epoch(evidence),
        };
        let curve = growth.curve();
        let gained = length(rules.growth).and_then(|length| curve.improvement(length));
        Some(Step { score: curve.last(), gained, decisions, waiting: growth.waiting() })
    };
    let steps = epochs.iter().map(step).collect::<Option<_>>()?;
    let trials = match rules.growth.policy.as_str() {
        "worth" => Worth::new(rules.growth).trials(growth.record(), growth.finished()),
        _ => Vec::new(),
    };
    Some((steps, trials))
}

/// The same as far as the journal tells it.
fn recorded(run: &Run, epochs: &[&Epoch]) -> Vec<Step> {
    let mut decided: BTreeMap<usize, Vec<Decision>> = BTreeMap::new();
    let mut waiting = BTreeMap::new();
    for event in &run.events {
        let (epoch, kind, subnet, depth) = match event {
            Event::Grew { epoch, subnet, depth, .. } => (epoch, Kind::Grow, subnet, Some(depth)),
            Event::Kept { epoch, .. } => (epoch, Kind::Keep, &0, None),
            Event::RolledBack { epoch, depth, .. } => (epoch, Kind::RollBack, &0, Some(depth)),
            Event::Restarted { epoch, depth, .. } => (epoch, Kind::Restart, &0, Some(depth)),
            Event::Stopped { epoch, subnet, .. } => (epoch, Kind::Stop, subnet, None),
            Event::Capped { epoch, subnet, .. } => (epoch, Kind::Cap, subnet, None),
            Event::OutOfTime { epoch, subnet, .. } => (epoch, Kind::OutOfTime, subnet, None),
            Event::Epoch { epoch, waiting: words, .. } => {
                waiting.insert(*epoch, words.clone());
                continue;
            }
            _ => continue,
        };
        let (epoch, subnet, depth) = (*epoch, *subnet, depth.cloned());
        let decision = Decision { epoch, kind, subnet, depth, place: None };
        decided.entry(epoch).or_default().push(decision);
    }
    let mut curve = Curve::new(run.config.growth.metric, run.config.compat);
    let step = |(index, epoch): (usize, &&Epoch)| {
        curve.push(epoch.record.val_accuracy);
        // An epoch tells what the policy waited for while it was trained.
        let next = epochs.get(index + 1).and_then(|next| waiting.remove(&next.number));
        Step {
            score: curve.last(),
            gained: None,
            decisions: decided.remove(&epoch.number).unwrap_or_default(),
            waiting: next.unwrap_or_default(),
        }
    };
    epochs.iter().enumerate().map(step).collect()
}

/// The checks among the growing epochs.
fn checks(run: &Run, epochs: &[&Epoch], steps: Vec<Step>) -> Vec<Check> {
    let interval = run.config.growth.interval.max(1);
    let sizes = run.events.iter().filter_map(|event| match event {
        Event::Grew { depth, parameters, .. } => Some((depth, *parameters)),
        _ => None,
    });
    let sizes: BTreeMap<_, _> = sizes.collect();
    let scores: Vec<f64> = steps.iter().map(|step| step.score).collect();
    let window = |t: usize, gained: f64| {
        let from = t.checked_sub(length(&run.config.growth)?)?;
        Some(Window { from, before: *scores.get(from.checked_sub(1)?)?, gained })
    };
    let numbered = steps.into_iter().zip(epochs).zip(1..);
    let at_checks = numbered.filter(|(_, t): &(_, usize)| t.is_multiple_of(interval));
    let check = |((step, epoch), t): ((Step, &&Epoch), usize)| {
        let mut check = Check {
            epoch: epoch.number,
            t,
            now: step.score,
            window: step.gained.and_then(|gained| window(t, gained)),
            decisions: step.decisions,
            waiting: step.waiting,
            parameters: None,
            brought: None,
        };
        if let Some(depth) = check.growth().and_then(|growth| growth.depth.as_ref()) {
            check.parameters = sizes.get(depth).copied();
            check.brought = scores.get(t - 1 + interval).map(|after| after - check.now);
        }
        check
    };
    at_checks.map(check).collect()
}
