//! Grow, then trim: a rival of `worth` that comes from above. The network grows periodically until a
//! growth brings less than its price; then shallower ones, trained anew from the root for as long, take
//! its place for as long as they are not worse by the price of what they save.

use crate::ORIGIN;
use autogrow_growth::{
    Comparison, Depth, Evidence, LevelOrigin, Place, Policy, PolicyKind, Record, Verdict, View,
};

/// See the module.
#[derive(Clone, Debug)]
pub struct Trim {
    /// Percentage points that a doubling of the cost has to bring.
    pub price: f64,
    /// K: epochs of the root, and between checks.
    pub interval: usize,
}

/// What the record tells about trimming.
struct Trimming {
    /// The best network so far, by its level.
    champion: usize,
    /// Depths that were tried, or are.
    tried: Vec<Depth>,
    /// Whether a whole level was too much to give up: from then on one sub-network is trimmed.
    one_by_one: bool,
}

impl Trim {
    /// The last network that was grown before trimming began; none while growth goes on.
    fn top(record: &Record) -> Option<usize> {
        let mut levels = record.levels().iter();
        levels.position(|level| matches!(level.origin, LevelOrigin::Back(_))).map(|first| first - 1)
    }

    /// Whether the last K epochs are not ahead of the K before by the price of what they cost more.
    fn has_grown_enough(&self, record: &Record) -> bool {
        let epochs = record.epochs();
        let Some(start) = epochs.len().checked_sub(2 * self.interval) else { return false };
        let (before, after) = epochs[start..].split_at(self.interval);
        !Comparison::of(after, before, self.interval, self.price).pays()
    }

    /// While growth goes on: stack on all sub-networks, or begin to trim.
    fn grow(&self, view: View<'_>) -> Vec<Verdict> {
        let top = view.record.levels().len() - 1;
        let mut verdicts = Vec::new();
        if view.record.len() == self.interval {
            verdicts.push(Verdict::Keep(Place::Root));
        }
        if self.has_grown_enough(view.record) {
            verdicts.push(Verdict::Keep(Place::Champion));
            verdicts.extend(self.next(view, &self.trimming(view.record, top)));
            return verdicts;
        }
        let roomy = view.members.iter().filter(|&&member| view.limits.has_room(view.depth, member));
        verdicts.extend(roomy.map(|&member| Verdict::Grow { subnet: Some(member), amount: None }));
        verdicts
    }

    /// What trimming has shown until now, the network in training included.
    fn trimming(&self, record: &Record, top: usize) -> Trimming {
        let levels = record.levels();
        let tried = vec![levels[top].depth.clone()];
        let mut told = Trimming { champion: top, tried, one_by_one: false };
        let mut best = until(record, top);
        for (level, shown) in levels.iter().enumerate().skip(top + 1) {
            let own = record.of_level(level);
            if own.is_empty() {
                continue;
            }
            told.tried.push(shown.depth.clone());
            // The deeper one has to pay for what it costs more.
            if Comparison::of(best, own, self.interval, self.price).pays() {
                told.one_by_one = true;
            } else {
                (told.champion, best) = (level, own);
            }
        }
        told
    }

    /// Begins with the next shallower network: a whole level less as long as that was no loss, then one
    /// sub-network less. Where there is none left, goes on with the champion.
    fn next(&self, view: View<'_>, told: &Trimming) -> Vec<Verdict> {
        let levels = view.record.levels();
        let (root, champion) = (&levels[0].depth, &levels[told.champion].depth);
        let members: Vec<usize> = (0..champion.sub_networks()).collect();
        let whole = (!told.one_by_one).then(|| trimmed(root, champion, &members));
        // From the end: those of many channels cost as much as those of many pixels, and bring less.
        let single = members.iter().rev().map(|&member| trimmed(root, champion, &[member]));
        let next = whole.into_iter().chain(single).find(|depth| !told.tried.contains(depth));
        let Some(next) = next else {
            let is_champion = told.champion == levels.len() - 1;
            let back = (!is_champion).then_some(Verdict::GoBack(Place::Champion));
            let stops = view.members.iter().map(|&member| Verdict::StopOne(member));
            return stops.chain(back).collect();
        };
        let mut verdicts = vec![Verdict::GoBack(Place::Root)];
        let depths = root.as_slice().iter().zip(next.as_slice()).enumerate();
        verdicts.extend(depths.filter(|(_, (from, to))| to > from).map(|(member, (from, to))| {
            Verdict::Grow { subnet: Some(member), amount: Some(to - from) }
        }));
        verdicts
    }
}

/// The epochs that a network which kept growing has had, with those of the networks that it was.
fn until(record: &Record, level: usize) -> &[Evidence] {
    &record.epochs()[..record.epochs_until(level)]
}

/// A network like this one, but these sub-networks a level shallower, as far as the root allows.
fn trimmed(root: &Depth, depth: &Depth, members: &[usize]) -> Depth {
    let shallower = depth.shallower().unwrap_or_else(|| depth.clone());
    let mut trimmed = root.clone();
    for member in 0..depth.sub_networks() {
        let from = if members.contains(&member) { &shallower } else { depth };
        for _ in root.as_slice()[member]..from.as_slice()[member] {
            trimmed.stack(member);
        }
    }
    trimmed
}

impl Policy for Trim {
    fn decide(&self, view: View<'_>) -> Vec<Verdict> {
        let record = view.record;
        let Some(top) = Self::top(record) else { return self.grow(view) };
        // As long as the deepest one, with the epochs of the root.
        if self.interval + record.level().len() < record.epochs_until(top) {
            return Vec::new();
        }
        let told = self.trimming(record, top);
        let is_champion = told.champion == record.levels().len() - 1;
        let keep = is_champion.then_some(Verdict::Keep(Place::Champion));
        keep.into_iter().chain(self.next(view, &told)).collect()
    }

    fn waiting(&self, view: View<'_>) -> String {
        match Self::top(view.record) {
            None => "grows until a growth does not pay".into(),
            Some(top) => {
                let epochs = view.record.epochs_until(top) - self.interval;
                format!("is compared after {epochs} epochs, has had {}", view.record.level().len())
            }
        }
    }

    fn goes_back(&self) -> bool {
        true
    }

    /// By what the network in training has shown so far.
    fn goes_back_at_end(&self, view: View<'_>) -> bool {
        Self::top(view.record).is_some_and(|top| {
            self.trimming(view.record, top).champion != view.record.levels().len() - 1
        })
    }
}

autogrow_base::register! {
    PolicyKind {
        name: "trim",
        origin: ORIGIN,
        summary: "grow until it does not pay, then make shallower what is not missed",
        build: |config, _| Ok(Box::new(Trim { price: config.price, interval: config.interval })),
    },
}
