//! `worth`: a sub-network grows for as long as a doubling of the network's cost brings its price.
//!
//! As long as every growth has paid, all sub-networks grow at once: a whole level can be told from noise
//! by images that are too few for a single sub-module. After the first growth that does not pay, one
//! sub-network grows at a time, and one whose growth does not pay leaves the list.
//!
//! A network that has been trained longer is better, deeper or not. So each growth is a trial of two
//! sides with the same past and the same training: the grown network is trained for K epochs, or up to
//! three times as long until it has settled, then the network as it was before the growth, the control,
//! for as long. The better one goes on, at the price of its cost; the loser is given up. A growth that
//! does not pay even against the network before, which had those epochs less, is given up without a
//! control. The seed is trained until it has settled before anything grows.
//!
//! A network has settled when training on brings less than a doubling of the cost is asked for.

use crate::comparison::Comparison;
use crate::policy::{ORIGIN, PolicyKind};
use crate::trials::trained;
use crate::{Evidence, GrowthConfig, LevelOrigin, Policy, Record, Trial, Verdict, View, trials};

/// The longest that a grown network is waited for, in K epochs.
const PATIENCE: usize = 3;

/// Points that training on has to bring at least for a network not to have settled, however low the
/// price is: less is noise.
const NOISE: f64 = 0.2;

/// See the module.
#[derive(Clone, Debug)]
pub struct Worth {
    /// Percentage points that a doubling of the cost has to bring.
    pub price: f64,
    /// K: epochs of each side of a trial.
    pub interval: usize,
}

/// What the present level is to the trial at hand.
enum Side {
    /// The seed, before the first trial.
    Seed,
    /// The grown network, compared with the one before.
    Grown(Comparison),
    /// The control, compared with the grown network.
    Control(Comparison),
}

impl Worth {
    /// Of section `[growth]`.
    pub fn new(config: &GrowthConfig) -> Self {
        Self { price: config.price, interval: config.interval }
    }

    /// Epochs that a comparison is over: the latter half of each side.
    fn window(&self) -> usize {
        self.interval.div_ceil(2)
    }

    /// Every growth so far, and what became of it; `finished` once growth is over.
    pub fn trials(&self, record: &Record, finished: bool) -> Vec<Trial> {
        trials(record, self.window(), self.price, finished)
    }

    /// Whether all sub-networks grow at once: several are left, and no growth was given up yet.
    fn grows_all(&self, view: View<'_>) -> bool {
        let was_given_up = |trial: &Trial| trial.kept == Some(false);
        view.members.len() > 1 && !self.trials(view.record, false).iter().any(was_given_up)
    }

    /// Whether the latter half of the last K epochs is ahead of the former half by less than the price of
    /// a doubling.
    fn has_settled(&self, epochs: &[Evidence]) -> bool {
        let Some(start) = epochs.len().checked_sub(2 * self.window()) else { return false };
        let (former, latter) = epochs[start..].split_at(self.window());
        Comparison::of(latter, former, self.window(), 0.0).gain < self.price.max(NOISE)
    }

    fn side(&self, record: &Record) -> Side {
        let now = record.levels().len() - 1;
        let compare = |grown, before| {
            let (grown, before) = (trained(record, grown), trained(record, before));
            Comparison::of(grown, before, self.window(), self.price)
        };
        match record.levels()[now].origin {
            LevelOrigin::Seed => Side::Seed,
            LevelOrigin::Grown => Side::Grown(compare(now, now - 1)),
            LevelOrigin::Back(_) => Side::Control(compare(now - 1, now)),
        }
    }
}

/// Grow this sub-network by `growth.amount`.
fn grow_one(sub_network: usize) -> Verdict {
    Verdict::Grow { subnet: Some(sub_network), amount: None }
}

impl Policy for Worth {
    fn decide(&self, view: View<'_>) -> Vec<Verdict> {
        let record = view.record;
        let level = record.level();
        let grows_all = self.grows_all(view);
        let stop = (!grows_all).then_some(Verdict::Stop);
        let grow = || match grows_all {
            true => view.members.iter().map(|&member| grow_one(member)).collect(),
            false => vec![Verdict::GROW],
        };
        match self.side(record) {
            Side::Seed if !self.has_settled(level) => Vec::new(),
            Side::Grown(_)
                if !self.has_settled(level) && level.len() < PATIENCE * self.interval =>
            {
                Vec::new()
            }
            Side::Control(_) if level.len() < record.of_level(record.levels().len() - 2).len() => {
                Vec::new()
            }
            Side::Seed => grow(),
            Side::Grown(trial) if trial.pays() => vec![Verdict::RollBack],
            Side::Grown(_) => stop.into_iter().chain([Verdict::RollBack, Verdict::GROW]).collect(),
            Side::Control(trial) if trial.pays() => {
                [Verdict::RollBack].into_iter().chain(grow()).collect()
            }
            Side::Control(_) => stop.into_iter().chain([Verdict::GROW]).collect(),
        }
    }

    fn waiting(&self, view: View<'_>) -> String {
        if view.record.level().is_empty() {
            return String::new();
        }
        match self.side(view.record) {
            Side::Seed => "grows once the seed has settled".into(),
            Side::Grown(trial) => format!("brought {trial}"),
            Side::Control(trial) => format!("brought {trial}, over its control"),
        }
    }

    fn rolls_back(&self) -> bool {
        true
    }

    /// By what the trial has shown so far.
    fn goes_back_at_end(&self, view: View<'_>) -> bool {
        match self.side(view.record) {
            Side::Seed => false,
            Side::Grown(trial) => !trial.pays(),
            Side::Control(trial) => trial.pays(),
        }
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
