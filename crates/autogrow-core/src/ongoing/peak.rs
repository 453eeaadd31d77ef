//! The best network that growing has passed: kept where the one that is found is worse, as after a
//! collapse of training.

use super::Run;
use crate::Result;
use crate::growth::Comparison;
use crate::network::Network;
use crate::run::{Peak, Phase};
use autogrow_run::validation::ValidationEpoch;

impl Run<'_> {
    /// Keeps `network`, as the last growing epoch has left it, where no epoch before has shown a
    /// better one. Warns of a collapse.
    pub(super) fn keep_if_peak(&mut self, network: &Network) -> Result<()> {
        let growing: Vec<_> = self.growing().map(|epoch| epoch.evidence.score).collect();
        let Some((last, before)) = growing.split_last() else { return Ok(()) };
        if before.iter().all(|score| score < last) {
            return self.watch.peak(network);
        }
        if has_collapsed(&growing) {
            tracing::warn!(
                "the score on the images that guide growth has fallen from {:.2} to {last:.2} % for two \
                 epochs: a smaller training.learning_rate, training.clip_norm, or policy worth, which \
                 takes such growths back, may help",
                before.iter().copied().fold(f64::NEG_INFINITY, f64::max)
            );
        }
        Ok(())
    }

    /// The best growing epoch, where it is ahead of the run's best network by more than two standard
    /// errors.
    pub(super) fn peak(&self) -> Option<Peak> {
        let score = |epoch: &&ValidationEpoch| epoch.evidence.score;
        // Of equals the first, as `keep_if_peak` has it.
        let peak = self.growing().reduce(|best, epoch| match score(&epoch) > score(&best) {
            true => epoch,
            false => best,
        })?;
        let best = self.state.best?.score;
        let found = self.validation.iter().rev().find(|epoch| score(epoch) == best)?;
        let ahead = Comparison::of(
            std::slice::from_ref(&peak.evidence),
            std::slice::from_ref(&found.evidence),
            1,
            0.0,
        );
        (ahead.gain > 2.0 * ahead.error).then(|| Peak {
            epoch: peak.epoch,
            depth: peak.depth.clone(),
            val_accuracy: peak.evidence.score,
        })
    }

    fn growing(&self) -> impl Iterator<Item = &ValidationEpoch> {
        self.validation.iter().filter(|epoch| epoch.phase == Phase::Growing)
    }
}

/// Whether the last two scores, and not the one before them, are below half of the best.
fn has_collapsed(scores: &[f64]) -> bool {
    let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let is_low = |score: &f64| *score < best / 2.0;
    matches!(scores, [.., before, one, other] if !is_low(before) && is_low(one) && is_low(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collapse_is_told_once() {
        let told = |scores: &[f64]| {
            (1..=scores.len()).filter(|&end| has_collapsed(&scores[..end])).collect::<Vec<_>>()
        };
        assert_eq!(told(&[10.0, 40.0, 43.0, 11.0, 11.0, 11.0, 12.0]), [5]);
        assert_eq!(told(&[10.0, 40.0, 11.0, 41.0, 11.0, 42.0]), [0; 0], "one bad epoch");
        assert_eq!(told(&[60.0, 70.0, 50.0, 48.0, 75.0]), [0; 0]);
    }
}
