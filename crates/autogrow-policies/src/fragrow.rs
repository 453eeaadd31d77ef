//! FRAGrow (Wu et al., "When To Grow? A Fitting Risk-Aware Policy for Layer Growing in Deep Neural
//! Networks", AAAI 2024): the wait for the next growth follows the risk of overfitting.
//!
//! A network that is stacked late is trained less, which keeps it from memorising. So growth waits
//! where training accuracy is far above validation accuracy, and hurries where it is not.

use crate::{ORIGIN, goal};
use autogrow_base::Error;
use autogrow_base::settings::SettingsKind;
use autogrow_growth::{Depth, Policy, PolicyKind, Verdict, View};
use serde::{Deserialize, Serialize};

/// `[plugin.fragrow]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Growing epochs at most, shared out among the growths.
    epochs: usize,
    /// Alpha: the gap, in percentage points, at which growth waits half as long as at most.
    alpha: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { epochs: 60, alpha: 4.0 }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct FraGrow {
    /// The depth that it grows to.
    pub goal: Depth,
    /// Growing epochs at most.
    pub epochs: usize,
    /// Alpha, percentage points.
    pub alpha: f64,
}

impl FraGrow {
    /// How long a network waits for its next growth, epochs. At most an equal share of all growing
    /// epochs; that long as well where training accuracy is not known.
    fn wait(&self, view: View<'_>) -> f64 {
        let seed = view.record.levels().first().map_or(0, |seed| seed.depth.sub_modules());
        let growths = self.goal.sub_modules().saturating_sub(seed).max(1);
        let longest = self.epochs as f64 / growths as f64;
        let risk = view.record.level().last().and_then(|last| Some(last.train_score? - last.score));
        risk.map_or(longest, |risk| longest / (1.0 + (self.alpha - risk).exp()))
    }
}

impl Policy for FraGrow {
    fn decide(&self, view: View<'_>) -> Vec<Verdict> {
        // Front to back: a sub-network is grown to its goal before the next one begins.
        let next = view.members.iter().find(|&&member| view.limits.has_room(view.depth, member));
        let grows = view.record.level().len() as f64 >= self.wait(view);
        let grow = |&member| Verdict::Grow { subnet: Some(member), amount: Some(1) };
        next.filter(|_| grows).map(grow).into_iter().collect()
    }

    fn waiting(&self, view: View<'_>) -> String {
        format!("grows after {:.1} epochs, has had {}", self.wait(view), view.record.level().len())
    }
}

autogrow_base::register! {
    PolicyKind {
        name: "fragrow",
        origin: ORIGIN,
        summary: "grow to growth.max_depth, the sooner the less training is ahead of validation (FRAGrow)",
        build: |config, plugins| {
            let Settings { epochs, alpha } = plugins.get("fragrow")?;
            if epochs == 0 || !alpha.is_finite() {
                let problem = format!("has epochs = {epochs} and alpha = {alpha}");
                return Err(Error::config("plugin.fragrow", problem)
                    .with_hint("epochs is 1 or more, alpha a finite number"));
            }
            Ok(Box::new(FraGrow { goal: goal(config)?, epochs, alpha }))
        },
    },
    SettingsKind::of::<Settings>("fragrow", ORIGIN).about("growing epochs at most, and alpha"),
}
