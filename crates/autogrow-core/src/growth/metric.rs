//! The accuracy that guides growth: the running maximum of the validation accuracy (paper), or an
//! exponential moving average of it (released code).

use serde::{Deserialize, Serialize};

/// How an accuracy curve is made monotonous or smooth before it is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// The best accuracy so far.
    #[default]
    Max,
    /// 0.95 x the average so far + 0.05 x the new accuracy, starting at the first one.
    Ema,
}

/// The guiding accuracy after each epoch, in percent.
///
/// Accuracies that are not finite leave it where it was: they never count as an improvement.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    metric: Metric,
    values: Vec<f64>,
    /// Whether a finite accuracy has been seen; until then the value is 0.
    started: bool,
}

impl Curve {
    /// No epoch yet.
    pub fn new(metric: Metric) -> Self {
        Self { metric, values: Vec::new(), started: false }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_never_improves() {
        for metric in [Metric::Max, Metric::Ema] {
            let mut curve = Curve::new(metric);
            for accuracy in [f64::NAN, f64::INFINITY, 40.0, f64::INFINITY, f64::NAN, 39.0] {
                curve.push(accuracy);
            }
            assert_eq!(curve.values[..5], [0.0, 0.0, 40.0, 40.0, 40.0]);
            assert!(curve.last() <= 40.0);
        }
    }

    #[test]
    fn improvement_needs_one_epoch_more_than_its_window() {
        let mut curve = Curve::new(Metric::Max);
        assert_eq!(curve.improvement(0), None);
        curve.push(50.0);
        assert_eq!((curve.improvement(0), curve.improvement(1)), (Some(0.0), None));
        curve.push(52.0);
        curve.push(51.0);
        assert_eq!((curve.improvement(1), curve.improvement(2)), (Some(0.0), Some(2.0)));
    }
}
