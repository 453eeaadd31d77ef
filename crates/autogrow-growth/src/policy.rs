//! Growing and stopping policies (section 2.3 of the paper), found by name.

use crate::{Curve, Depth, GrowthConfig, Limits, Record, less};
use autogrow_base::Result;
use autogrow_base::settings::PluginSettings;
use serde::{Deserialize, Serialize};

/// What a policy sees at a check, every K epochs.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Everything that the growing epochs so far have shown.
    pub record: &'a Record,
    /// The guiding score after each of them, made monotonous or smooth as `growth.metric` says.
    pub curve: &'a Curve,
    /// The present depth.
    pub depth: &'a Depth,
    /// The sub-networks that are still in the list.
    pub members: &'a [usize],
    /// `growingSub`: the sub-network that grows next.
    pub growing: usize,
    /// `grownSub`: those grown last; one of them in growing mode `turn`.
    pub grown: &'a [usize],
    /// Whether the check before this one grew the network.
    pub just_grown: bool,
    /// Which depths are allowed at all.
    pub limits: Limits<'a>,
}

/// A place for a network to go back to. It has weights, optimiser, averages: all to train it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The network that trials begin from.
    Root,
    /// The best network so far.
    Champion,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Root, Self::Champion];

    /// Its name, in files too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Champion => "champion",
        }
    }
}

/// What a policy wants at a check. None of them: hold on, train K more epochs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Stack `amount` sub-modules on a sub-network, or on `growingSub` where none is named (on
    /// those that `growth.mode` chooses).
    Grow {
        /// Which sub-network, from 0.
        subnet: Option<usize>,
        /// How many sub-modules; none: as `growth.amount` says.
        amount: Option<usize>,
    },
    /// `grownSub` has stopped paying and leaves the list for good.
    Stop,
    /// This sub-network, from 0, has stopped paying and leaves the list for good.
    StopOne(usize),
    /// This sub-network is as deep as allowed and leaves the list. A policy that goes back says so
    /// itself; for others every sub-network that has no room leaves at a check.
    Cap(usize),
    /// Keep a copy of the present network in this place. Only policies that say so with
    /// [`Policy::goes_back`] may ask for it, and for the next.
    Keep(Place),
    /// Go on with the network that is kept in this place, where it stays; the present one is given up.
    GoBack(Place),
    /// Begin anew, with a seed of this depth; the present network is given up.
    Restart(Depth),
}

impl Verdict {
    /// Grow `growingSub` by `growth.amount`.
    pub const GROW: Self = Self::Grow { subnet: None, amount: None };
}

/// When to grow and when to stop growing. A function of what it sees, nothing else.
pub trait Policy: Send + std::fmt::Debug {
    /// What to do now. Whatever their order here, what leaves the list does so first; then a network
    /// is kept, then gone back to or begun anew, and growths come last.
    fn decide(&self, view: View<'_>) -> Vec<Verdict>;

    /// What the policy is waiting for, for people who watch.
    fn waiting(&self, view: View<'_>) -> String {
        let _ = view;
        String::new()
    }

    /// Whether there is growth at all; without, the seed is trained as it is.
    fn grows(&self) -> bool {
        true
    }

    /// Whether it may ask for [`Verdict::Keep`] and [`Verdict::GoBack`].
    fn goes_back(&self) -> bool {
        false
    }

    /// Whether to go back to the champion if growth has to end now: there is no time to train on what
    /// is being tried.
    fn goes_back_at_end(&self, view: View<'_>) -> bool {
        let _ = view;
        false
    }

    /// Whether scores that never improve lead to the shallowest net that this policy can return,
    /// in the fewest epochs. Only then is there a depth floor to tell users of.
    fn has_floor(&self) -> bool {
        false
    }
}

/// A kind of policy, registered with `inventory`.
#[derive(Debug)]
pub struct PolicyKind {
    /// Name in `growth.policy`.
    pub name: &'static str,
    /// Crate that registers it: `env!("CARGO_PKG_NAME")`.
    pub origin: &'static str,
    /// One line for `autogrow list`.
    pub summary: &'static str,
    /// Makes the policy from the `[growth]` section and the settings of plugins.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub build: fn(&GrowthConfig, &PluginSettings) -> Result<Box<dyn Policy>>,
}

autogrow_base::kind!(PolicyKind, "policy", "growth.policy");

/// p-AutoGrow: grows at every check; stops when J epochs brought less than tau.
#[derive(Clone, Debug)]
pub struct Periodic {
    /// J, epochs.
    pub patience: usize,
    /// tau, percentage points.
    pub threshold: f64,
}

impl Policy for Periodic {
    fn decide(&self, view: View<'_>) -> Vec<Verdict> {
        let gained = view.curve.improvement(self.patience);
        let stop = gained.is_some_and(|gained| less(gained, self.threshold));
        if stop { vec![Verdict::Stop, Verdict::GROW] } else { vec![Verdict::GROW] }
    }

    fn waiting(&self, view: View<'_>) -> String {
        gained("stops", view, self.patience, self.threshold)
    }

    fn has_floor(&self) -> bool {
        true
    }
}

/// c-AutoGrow: grows once the network has converged, when K epochs brought less than tau; stops
/// `grownSub` when it was grown K epochs ago and that brought no more than tau.
#[derive(Clone, Debug)]
pub struct Convergent {
    /// K, epochs.
    pub interval: usize,
    /// tau, percentage points.
    pub threshold: f64,
}

impl Policy for Convergent {
    fn decide(&self, view: View<'_>) -> Vec<Verdict> {
        let Some(gained) = view.curve.improvement(self.interval) else { return Vec::new() };
        let mut verdicts = Vec::new();
        if view.just_grown && !less(self.threshold, gained) {
            verdicts.push(Verdict::Stop);
        }
        if less(gained, self.threshold) {
            verdicts.push(Verdict::GROW);
        }
        verdicts
    }

    fn waiting(&self, view: View<'_>) -> String {
        gained("grows", view, self.interval, self.threshold)
    }

    fn has_floor(&self) -> bool {
        true
    }
}

/// "8 epochs brought +1.25, stops below 0.05".
fn gained(does: &str, view: View<'_>, window: usize, threshold: f64) -> String {
    match view.curve.improvement(window) {
        Some(gained) => format!("{window} epochs brought {gained:+.2}, {does} below {threshold}"),
        None => format!("{does} after epoch {} at the earliest", window + 1),
    }
}

/// No growth: a baseline of the given depth.
#[derive(Clone, Debug)]
pub struct Never;

impl Policy for Never {
    fn decide(&self, _: View<'_>) -> Vec<Verdict> {
        Vec::new()
    }

    fn grows(&self) -> bool {
        false
    }

    fn has_floor(&self) -> bool {
        true
    }
}

/// The crate that readers know as the one that defines the policies, and that checkpoints remember.
pub(crate) const ORIGIN: &str = "autogrow-core";

autogrow_base::register! {
    PolicyKind {
        name: "periodic",
        origin: ORIGIN,
        summary: "grow every K epochs, stop when J epochs bring less than tau (p-AutoGrow)",
        build: |config, _| {
            let (patience, threshold) = (config.patience, config.threshold);
            Ok(Box::new(Periodic { patience, threshold }))
        },
    },
    PolicyKind {
        name: "convergent",
        origin: ORIGIN,
        summary: "grow when K epochs bring less than tau, stop when that did not help (c-AutoGrow)",
        build: |config, _| {
            let (interval, threshold) = (config.interval, config.threshold);
            Ok(Box::new(Convergent { interval, threshold }))
        },
    },
    PolicyKind {
        name: "none",
        origin: ORIGIN,
        summary: "no growth: train the given depth from scratch, a baseline",
        build: |_, _| Ok(Box::new(Never)),
    },
}
