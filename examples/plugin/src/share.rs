//! A policy: grow at every check, and stop where J epochs took away less than a twentieth of the
//! errors there were. From 50 % to 52 % is not worth another sub-module, from 98.0 % to 98.5 % is.

use autogrow_core::growth::{Policy, PolicyKind, View};

/// Part of the errors that J epochs have to take away.
const SHARE: f64 = 0.05;

#[derive(Debug)]
struct Share {
    /// J, epochs.
    patience: usize,
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
    fn grow(&self, _: View<'_>) -> bool {
        true
    }

    fn stop(&self, view: View<'_>) -> bool {
        self.taken(view).is_some_and(|taken| taken < SHARE)
    }

    fn waiting(&self, view: View<'_>) -> String {
        match self.taken(view) {
            Some(taken) => format!("{:.1} % of the errors taken, stops below 5", 100.0 * taken),
            None => format!("stops after epoch {} at the earliest", self.patience + 1),
        }
    }
}

autogrow_core::register! {
    PolicyKind {
        name: "share",
        origin: env!("CARGO_PKG_NAME"),
        summary: "grow every K epochs, stop when J epochs take away under a twentieth of the errors",
        build: |config| Box::new(Share { patience: config.patience }),
    },
}
