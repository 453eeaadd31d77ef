//! The growing and stopping rule with a run's own numbers (section 3.2 of the paper): what the
//! accuracy window held at each check, and what each growth brought.

use crate::run::{Depth, Event, Guide, Phase, Run};

/// What the policy compares at a check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Epochs of growing at its beginning: t - J in max\[t - J\].
    pub from: usize,
    /// Guiding accuracy then, percent.
    pub before: f64,
    /// What it has gained since, percentage points.
    pub gained: f64,
}

/// What was decided at a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A sub-module was stacked on a sub-network; the depth after.
    Grew(usize, Depth),
    /// A sub-network left the list: growing it no longer pays.
    Stopped(usize),
    /// A sub-network left the list: it is as deep as allowed.
    Capped(usize),
}

/// A check of the policies, every K epochs.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Epochs of the whole run so far.
    pub epoch: usize,
    /// Epochs of growing so far: t.
    pub t: usize,
    /// Guiding accuracy, percent: max\[t\].
    pub now: f64,
    /// The window, once there are epochs enough.
    pub window: Option<Window>,
    /// In the order in which they were taken.
    pub decisions: Vec<Decision>,
}

/// A growth and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// Epochs of the whole run before it.
    pub epoch: usize,
    /// The sub-network, from 0.
    pub subnet: usize,
    /// Depth after it.
    pub depth: Depth,
    /// Trainable parameters after it.
    pub parameters: u64,
    /// What the guiding accuracy gained in the K epochs after it, percentage points; none while
    /// they are not over.
    pub brought: Option<f64>,
}

/// The policy of a run and the accuracies that guided it.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `periodic`, `convergent`, or a plugin's.
    pub policy: String,
    /// Which sub-networks grow at a check: `turn`, `all`, `only:I` or `random:P`.
    pub mode: String,
    /// K, epochs.
    pub interval: usize,
    /// The length of the window, epochs: J for `periodic`, K for `convergent`.
    pub length: Option<usize>,
    /// tau, percentage points.
    pub threshold: f64,
    /// The images whose accuracy is compared.
    pub guide: Guide,
    /// Whether the running maximum guides, or a moving average.
    pub is_maximum: bool,
    /// Guiding accuracy after each growing epoch, with that epoch's number in the whole run.
    pub guiding: Vec<(usize, f64)>,
}

impl Rule {
    /// That of `run`.
    pub fn of(run: &Run) -> Self {
        let settings = &run.settings;
        let policy = settings.text("growth.policy").unwrap_or_default();
        let interval = settings.count("growth.interval").unwrap_or(1).max(1);
        let length = match policy.as_str() {
            "periodic" => settings.count("growth.patience"),
            "convergent" => Some(interval),
            _ => None,
        };
        let is_maximum = settings.text("growth.metric").is_none_or(|metric| metric == "max");
        Self {
            policy,
            mode: settings.text("growth.mode").unwrap_or_else(|| "turn".into()),
            interval,
            length,
            threshold: settings.number("growth.threshold").unwrap_or(0.05),
            guide: run.guide(),
            is_maximum,
            guiding: guiding(run, is_maximum),
        }
    }

    /// What the window of `length` epochs holds after `t` epochs of growing.
    fn window(&self, t: usize) -> Option<Window> {
        let from = t.checked_sub(self.length?).filter(|from| *from > 0)?;
        let (_, before) = *self.guiding.get(from - 1)?;
        let (_, now) = *self.guiding.get(t - 1)?;
        Some(Window { from, before, gained: now - before })
    }

    /// Every check so far.
    pub fn checks(&self, run: &Run) -> Vec<Check> {
        let mut checks: Vec<Check> = (1..=self.guiding.len())
            .filter(|t| t.is_multiple_of(self.interval))
            .map(|t| {
                let (epoch, now) = self.guiding[t - 1];
                Check { epoch, t, now, window: self.window(t), decisions: Vec::new() }
            })
            .collect();
        for event in &run.events {
            let (epoch, decision) = match event {
                Event::Grew { epoch, subnet, depth, .. } => {
                    (epoch, Decision::Grew(*subnet, depth.clone()))
                }
                Event::Stopped { epoch, subnet, .. } => (epoch, Decision::Stopped(*subnet)),
                Event::Capped { epoch, subnet, .. } => (epoch, Decision::Capped(*subnet)),
                _ => continue,
            };
            if let Ok(place) = checks.binary_search_by_key(epoch, |check| check.epoch) {
                checks[place].decisions.push(decision);
            }
        }
        checks
    }

    /// Every growth so far.
    pub fn growths(&self, run: &Run) -> Vec<Growth> {
        let at = |epoch: usize| self.guiding.iter().rposition(|(own, _)| *own <= epoch);
        let brought = |epoch: usize| {
            let before = at(epoch)?;
            let (_, after) = self.guiding.get(before + self.interval)?;
            Some(after - self.guiding[before].1)
        };
        let growths = run.events.iter().filter_map(|event| match event {
            Event::Grew { epoch, depth, subnet, parameters, .. } => Some(Growth {
                epoch: *epoch,
                subnet: *subnet,
                depth: depth.clone(),
                parameters: *parameters,
                brought: brought(*epoch),
            }),
            _ => None,
        });
        growths.collect()
    }
}

/// The running maximum, or the moving average with a decay of 0.95. What is not finite leaves it
/// where it was.
fn guiding(run: &Run, is_maximum: bool) -> Vec<(usize, f64)> {
    let mut last: Option<f64> = None;
    let growing = run.epochs.iter().filter(|epoch| epoch.phase == Phase::Growing);
    let values = growing.map(|epoch| {
        let accuracy = epoch.val_accuracy;
        last = match last {
            _ if !accuracy.is_finite() => last,
            None => Some(accuracy),
            Some(last) if is_maximum => Some(last.max(accuracy)),
            Some(last) => Some(0.95 * last + 0.05 * accuracy),
        };
        (epoch.number, last.unwrap_or(0.0))
    });
    values.collect()
}
