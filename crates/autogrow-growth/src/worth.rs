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

use crate::comparison::Comparison;
use crate::policy::{ORIGIN, PolicyKind};
use crate::trials::{Trials, length};
use crate::{Amount, Depth, Evidence, GrowthConfig, Place, Policy, Record, Trial, Verdict, View};

/// Points that training on has to bring at least for a network not to have settled, however low the
/// price is: less is noise.
const NOISE: f64 = 0.2;

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

    /// Whether the last K epochs are ahead of the K before by less than the price of a doubling.
    fn has_settled(&self, epochs: &[Evidence]) -> bool {
        let Some(start) = epochs.len().checked_sub(2 * self.interval) else { return false };
        let (former, latter) = epochs[start..].split_at(self.interval);
        Comparison::of(latter, former, self.interval, 0.0).gain < self.price.max(NOISE)
    }

    /// Whether the seed has settled, or the trial at hand has had its epochs.
    fn is_over(&self, record: &Record) -> bool {
        let level = record.level();
        match record.levels().len() {
            1 => self.has_settled(level),
            _ => level.len() >= length(record, self.interval),
        }
    }

    /// What follows a trial that is over, or the seed once it has settled: keep what is better, let go
    /// of what does not pay, and begin the next trial or go on with the champion.
    fn next(&self, view: View<'_>) -> Vec<Verdict> {
        let Trials { trials, champion } = self.told(view.record, false);
        let levels = view.record.levels();
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
        let (root, wanted) = (&levels[0].depth, self.grown(depth, &grows, view));
        let depths = root.as_slice().iter().zip(wanted.as_slice()).enumerate();
        verdicts.extend(depths.filter(|(_, (from, to))| to > from).map(|(member, (from, to))| {
            Verdict::Grow { subnet: Some(member), amount: Some(to - from) }
        }));
        verdicts
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

/// The sub-network that alone was grown in a trial.
fn grown_alone(trial: &Trial) -> Option<usize> {
    let (before, grown) = (trial.before.as_slice(), trial.grown.as_slice());
    let mut members = (0..before.len()).filter(|&member| grown[member] > before[member]);
    members.next().filter(|_| members.next().is_none())
}

impl Policy for Worth {
    fn decide(&self, view: View<'_>) -> Vec<Verdict> {
        let is_root = view.record.len() == self.interval;
        let keep_root = is_root.then_some(Verdict::Keep(Place::Root));
        let next = if self.is_over(view.record) { self.next(view) } else { Vec::new() };
        keep_root.into_iter().chain(next).collect()
    }

    fn waiting(&self, view: View<'_>) -> String {
        match self.trials(view.record, false).last() {
            _ if view.record.level().is_empty() => String::new(),
            Some(trial) => format!("brought {}", trial.comparison),
            None if self.is_over(view.record) => "the seed has settled".into(),
            None => "grows once the seed has settled".into(),
        }
    }

    fn goes_back(&self) -> bool {
        true
    }

    /// By what the trial has shown so far.
    fn goes_back_at_end(&self, view: View<'_>) -> bool {
        let trials = self.trials(view.record, false);
        trials.last().is_some_and(|trial| !trial.comparison.pays())
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
