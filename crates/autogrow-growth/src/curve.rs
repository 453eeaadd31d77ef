//! The accuracy that guides growth: the running maximum of the validation accuracy (paper), or an
//! exponential moving average of it (released code).

use serde::{Deserialize, Serialize};

/// Which of two descriptions of AutoGrow to follow where they differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compat {
    /// The paper.
    #[default]
    Paper,
    /// The authors' released code.
    Code,
}

/// Which weights are evaluated after an epoch: those scores guide growth and select the best network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Guide {
    /// The weights as they are, batch norms by their running statistics, as in the paper.
    #[default]
    Raw,
    /// The mean of the weights over about the last epoch, batch norms by statistics that are
    /// measured anew for it: much less noise, and close to what a smaller step size would give.
    Averaged,
}

/// How an accuracy curve is made monotonous or smooth before it is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// The best accuracy so far.
    #[default]
    Max,
    /// 0.95 x the average so far + 0.05 x the new accuracy, starting at the first one (released
    /// code: at 0).
    Ema,
}

/// The guiding accuracy after each epoch, in percent.
///
/// Accuracies that are not finite leave it where it was: they never count as an improvement.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    metric: Metric,
    values: Vec<f64>,
    /// Whether the value is one to go on from; until a finite accuracy has been seen it is 0.
    started: bool,
}

impl Curve {
    /// No epoch yet.
    pub fn new(metric: Metric, compat: Compat) -> Self {
        // An average that starts at 0 needs no first accuracy.
        let started = metric == Metric::Ema && compat == Compat::Code;
        Self { metric, values: Vec::new(), started }
    }

    /// Adds the accuracy of one more epoch, in percent.
    pub fn push(&mut self, accuracy: f64) {
        let last = self.last();
        self.values.push(match self.metric {
            _ if !accuracy.is_finite() => last,
            _ if !self.started => accuracy,
            Metric::Max => last.max(accuracy),
            Metric::Ema => 0.95 * last + 0.05 * accuracy,
        });
        self.started |= accuracy.is_finite();
    }

    /// The value after each epoch, percent.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Epochs so far.
    pub fn epochs(&self) -> usize {
        self.values.len()
    }

    /// The value after the last epoch; 0 before the first.
    pub fn last(&self) -> f64 {
        self.values.last().copied().unwrap_or(0.0)
    }

    /// What the last `epochs` epochs brought, in percentage points; none while there are not
    /// `epochs` + 1 epochs to compare.
    pub fn improvement(&self, epochs: usize) -> Option<f64> {
        let now = self.values.len().checked_sub(1)?;
        Some(self.values[now] - self.values[now.checked_sub(epochs)?])
    }
}

/// Whether a gain is less than a threshold, both in percentage points. Scores of n images are
/// counts of images over n, so two that differ do so by 100/n points at least; what is closer than
/// that for any n up to 1e9 is the same count, and a gain of exactly the threshold is not less.
pub fn less(gained: f64, threshold: f64) -> bool {
    gained < threshold - 1e-8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_of_exactly_the_threshold_is_not_less() {
        // tau = 0.05 of 2,000 images is one image.
        let percent = |right: usize| 100.0 * right as f64 / 2000.0;
        let mut rounded_down = 0;
        for right in 0..2000 {
            let gained = percent(right + 1) - percent(right);
            rounded_down += usize::from(gained < 0.05);
            assert!(!less(gained, 0.05), "{right}");
            assert!(less(percent(right) - percent(right), 0.05));
        }
        assert!(rounded_down > 500, "without the margin many would count as less");
    }

    #[test]
    fn what_is_not_finite_never_improves() {
        for metric in [Metric::Max, Metric::Ema] {
            let mut curve = Curve::new(metric, Compat::Paper);
            for accuracy in [f64::NAN, f64::INFINITY, 40.0, f64::INFINITY, f64::NAN, 39.0] {
                curve.push(accuracy);
            }
            assert_eq!(curve.values[..5], [0.0, 0.0, 40.0, 40.0, 40.0]);
            assert!(curve.last() <= 40.0);
        }
    }

    #[test]
    fn the_average_of_the_released_code_starts_at_0() {
        let mut curve = Curve::new(Metric::Ema, Compat::Code);
        curve.push(80.0);
        curve.push(80.0);
        let expected = [0.05 * 80.0, 0.95 * 0.05 * 80.0 + 0.05 * 80.0];
        assert!(curve.values.iter().zip(expected).all(|(own, other)| (own - other).abs() < 1e-12));
    }

    #[test]
    fn improvement_needs_one_epoch_more_than_its_window() {
        let mut curve = Curve::new(Metric::Max, Compat::Paper);
        assert_eq!(curve.improvement(0), None);
        curve.push(50.0);
        assert_eq!((curve.improvement(0), curve.improvement(1)), (Some(0.0), None));
        curve.push(52.0);
        curve.push(51.0);
        assert_eq!((curve.improvement(1), curve.improvement(2)), (Some(0.0), Some(2.0)));
    }
}
