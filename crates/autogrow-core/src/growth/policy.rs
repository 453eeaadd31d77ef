//! Growing and stopping policies (section 3.2 of the paper), found by name.

use super::Curve;
use crate::config::GrowthConfig;

/// What a policy sees at a check, every K epochs.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The guiding accuracy after each epoch so far.
    pub curve: &'a Curve,
    /// Whether the check before this one grew the network.
    pub just_grown: bool,
}

/// When to grow and when to stop growing `grownSub`. A function of what it sees, nothing else.
pub trait Policy: Send + std::fmt::Debug {
    /// Whether to stack a sub-module on `growingSub` now.
    fn grow(&self, view: View<'_>) -> bool;

    /// Whether `grownSub` has stopped paying and leaves the list for good.
    fn stop(&self, view: View<'_>) -> bool;

    /// What the policy is waiting for, for people who watch.
    fn waiting(&self, view: View<'_>) -> String {
        let _ = view;
        String::new()
    }

    /// Whether there is growth at all; without, the seed is trained as it is.
    fn grows(&self) -> bool {
        true
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
    /// Makes the policy from the `[growth]` section.
    pub build: fn(&GrowthConfig) -> Box<dyn Policy>,
}

inventory::collect!(PolicyKind);

/// p-AutoGrow: grows at every check; stops when J epochs brought less than tau.
#[derive(Clone, Debug)]
pub struct Periodic {
    /// J, epochs.
    pub patience: usize,
    /// tau, percentage points.
    pub threshold: f64,
}

impl Policy for Periodic {
    fn grow(&self, _: View<'_>) -> bool {
        true
    }

    fn stop(&self, view: View<'_>) -> bool {
        view.curve.improvement(self.patience).is_some_and(|gained| gained < self.threshold)
    }

    fn waiting(&self, view: View<'_>) -> String {
        gained("stops", view, self.patience, self.threshold)
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
    fn grow(&self, view: View<'_>) -> bool {
        view.curve.improvement(self.interval).is_some_and(|gained| gained < self.threshold)
    }

    fn stop(&self, view: View<'_>) -> bool {
        let gained = view.curve.improvement(self.interval);
        view.just_grown && gained.is_some_and(|gained| gained <= self.threshold)
    }

    fn waiting(&self, view: View<'_>) -> String {
        gained("grows", view, self.interval, self.threshold)
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
    fn grow(&self, _: View<'_>) -> bool {
        false
    }

    fn stop(&self, _: View<'_>) -> bool {
        true
    }

    fn grows(&self) -> bool {
        false
    }
}

crate::register! {
    PolicyKind {
        name: "periodic",
        origin: env!("CARGO_PKG_NAME"),
        summary: "grow every K epochs, stop when J epochs bring less than tau (p-AutoGrow)",
        build: |config| {
            Box::new(Periodic { patience: config.patience, threshold: config.threshold })
        },
    },
    PolicyKind {
        name: "convergent",
        origin: env!("CARGO_PKG_NAME"),
        summary: "grow when K epochs bring less than tau, stop when that did not help (c-AutoGrow)",
        build: |config| {
            Box::new(Convergent { interval: config.interval, threshold: config.threshold })
        },
    },
    PolicyKind {
        name: "none",
        origin: env!("CARGO_PKG_NAME"),
        summary: "no growth: train the given depth from scratch, a baseline",
        build: |_| Box::new(Never),
    },
}
