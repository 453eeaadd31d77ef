//! `worth`: a network is as deep as a doubling of its cost brings its price.
//!
//! The seed is trained until it has settled; as it was after the first K epochs it is the root of all
//! trials. A trial grows the root to a depth beyond the champion's and trains it until it has had as
//! many epochs in all as the seed. If it is then ahead of the champion by more than the price of its
//! cost, it is the champion. Nothing is compared that was trained for longer or shorter, and all growth
//! happens early: grown late, a network is held back by what it was before.
//!
//! As long as every growth has paid, all sub-networks grow at once: a whole level can be told from noise
//! by images that are too few for a single sub-module. After the first growth that does not pay, one
//! sub-network grows at a time, and one whose growth does not pay leaves the list. When none is left,
//! training goes on with the champion.
//!
//! A seed that answers no better than a constant has learnt nothing, and there is nothing to compare with
//! or to grow from: where noise is all it has, a deeper network learns better from scratch. So it is
//! trained for longer, and if that does not help, growth begins anew with a deeper seed.

use crate::learning::{has_learnt, has_settled};
use crate::policy::{ORIGIN, PolicyKind};
use crate::trials::{Trials, length};
use crate::{
    Amount, Depth, GrowthConfig, LevelOrigin, Place, Policy, Record, Trial, Verdict, View,
};

/// How many times K epochs a seed is trained for that learns nothing.
const PATIENCE: usize = 10;

/// How many deeper seeds are tried where none learns anything.
const ATTEMPTS: usize = 3;

/// See the module.
#[derive(Clone, Debug)]
pub struct Worth {
    /// Percentage points that a doubling of the cost has to bring.
    pub price: f64,
    /// K: epochs of the root, and between checks.
    pub interval: usize,
    /// How many sub-modules a growth stacks on a sub-network.
    pub amount: Amount,
}

impl Worth {
    /// Of section `[growth]`.
    pub fn new(config: &GrowthConfig) -> Self {
        Self { price: config.price, interval: config.interval, amount: config.amount }
    }

    /// Every growth so far, and what became of it; `finished` once growth is over.
    pub fn trials(&self, record: &Record, finished: bool) -> Vec<Trial> {
        self.told(record, finished).trials
    }

    fn told(&self, record: &Record, finished: bool) -> Trials {
        Trials::of(record, self.interval, self.price, finished)
    }

    /// Whether the seed has settled, or the trial at hand has had its epochs.
    fn is_over(&self, record: &Record) -> bool {
        let (level, k) = (record.level(), self.interval);
        if is_seed(record) {
            let is_given_up = level.len() >= PATIENCE.saturating_mul(k);
            return (has_learnt(level, k) || is_given_up) && has_settled(level, k, self.price);
        }
        level.len() >= length(record, k)
    }

    /// What follows a trial that is over, or the seed once it has settled: keep what is better, let go
    /// of what does not pay, and begin the next trial or go on with the champion.
    fn next(&self, view: View<'_>) -> Vec<Verdict> {
        let Trials { trials, champion } = self.told(view.record, false);
        let levels = view.record.levels();
        if is_seed(view.record) && !has_learnt(view.record.level(), self.interval) {
            return self.begin_anew(view);
        }
        let (depth, is_champion) = (&levels[champion].depth, champion == levels.len() - 1);
        let mut verdicts = Vec::new();
        if is_champion {
            verdicts.push(Verdict::Keep(Place::Champion));
        }
        let mut members = view.members.to_vec();
        let alone = trials.last().and_then(grown_alone);
        let has_failed = trials.iter().any(|trial| trial.kept == Some(false));
        if let Some(member) = alone.filter(|_| !is_champion) {
            verdicts.push(Verdict::StopOne(member));
            members.retain(|&other| other != member);
        }
        let has_room = |&member: &usize| view.limits.has_room(depth, member);
        let (roomy, full): (Vec<_>, Vec<_>) = members.into_iter().partition(has_room);
        verdicts.extend(full.into_iter().map(Verdict::Cap));
        let grows = match (has_failed, alone.filter(|_| has_failed)) {
            (false, _) => roomy,
            // In turn: the one behind that of the trial before.
            (true, last) => {
                let behind = roomy.iter().find(|&&member| Some(member) > last).or(roomy.first());
                behind.copied().into_iter().collect()
            }
        };
        if grows.is_empty() {
            verdicts.extend((!is_champion).then_some(Verdict::GoBack(Place::Champion)));
            return verdicts;
        }
        verdicts.push(Verdict::GoBack(Place::Root));
        let (root, wanted) = (&levels[view.record.seed()].depth, self.grown(depth, &grows, view));
        let depths = root.as_slice().iter().zip(wanted.as_slice()).enumerate();
        verdicts.extend(depths.filter(|(_, (from, to))| to > from).map(|(member, (from, to))| {
            Verdict::Grow { subnet: Some(member), amount: Some(to - from) }
        }));
        verdicts
    }

    /// What follows a seed that has learnt nothing: a deeper one, or after some of them the first.
    fn begin_anew(&self, view: View<'_>) -> Vec<Verdict> {
        let levels = view.record.levels();
        let seeds = levels.iter().filter(|level| level.origin == LevelOrigin::Seed).count();
        let is_first = seeds == 1;
        let deeper = self.grown(view.depth, view.members, view);
        if seeds <= ATTEMPTS && deeper != *view.depth {
            let keep = is_first.then_some(Verdict::Keep(Place::Champion));
            return keep.into_iter().chain([Verdict::Restart(deeper)]).collect();
        }
        let back = (!is_first).then_some(Verdict::GoBack(Place::Champion));
        view.members.iter().map(|&member| Verdict::StopOne(member)).chain(back).collect()
    }

    /// A network of this depth, with these sub-networks grown as far as is allowed.
    fn grown(&self, depth: &Depth, members: &[usize], view: View<'_>) -> Depth {
        let mut grown = depth.clone();
        for &member in members {
            for _ in 0..self.amount.of(depth.as_slice()[member]) {
                if view.limits.has_room(&grown, member) {
                    grown.stack(member);
                }
            }
        }
        grown
    }
}

/// Whether the network in training is a seed.
fn is_seed(record: &Record) -> bool {
    record.seed() == record.levels().len() - 1
}

/// The sub-network that alone was grown in a trial.
fn grown_alone(trial: &Trial) -> Option<usize> {
    let (before, grown) = (trial.before.as_slice(), trial.grown.as_slice());
    let mut members = (0..before.len()).filter(|&member| grown[member] > before[member]);
    members.next().filter(|_| members.next().is_none())
}

impl Policy for Worth {
    fn decide(&self, view: View<'_>) -> Vec<Verdict> {
        let is_root = is_seed(view.record) && view.record.level().len() == self.interval;
        let keep_root = is_root.then_some(Verdict::Keep(Place::Root));
        let next = if self.is_over(view.record) { self.next(view) } else { Vec::new() };
        keep_root.into_iter().chain(next).collect()
    }

    fn waiting(&self, view: View<'_>) -> String {
        match self.trials(view.record, false).last() {
            _ if view.record.level().is_empty() => String::new(),
            Some(trial) => format!("brought {}", trial.comparison),
            None if !has_learnt(view.record.level(), self.interval) => {
                "the seed has learnt nothing yet".into()
            }
            None if self.is_over(view.record) => "the seed has settled".into(),
            None => "grows once the seed has settled".into(),
        }
    }

    fn goes_back(&self) -> bool {
        true
    }

    /// By what the trial has shown so far.
    fn goes_back_at_end(&self, view: View<'_>) -> bool {
        let has_learnt_nothing =
            is_seed(view.record) && !has_learnt(view.record.level(), self.interval);
        let trials = self.trials(view.record, false);
        has_learnt_nothing || trials.last().is_some_and(|trial| !trial.comparison.pays())
    }
}

autogrow_base::register! {
    PolicyKind {
        name: "worth",
        origin: ORIGIN,
        summary: "grow while a doubling of the cost brings its price, undo what does not pay",
        build: |config, _| Ok(Box::new(Worth::new(config))),
    },
}
