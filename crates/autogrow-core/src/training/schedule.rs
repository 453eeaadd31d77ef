//! [`Schedule`]: how the step size changes over the epochs of a phase, by name.

use crate::Result;
use crate::settings::PluginSettings;

/// The step size over a phase, as a part of that at its start.
pub trait Schedule: Send {
    /// By what the step size is multiplied in epoch number `epoch`, from 0, of `epochs`.
    fn factor(&self, epoch: usize, epochs: usize) -> f64;
}

/// What a schedule is made for.
#[derive(Clone, Copy, Debug)]
pub struct ScheduleRequest<'a> {
    /// Parts of the phase at which a staircase goes down (`fine_tune.milestones`).
    pub milestones: &'a [f64],
    /// Settings of plugins.
    pub plugins: &'a PluginSettings,
}

/// A kind of schedule, registered with `inventory`.
pub struct ScheduleKind {
    /// Name in `training.schedule` and `fine_tune.schedule`.
    pub name: &'static str,
    /// Crate that registers it: `env!("CARGO_PKG_NAME")`.
    pub origin: &'static str,
    /// One line for `autogrow list`.
    pub summary: &'static str,
    /// Makes the schedule.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub build: fn(&ScheduleRequest<'_>) -> Result<Box<dyn Schedule>>,
}

crate::kind!(ScheduleKind, "schedule", "training.schedule");

/// By what the step size is multiplied where `done` epochs of a run are over, of so many to warm up in:
/// evenly from 0 to 1, as PyTorch's `LinearLR` rises step by step.
pub fn warm_up(warmup_epochs: usize, done: f64) -> f64 {
    if warmup_epochs == 0 { 1.0 } else { (done / warmup_epochs as f64).min(1.0) }
}

/// The same all the time: the paper's choice while growing, so that growth happens before
/// convergence.
struct Constant;

impl Schedule for Constant {
    fn factor(&self, _: usize, _: usize) -> f64 {
        1.0
    }
}

/// x0.1 at each milestone.
struct Staircase {
    milestones: Vec<f64>,
}

impl Schedule for Staircase {
    fn factor(&self, epoch: usize, epochs: usize) -> f64 {
        // Whole epochs, rounded down: K / 2 and 3 K / 4 are integers in the released code.
        let starts = |milestone: &&f64| (**milestone * epochs as f64 + 1e-9) as usize <= epoch;
        0.1f64.powi(self.milestones.iter().filter(starts).count() as i32)
    }
}

/// Half a wave of the cosine, from 1 towards 0 (Loshchilov and Hutter 2017), without restarts.
struct Cosine;

impl Schedule for Cosine {
    fn factor(&self, epoch: usize, epochs: usize) -> f64 {
        0.5 * (1.0 + (std::f64::consts::PI * part(epoch, epochs)).cos())
    }
}

/// Evenly from 1 towards 0.
struct Linear;

impl Schedule for Linear {
    fn factor(&self, epoch: usize, epochs: usize) -> f64 {
        1.0 - part(epoch, epochs)
    }
}

/// The part of a phase that is over.
fn part(epoch: usize, epochs: usize) -> f64 {
    epoch as f64 / epochs.max(1) as f64
}

crate::register! {
    ScheduleKind {
        name: "constant",
        origin: env!("CARGO_PKG_NAME"),
        summary: "the same step size all the time",
        build: |_| Ok(Box::new(Constant)),
    },
    ScheduleKind {
        name: "staircase",
        origin: env!("CARGO_PKG_NAME"),
        summary: "x0.1 at each milestone, at 1/2 and 3/4 of an interval while growing",
        build: |request| Ok(Box::new(Staircase { milestones: request.milestones.to_vec() })),
    },
    ScheduleKind {
        name: "cosine",
        origin: env!("CARGO_PKG_NAME"),
        summary: "half a wave of the cosine, towards 0",
        build: |_| Ok(Box::new(Cosine)),
    },
    ScheduleKind {
        name: "linear",
        origin: env!("CARGO_PKG_NAME"),
        summary: "evenly towards 0",
        build: |_| Ok(Box::new(Linear)),
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::find;

    fn schedule(name: &str) -> Box<dyn Schedule> {
        let plugins = PluginSettings::default();
        let request = ScheduleRequest { milestones: &[0.5, 0.75], plugins: &plugins };
        (find::<ScheduleKind>(name).unwrap().build)(&request).unwrap()
    }

    fn staircase() -> Box<dyn Schedule> {
        schedule("staircase")
    }

    /// As PyTorch's CosineAnnealingLR(optimizer, 8) and LinearLR(optimizer, 1, 0, 8) say.
    #[test]
    fn cosine_and_linear_are_pytorchs() {
        let cosine = [
            1.0,
            0.961_939_766_255_643_4,
            0.853_553_390_593_273_8,
            0.691_341_716_182_545,
            0.5,
            0.308_658_283_817_455_1,
            0.146_446_609_406_726_24,
            0.038_060_233_744_356_63,
        ];
        let linear = [1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125];
        for (name, factors) in [("cosine", cosine), ("linear", linear)] {
            for (epoch, factor) in factors.into_iter().enumerate() {
                let off = schedule(name).factor(epoch, 8) - factor;
                assert!(off.abs() < 1e-12, "{name}, epoch {epoch}: {off}");
            }
            assert_eq!(schedule(name).factor(0, 0), 1.0);
        }
    }

    #[test]
    fn fine_tuning_drops_at_epochs_100_and_150_of_200() {
        let schedule = staircase();
        for (epoch, factor) in [(0, 1.0), (99, 1.0), (100, 0.1), (149, 0.1), (150, 0.01)] {
            assert!((schedule.factor(epoch, 200) - factor).abs() < 1e-12, "{epoch}");
        }
    }

    #[test]
    fn milestones_are_whole_epochs() {
        let schedule = staircase();
        let drops = |epochs: usize| -> Vec<usize> {
            let drops = |epoch: &usize| {
                schedule.factor(*epoch, epochs) < schedule.factor(*epoch - 1, epochs)
            };
            (1..epochs).filter(drops).collect()
        };
        assert_eq!(drops(3), [1, 2]);
        assert_eq!(drops(7), [3, 5]);
        assert_eq!(drops(90), [45, 67]);
    }
}
