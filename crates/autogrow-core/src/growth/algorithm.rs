//! Algorithm 1: train K epochs, stop, cap, grow, until no sub-network is left.

use super::{Curve, Depth, Mode, Policy, PolicyKind, SubNetList, View};
use crate::Result;
use crate::config::GrowthConfig;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

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
}

/// One decision, in the order in which Algorithm 1 takes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Epochs trained so far.
    pub epoch: usize,
    /// What is done.
    pub kind: Kind,
    /// To which sub-network, from 0.
    pub subnet: usize,
    /// Depth after a growth.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub depth: Option<Depth>,
}

/// The state of Algorithm 1.
#[derive(Debug)]
pub struct Growth {
    policy: Box<dyn Policy>,
    mode: Mode,
    interval: usize,
    max_depth: Option<Depth>,
    seed: u64,
    depth: Depth,
    sub_net_list: SubNetList,
    grown: Vec<usize>,
    just_grown: bool,
    curve: Curve,
}

impl Growth {
    /// The start: the seed network, every sub-network in the list, none grown yet. `seed` decides
    /// the draws of [`Mode::Random`] alone.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] where no such policy is registered.
    pub fn new(config: &GrowthConfig, depth: Depth, seed: u64) -> Result<Self> {
        let policy = (crate::registry::find::<PolicyKind>(&config.policy)?.build)(config);
        let members = match config.mode {
            _ if !policy.grows() => Vec::new(),
            Mode::Only(index) => vec![index],
            _ => (0..depth.sub_networks()).collect(),
        };
        Ok(Self {
            policy,
            mode: config.mode,
            interval: config.interval,
            max_depth: config.max_depth.clone(),
            seed,
            depth,
            sub_net_list: SubNetList::new(members),
            grown: Vec::new(),
            just_grown: false,
            curve: Curve::new(config.metric),
        })
    }

    /// Takes the validation accuracy of one more epoch, in percent, and answers with what to do
    /// now, in this order: stop, cap, grow. Between checks, and once finished, that is nothing.
    pub fn epoch(&mut self, accuracy: f64) -> Vec<Decision> {
        if self.finished() {
            return Vec::new();
        }
        self.curve.push(accuracy);
        if !self.curve.epochs().is_multiple_of(self.interval) {
            return Vec::new();
        }
        let view = View { curve: &self.curve, just_grown: self.just_grown };
        let (stop, grow) = (self.policy.stop(view), self.policy.grow(view));
        self.just_grown = false;

        let mut decisions = Vec::new();
        if stop {
            for grown_sub in std::mem::take(&mut self.grown) {
                if self.sub_net_list.delete(grown_sub) {
                    decisions.push(self.decision(Kind::Stop, grown_sub));
                }
            }
        }
        for sub_network in self.capped() {
            self.sub_net_list.delete(sub_network);
            decisions.push(self.decision(Kind::Cap, sub_network));
        }
        if grow {
            for growing_sub in self.growing() {
                self.depth.stack(growing_sub);
                self.grown.push(growing_sub);
                decisions.push(self.decision(Kind::Grow, growing_sub));
            }
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

    /// The guiding accuracy after each epoch.
    pub fn curve(&self) -> &Curve {
        &self.curve
    }

    /// What the policy is waiting for, for people who watch.
    pub fn waiting(&self) -> String {
        self.policy.waiting(View { curve: &self.curve, just_grown: self.just_grown })
    }

    /// The sub-networks still growing.
    pub fn sub_net_list(&self) -> &SubNetList {
        &self.sub_net_list
    }

    /// The sub-networks in the list that are as deep as allowed.
    fn capped(&self) -> Vec<usize> {
        let Some(max) = &self.max_depth else { return Vec::new() };
        let (depth, max) = (self.depth.as_slice(), max.as_slice());
        let members = self.sub_net_list.members().iter().copied();
        members.filter(|&member| depth[member] >= max[member]).collect()
    }

    /// The sub-networks to grow at this check; they become `grownSub`, the list moves on.
    fn growing(&mut self) -> Vec<usize> {
        let growing: Vec<usize> = match self.mode {
            Mode::Turn | Mode::Only(_) => self.sub_net_list.growing().into_iter().collect(),
            Mode::All => self.sub_net_list.members().to_vec(),
            Mode::Random(rate) => {
                // A draw is a function of (seed, epoch, sub-network), so nothing needs to be saved.
                let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
                rng.set_stream(self.curve.epochs() as u64);
                let draws: Vec<f64> = self.depth.as_slice().iter().map(|_| rng.random()).collect();
                let members = self.sub_net_list.members().iter().copied();
                members.filter(|&member| draws[member] < rate).collect()
            }
        };
        if !growing.is_empty() {
            self.grown.clear();
            self.just_grown = true;
            self.sub_net_list.advance();
        }
        growing
    }

    fn decision(&self, kind: Kind, subnet: usize) -> Decision {
        let depth = (kind == Kind::Grow).then(|| self.depth.clone());
        Decision { epoch: self.curve.epochs(), kind, subnet, depth }
    }
}

/// What the policies make of recorded accuracies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    /// Whether growth came to its end before the accuracies did.
    pub finished: bool,
    /// The depth reached.
    pub found: Depth,
    /// Epochs of growing.
    pub growing_epochs: usize,
    /// Every decision.
    pub events: Vec<Decision>,
}

/// Runs Algorithm 1 over recorded accuracies, in percent, one an epoch.
///
/// # Errors
/// As [`Growth::new`].
pub fn replay(
    config: &GrowthConfig,
    seed_depth: Depth,
    seed: u64,
    accuracies: impl IntoIterator<Item = f64>,
) -> Result<Replayed> {
    let mut growth = Growth::new(config, seed_depth, seed)?;
    let events = accuracies.into_iter().flat_map(|accuracy| growth.epoch(accuracy)).collect();
    Ok(Replayed {
        finished: growth.finished(),
        found: growth.depth,
        growing_epochs: growth.curve.epochs(),
        events,
    })
}

/// The depth floor: what is found when accuracy never improves, the shallowest net that this
/// configuration can return. `finished` is false where the policy would never end.
///
/// # Errors
/// As [`Growth::new`].
pub fn floor(config: &GrowthConfig, seed_depth: Depth, seed: u64) -> Result<Replayed> {
    // After `patience` (or 2K) epochs every check deletes a sub-network, so this is long enough
    // for the built-in policies with any mode but an unlucky random one.
    let checks = config.patience / config.interval + 4 * seed_depth.sub_networks() + 100;
    replay(config, seed_depth, seed, std::iter::repeat_n(0.0, checks * config.interval))
}
