//! One late growth (Bu, "Deep Progressive Training: scaling up depth capacity of zero/one-layer models",
//! arXiv 2511.04981): the seed is trained for most of the time, then stacked to its full depth at once.
//! After K more epochs fine-tuning begins.

use crate::{ORIGIN, goal};
use autogrow_base::Error;
use autogrow_base::settings::SettingsKind;
use autogrow_growth::{Depth, Policy, PolicyKind, Verdict, View};
use serde::{Deserialize, Serialize};

/// `[plugin.late]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Epochs of the seed.
    epochs: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { epochs: 40 }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Late {
    /// The depth that it grows to.
    pub goal: Depth,
    /// Epochs of the seed.
    pub epochs: usize,
}

impl Policy for Late {
    fn decide(&self, view: View<'_>) -> Vec<Verdict> {
        if view.record.len() < self.epochs {
            return Vec::new();
        }
        let missing = |&member: &usize| {
            let missing = self.goal.as_slice()[member] - view.depth.as_slice()[member];
            Verdict::Grow { subnet: Some(member), amount: Some(missing) }
        };
        view.members.iter().map(missing).collect()
    }

    fn waiting(&self, view: View<'_>) -> String {
        match view.record.len() < self.epochs {
            true => format!("grows to {} after epoch {}", self.goal, self.epochs),
            false => "fine-tuning begins at the next check".into(),
        }
    }
}

autogrow_base::register! {
    PolicyKind {
        name: "late",
        origin: ORIGIN,
        summary: "grow once, late, to growth.max_depth",
        build: |config, plugins| {
            let Settings { epochs } = plugins.get("late")?;
            if epochs == 0 {
                return Err(Error::config("plugin.late.epochs", "= 0 is out of range")
                    .with_hint("it is 1 or more"));
            }
            Ok(Box::new(Late { goal: goal(config)?, epochs }))
        },
    },
    SettingsKind::of::<Settings>("late", ORIGIN).about("epochs of the seed"),
}
