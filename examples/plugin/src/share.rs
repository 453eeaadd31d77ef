//! A policy with a setting: grow at every check, and stop where J epochs took away less than a
//! twentieth (`[plugin.share] part = 0.05`) of the errors there were. From 50 % to 52 % is not worth
//! another sub-module, from 98.0 % to 98.5 % is.

use autogrow_core::Error;
use autogrow_core::growth::{Policy, PolicyKind, Verdict, View};
use autogrow_core::settings::SettingsKind;
use serde::{Deserialize, Serialize};

/// `[plugin.share]`.
#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Settings {
    /// Part of the errors that J epochs have to take away, above 0 and below 1.
    part: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { part: 0.05 }
    }
}

#[derive(Debug)]
struct Share {
    /// J, epochs.
    patience: usize,
    part: f64,
}

impl Share {
    /// The part of the errors that the last J epochs took away; none while there are too few.
    fn taken(&self, view: View<'_>) -> Option<f64> {
        let gained = view.curve.improvement(self.patience)?;
        let errors = 100.0 - (view.curve.last() - gained);
        Some(if errors > 0.0 { gained / errors } else { 0.0 })
    }
}

impl Policy for Share {
    fn decide(&self, view: View<'_>) -> Vec<Verdict> {
        let stop = self.taken(view).is_some_and(|taken| taken < self.part);
        if stop { vec![Verdict::Stop, Verdict::GROW] } else { vec![Verdict::GROW] }
    }

    fn waiting(&self, view: View<'_>) -> String {
        let limit = 100.0 * self.part;
        match self.taken(view) {
            Some(taken) => {
                format!("{:.1} % of the errors taken, stops below {limit}", 100.0 * taken)
            }
            None => format!("stops after epoch {} at the earliest", self.patience + 1),
        }
    }

    // Scores that never improve take no errors away: growth then stops at the first chance.
    fn has_floor(&self) -> bool {
        true
    }
}

autogrow_core::register! {
    PolicyKind {
        name: "share",
        origin: env!("CARGO_PKG_NAME"),
        summary: "grow every K epochs, stop when J epochs take away too few of the errors",
        build: |config, plugins| {
            let Settings { part } = plugins.get("share")?;
            if !(part > 0.0 && part < 1.0) {
                return Err(Error::config("plugin.share.part", format!("= {part} is out of range"))
                    .with_hint("it is above 0 and below 1"));
            }
            Ok(Box::new(Share { patience: config.patience, part }))
        },
    },
    SettingsKind::of::<Settings>("share", env!("CARGO_PKG_NAME")),
}
