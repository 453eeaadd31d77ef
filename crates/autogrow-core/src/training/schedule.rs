//! How the step size changes over epochs.

use serde::{Deserialize, Serialize};

/// The step size while growing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleName {
    /// The same all the time: the paper's choice, so that growth happens before convergence.
    #[default]
    Constant,
    /// x0.1 at 1/2 and at 3/4 of every interval, then back to the start.
    Staircase,
}

/// Step sizes of a phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The step size at the start.
    pub initial: f64,
    /// After how many epochs it starts again.
    pub period: usize,
    /// Parts of the period at which it is divided by ten.
    pub milestones: Vec<f64>,
}

impl Schedule {
    /// The step size while growing with checks every `interval` epochs.
    pub fn growing(name: ScheduleName, initial: f64, interval: usize) -> Self {
        let milestones = match name {
            ScheduleName::Constant => vec![],
            ScheduleName::Staircase => vec![0.5, 0.75],
        };
        Self { initial, period: interval, milestones }
    }

    /// The step size of an epoch of the phase, from 0.
    pub fn rate(&self, epoch: usize) -> f64 {
        let epoch = (epoch % self.period.max(1)) as f64;
        let passed = |milestone: &&f64| epoch >= **milestone * self.period as f64;
        let drops = self.milestones.iter().filter(passed).count();
        self.initial * 0.1f64.powi(drops as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fine_tuning_drops_at_epochs_100_and_150_of_200() {
        let schedule = Schedule { initial: 0.1, period: 200, milestones: vec![0.5, 0.75] };
        let close = |epoch, rate: f64| assert!((schedule.rate(epoch) - rate).abs() < 1e-12);
        for (epoch, rate) in [(0, 0.1), (99, 0.1), (100, 0.01), (149, 0.01), (150, 0.001)] {
            close(epoch, rate);
        }
    }

    #[test]
    fn a_growing_staircase_starts_again_every_interval() {
        let schedule = Schedule::growing(ScheduleName::Staircase, 1.0, 4);
        let rates: Vec<_> = (0..8).map(|epoch| schedule.rate(epoch)).collect();
        assert_eq!(rates[..4], rates[4..]);
        assert!(rates[1] > 5.0 * rates[2] && rates[2] > 5.0 * rates[3]);
        assert_eq!(Schedule::growing(ScheduleName::Constant, 0.1, 3).rate(77), 0.1);
    }
}
