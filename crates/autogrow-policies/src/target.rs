//! Until it is good enough (Tareen and Tareen, "Optimally Deep Networks", arXiv 2510.10764): the network
//! grows each time it has converged, until it reaches an accuracy that is given.

use crate::{ORIGIN, goal};
use autogrow_base::Error;
use autogrow_base::settings::SettingsKind;
use autogrow_growth::{Policy, PolicyKind, Verdict, View, less};
use serde::{Deserialize, Serialize};

/// `[plugin.target]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// The score that is good enough, percent, on validation images.
    score: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { score: 90.0 }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Target {
    /// The score that is good enough, percent.
    pub score: f64,
    /// K: a network has converged when so many epochs bring less than `threshold`.
    pub interval: usize,
    /// tau, percentage points.
    pub threshold: f64,
}

impl Policy for Target {
    fn decide(&self, view: View<'_>) -> Vec<Verdict> {
        if view.record.level().iter().any(|epoch| epoch.score >= self.score) {
            return view.members.iter().map(|&member| Verdict::StopOne(member)).collect();
        }
        let gained = view.curve.improvement(self.interval);
        let has_converged = gained.is_some_and(|gained| less(gained, self.threshold));
        has_converged.then_some(Verdict::GROW).into_iter().collect()
    }

    fn waiting(&self, _: View<'_>) -> String {
        format!("stops at {} %", self.score)
    }
}

autogrow_base::register! {
    PolicyKind {
        name: "target",
        origin: ORIGIN,
        summary: "grow when converged, up to growth.max_depth, until a score is reached",
        build: |config, plugins| {
            let Settings { score } = plugins.get("target")?;
            if !(0.0..=100.0).contains(&score) {
                return Err(Error::config("plugin.target.score", format!("= {score} is out of range"))
                    .with_hint("it is from 0 to 100, percent"));
            }
            // Without a depth to end at, a score that cannot be reached would grow without end.
            goal(config)?;
            let (interval, threshold) = (config.interval, config.threshold);
            Ok(Box::new(Target { score, interval, threshold }))
        },
    },
    SettingsKind::of::<Settings>("target", ORIGIN).about("the score that is good enough"),
}
