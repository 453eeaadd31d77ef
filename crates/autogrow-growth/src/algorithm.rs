//! Algorithm 1 (section 2 of the paper): train K epochs, stop, cap, grow, until no sub-network is
//! left.

use crate::{
    Amount, Curve, Depth, Evidence, LevelOrigin, Limits, Mode, Place, Policy, PolicyKind, Record,
    Rules, SubNetList, Verdict, View, limits::Limit,
};
use autogrow_base::random::{Purpose, generator};
use autogrow_base::{Result, registry};
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a decision does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A sub-module is stacked on the sub-network.
    Grow,
    /// The sub-network leaves the list: growing it no longer pays.
    Stop,
    /// The sub-network leaves the list: it is as deep as allowed.
    Cap,
    /// The sub-network leaves the list: there is no time for another growing epoch.
    #[serde(rename = "out-of-time")]
    OutOfTime,
    /// A copy of the network is kept, to go back to.
    Keep,
    /// A network that was kept takes the place of the present one.
    #[serde(rename = "roll-back")]
    RollBack,
    /// Growth begins anew: a deeper seed, drawn as the first one was, takes the place of the network.
    Restart,
}

/// One decision, in the order in which Algorithm 1 takes them. Where a policy asks for several
/// sub-modules at once, each is a decision of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Epochs trained so far.
    pub epoch: usize,
    /// What is done.
    pub kind: Kind,
    /// To which sub-network, from 0.
    pub subnet: usize,
    /// Depth after a growth, after going back, or of a new seed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub depth: Option<Depth>,
    /// Where a network is kept, or was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<Place>,
}

/// The state of Algorithm 1.
#[derive(Debug)]
pub struct Growth {
    policy: Box<dyn Policy>,
    mode: Mode,
    amount: Amount,
    interval: usize,
    max_depth: Option<Depth>,
    limit: Option<Limit>,
    seed: u64,
    depth: Depth,
    /// The networks that are kept: depth and level of each.
    kept: BTreeMap<Place, (Depth, usize)>,
    sub_net_list: SubNetList,
    grown: Vec<usize>,
    just_grown: bool,
    record: Record,
    curve: Curve,
    /// What the policy said of the last epoch before it decided.
    reason: String,
}

impl Growth {
    /// The start: the seed network, every sub-network in the list, none grown yet.
    ///
    /// # Errors
    /// [`Error::Unknown`](autogrow_base::Error::Unknown) where no such policy is registered; what
    /// the policy finds wrong with its settings.
    pub fn new(rules: &Rules<'_>) -> Result<Self> {
        let Rules { growth: config, depth, .. } = *rules;
        let kind = registry::find::<PolicyKind>(&config.policy)?;
        let policy = (kind.build)(config, rules.plugins)?;
        let members = match config.mode {
            _ if !policy.grows() => Vec::new(),
            Mode::Only(index) => vec![index],
            _ => (0..depth.sub_networks()).collect(),
        };
        Ok(Self {
            policy,
            mode: config.mode.clone(),
            amount: config.amount,
            interval: config.interval,
            max_depth: config.max_depth.clone(),
            limit: None,
            seed: rules.seed,
            depth: depth.clone(),
            kept: BTreeMap::new(),
            sub_net_list: SubNetList::new(members),
            grown: Vec::new(),
            just_grown: false,
            record: Record::new(depth),
            curve: Curve::new(config.metric, rules.compat),
            reason: String::new(),
        })
    }

    /// The same, where no network grows to a depth that `fits` refuses.
    pub fn within(self, fits: impl Fn(&Depth) -> bool + Send + 'static) -> Self {
        Self { limit: Some(Limit::new(fits)), ..self }
    }

    /// Takes the evidence of one more epoch and answers with what to do now, in this order: stop, cap,
    /// keep, go back, grow. Between checks, and once finished, that is nothing.
    pub fn epoch(&mut self, evidence: Evidence) -> Vec<Decision> {
        if self.finished() {
            return Vec::new();
        }
        self.curve.push(evidence.score);
        self.record.push(evidence);
        if !self.curve.epochs().is_multiple_of(self.interval) {
            return Vec::new();
        }
        self.reason = self.waiting();
        let verdicts = self.policy.decide(self.view());
        self.just_grown = false;

        let mut decisions = Vec::new();
        if verdicts.contains(&Verdict::Stop) {
            for grown_sub in std::mem::take(&mut self.grown) {
                decisions.extend(self.leaves(Kind::Stop, grown_sub));
            }
        }
        let goes_back = self.policy.goes_back();
        for sub_network in if goes_back { Vec::new() } else { self.capped() } {
            decisions.extend(self.leaves(Kind::Cap, sub_network));
        }
        for verdict in &verdicts {
            decisions.extend(match verdict {
                Verdict::StopOne(sub_network) => self.leaves(Kind::Stop, *sub_network),
                Verdict::Cap(sub_network) => self.leaves(Kind::Cap, *sub_network),
                Verdict::Keep(place) => Some(self.keep(*place)),
                Verdict::Stop | Verdict::GoBack(_) | Verdict::Restart(_) | Verdict::Grow { .. } => {
                    None
                }
            });
        }
        for verdict in &verdicts {
            match verdict {
                Verdict::GoBack(place) => decisions.extend(self.go_back(*place)),
                Verdict::Restart(seed) => decisions.push(self.restart(seed)),
                _ => {}
            }
        }
        let before = decisions.len();
        for verdict in verdicts {
            let Verdict::Grow { subnet, amount } = verdict else { continue };
            for (growing_sub, times) in self.growing(subnet) {
                let depth = self.depth.as_slice()[growing_sub];
                let wanted = amount.unwrap_or_else(|| self.amount.of(depth));
                for _ in 0..times.saturating_mul(wanted) {
                    if !self.has_room(growing_sub) {
                        break;
                    }
                    self.depth.stack(growing_sub);
                    decisions.push(self.decision(Kind::Grow, growing_sub));
                }
            }
        }
        if decisions.len() > before {
            self.record.begin(self.depth.clone(), LevelOrigin::Grown);
        }
        decisions
    }

    /// Takes the evidence of the last epoch that there is time for: every sub-network leaves the list,
    /// and where the policy would not keep what is on trial, the champion is gone back to.
    pub fn last_epoch(&mut self, evidence: Evidence) -> Vec<Decision> {
        if self.finished() {
            return Vec::new();
        }
        self.curve.push(evidence.score);
        self.record.push(evidence);
        self.reason = self.waiting();
        let mut decisions = Vec::new();
        if self.policy.goes_back_at_end(self.view()) {
            decisions.extend(self.go_back(Place::Champion));
        }
        for member in self.sub_net_list.members().to_vec() {
            decisions.extend(self.leaves(Kind::OutOfTime, member));
        }
        decisions
    }

    /// Whether the list is empty: the depth is found.
    pub fn finished(&self) -> bool {
        self.sub_net_list.is_empty()
    }

    /// The depth so far.
    pub fn depth(&self) -> &Depth {
        &self.depth
    }

    /// Epochs trained so far.
    pub fn epochs(&self) -> usize {
        self.curve.epochs()
    }

    /// The guiding score after each epoch.
    pub fn curve(&self) -> &Curve {
        &self.curve
    }

    /// Everything that the epochs have shown.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The policy that decides.
    pub fn policy(&self) -> &dyn Policy {
        &*self.policy
    }

    /// What the policy is waiting for, for people who watch.
    pub fn waiting(&self) -> String {
        self.policy.waiting(self.view())
    }

    /// What the policy was waiting for when it took its last decisions, with the numbers that they
    /// rest on.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The sub-networks still growing.
    pub fn sub_net_list(&self) -> &SubNetList {
        &self.sub_net_list
    }

    fn view(&self) -> View<'_> {
        View {
            record: &self.record,
            curve: &self.curve,
            depth: &self.depth,
            members: self.sub_net_list.members(),
            growing: self.sub_net_list.growing().unwrap_or(0),
            grown: &self.grown,
            just_grown: self.just_grown,
            limits: self.limits(),
        }
    }

    fn limits(&self) -> Limits<'_> {
        Limits { max_depth: self.max_depth.as_ref(), limit: self.limit.as_ref() }
    }

    /// The sub-network leaves the list, if it is in it.
    fn leaves(&mut self, kind: Kind, sub_network: usize) -> Option<Decision> {
        self.sub_net_list.delete(sub_network).then(|| self.decision(kind, sub_network))
    }

    /// The present network is one to go back to.
    fn keep(&mut self, place: Place) -> Decision {
        self.kept.insert(place, (self.depth.clone(), self.record.levels().len() - 1));
        Decision { place: Some(place), ..self.decision(Kind::Keep, 0) }
    }

    /// Goes back to the network that is kept there, if there is one.
    fn go_back(&mut self, place: Place) -> Option<Decision> {
        let (depth, level) = self.kept.get(&place)?.clone();
        self.depth = depth;
        self.record.begin(self.depth.clone(), LevelOrigin::Back(level));
        Some(Decision { place: Some(place), ..self.decision(Kind::RollBack, 0) })
    }

    /// Begins anew with a seed of this depth.
    fn restart(&mut self, seed: &Depth) -> Decision {
        self.depth = seed.clone();
        self.record.begin(self.depth.clone(), LevelOrigin::Seed);
        self.decision(Kind::Restart, 0)
    }

    /// Whether a sub-network may get one more sub-module.
    fn has_room(&self, sub_network: usize) -> bool {
        self.limits().has_room(&self.depth, sub_network)
    }

    /// The sub-networks in the list that are as deep as allowed.
    fn capped(&self) -> Vec<usize> {
        let members = self.sub_net_list.members().iter().copied();
        members.filter(|&member| !self.has_room(member)).collect()
    }

    /// The sub-networks to grow at this check, that one if it is named, and how many times each. They
    /// become `grownSub`, and the list moves on.
    fn growing(&mut self, named: Option<usize>) -> Vec<(usize, usize)> {
        let list = &self.sub_net_list;
        let members = list.members().iter().copied();
        let growing: Vec<(usize, usize)> = match (named, &self.mode) {
            // From the root of a trial a sub-network grows again that has left the list since.
            (Some(named), _) if self.policy.goes_back() => vec![(named, 1)],
            (Some(named), _) => {
                members.filter(|&member| member == named).map(|member| (member, 1)).collect()
            }
            (None, Mode::Turn | Mode::Only(_)) => {
                list.growing().map(|sub| (sub, 1)).into_iter().collect()
            }
            (None, Mode::All) => members.map(|member| (member, 1)).collect(),
            (None, Mode::Random(rate)) => {
                // A draw is a function of (seed, epoch, sub-network), so nothing needs to be saved.
                let mut rng = generator(self.seed, Purpose::Mode, self.curve.epochs());
                let draws: Vec<f64> = self.depth.as_slice().iter().map(|_| rng.random()).collect();
                members.filter(|&member| draws[member] < *rate).map(|member| (member, 1)).collect()
            }
            (None, Mode::Rate(rate)) => {
                let wanted = (self.depth.sub_modules() as f64 * rate).round().max(1.0) as usize;
                list.turns().take(wanted).map(|member| (member, 1)).collect()
            }
            (None, Mode::Sub(amounts)) => {
                members.map(|member| (member, amounts.as_slice()[member])).collect()
            }
        };
        if growing.is_empty() {
            return growing;
        }
        // A policy may name several: together they are those grown last.
        if !self.just_grown {
            self.grown.clear();
        }
        self.just_grown = true;
        for &(member, _) in &growing {
            if !self.grown.contains(&member) {
                self.grown.push(member);
            }
        }
        let turns = match self.mode {
            Mode::Rate(_) => growing.len(),
            _ => 1,
        };
        if named.is_none_or(|named| self.sub_net_list.growing() == Some(named)) {
            (0..turns).for_each(|_| self.sub_net_list.advance());
        }
        growing
    }

    fn decision(&self, kind: Kind, subnet: usize) -> Decision {
        let changes = matches!(kind, Kind::Grow | Kind::RollBack | Kind::Restart);
        let depth = changes.then(|| self.depth.clone());
        Decision { epoch: self.curve.epochs(), kind, subnet, depth, place: None }
    }
}
