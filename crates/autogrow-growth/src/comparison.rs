//! [`Comparison`]: two networks on the same images, and whether the more costly one pays.

use crate::Evidence;
use std::fmt;

/// What a network is ahead of another by, and what it has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// What it is ahead by, percentage points of the guiding score.
    pub gain: f64,
    /// Standard error of the gain: of the images that happen to be there, and of the epochs.
    pub error: f64,
    /// What its cost asks for.
    pub price: f64,
    /// What a growth of such a cost brings as a rule.
    pub usual: f64,
}

impl Comparison {
    /// `grown` against `before` over the last epochs of each, `window` at most; `price` is for a
    /// doubling of the cost.
    pub fn of(grown: &[Evidence], before: &[Evidence], window: usize, price: f64) -> Self {
        let last = |epochs: &'_ [Evidence]| epochs.len() - window.min(epochs.len());
        let (grown, before) = (&grown[last(grown)..], &before[last(before)..]);
        let macs = |epochs: &[Evidence]| epochs.last().map_or(0, |epoch| epoch.macs).max(1) as f64;
        let gain = mean_score(grown) - mean_score(before);
        let epochs = epoch_variance(grown) / grown.len().max(1) as f64
            + epoch_variance(before) / before.len().max(1) as f64;
        let error = (image_variance(grown, before, gain) + epochs).sqrt();
        let doublings = (macs(grown) / macs(before)).log2().max(0.0);
        let usual = if doublings > 0.0 { USUAL * doublings } else { USUAL };
        Self { gain, error, price: price * doublings, usual }
    }

    /// Whether the gain, as far as it counts, is above the price; of equals the cheaper network is the
    /// better one.
    pub fn pays(&self) -> bool {
        self.counted() > self.price
    }

    /// How much of the gain counts: its mean given what was measured, where a growth brings or costs
    /// what is usual, on average nothing (a normal prior). All of a gain that is exactly known, half of
    /// one with an error as large as what is usual.
    pub fn counted(&self) -> f64 {
        let usual = self.usual * self.usual;
        self.gain * usual / (usual + self.error * self.error)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self { gain, error, price, .. }, counted) = (self, self.counted());
        write!(f, "{gain:+.2} ± {error:.2} (counts as {counted:+.2}), price {price:.2}")
    }
}

/// What a doubling of the cost brings as a rule, percentage points: on a tenth of Fashion-MNIST 1.6 from
/// 1-1-1 to 2-2-2 and 1 from there to 5-5-4, on the digits nothing.
const USUAL: f64 = 1.0;

/// The square of what one image may differ by, in points.
const ONE_IMAGE: f64 = 100.0 * 100.0;

pub(crate) fn mean_score(epochs: &[Evidence]) -> f64 {
    epochs.iter().map(|epoch| epoch.score).sum::<f64>() / epochs.len().max(1) as f64
}

/// Variance of a score between epochs of one network, from neighbours, so that a trend counts for
/// little.
fn epoch_variance(epochs: &[Evidence]) -> f64 {
    let squares = epochs.windows(2).map(|pair| (pair[1].score - pair[0].score).powi(2));
    squares.sum::<f64>() / (2 * (epochs.len().max(2) - 1)) as f64
}

/// Variance of the gain by the choice of images; 0 where nothing is known of them.
fn image_variance(grown: &[Evidence], before: &[Evidence], gain: f64) -> f64 {
    let (Some(grown), Some(before)) = (per_image(grown), per_image(before)) else { return 0.0 };
    if grown.len() != before.len() || grown.len() < 2 {
        return 0.0;
    }
    let count = grown.len() as f64;
    let differences = grown.iter().zip(&before).map(|(grown, before)| grown - before);
    let squares: f64 = differences.map(|difference| (difference - gain).powi(2)).sum();
    // As if they differed on one image more: two that agree on all of a few images may well differ.
    (squares + ONE_IMAGE) / (count - 1.0) / count
}

/// What each image contributes to the mean score of the epochs, in points: how often it was right, or
/// where that makes no sense, what its part of the loss stands for. None where the images are not
/// known or not the same ones.
fn per_image(epochs: &[Evidence]) -> Option<Vec<f64>> {
    let images = epochs.first()?.losses.len();
    let mut sums = vec![0.0; images];
    for epoch in epochs {
        if epoch.losses.len() != images {
            return None;
        }
        match &epoch.right {
            Some(right) => {
                let bits = sums.iter_mut().zip(right.iter());
                bits.for_each(|(sum, right)| *sum += 100.0 * f64::from(u8::from(right)));
            }
            None => {
                // A score of 100 is a loss of 0, and in between it falls evenly: so it is with the
                // part of the variance that is explained.
                let total: f64 = epoch.losses.iter().copied().map(f64::from).sum();
                let per_loss = (100.0 - epoch.score) * images as f64 / total;
                let losses = sums.iter_mut().zip(epoch.losses.iter());
                losses.for_each(|(sum, &loss)| *sum += 100.0 - per_loss * f64::from(loss));
            }
        }
    }
    let epochs = epochs.len() as f64;
    (images > 0).then(|| sums.into_iter().map(|sum| sum / epochs).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bits;

    fn evidence(right: &[bool], macs: u64) -> Evidence {
        let bits: Bits = right.iter().copied().collect();
        let score = 100.0 * bits.count() as f64 / right.len() as f64;
        let losses = right.iter().map(|&right| f32::from(u8::from(!right))).collect();
        Evidence { score, macs, right: Some(bits), losses, ..Evidence::default() }
    }

    /// By hand: of 8 images two become right and one wrong; twice the cost.
    #[test]
    fn the_error_is_that_of_the_images_on_which_they_differ() {
        let before = [true, true, true, true, false, false, false, false];
        let grown = [true, true, true, false, true, true, false, false];
        let (before, grown) = ([evidence(&before, 100)], [evidence(&grown, 200)]);
        let comparison = Comparison::of(&grown, &before, 3, 0.5);
        assert_eq!((comparison.gain, comparison.price), (12.5, 0.5));
        // Differences 1, 1, -1 and five 0, mean 1/8, and one for good measure: variance
        // (3 - 8/64 + 1) / 7, of the mean an eighth.
        let expected = 100.0 * ((3.0 - 0.125 + 1.0) / 7.0 / 8.0_f64).sqrt();
        assert!((comparison.error - expected).abs() < 1e-9, "{comparison}");
        // The same from losses: a loss of 1 stands for 100 points here.
        let unknown = |evidence: &Evidence| Evidence { right: None, ..evidence.clone() };
        let by_loss =
            Comparison::of(&grown.map(|e| unknown(&e)), &before.map(|e| unknown(&e)), 3, 0.5);
        assert!((by_loss.error - expected).abs() < 1e-9, "{by_loss}");
    }

    #[test]
    fn epochs_count_as_far_as_they_scatter() {
        let scores = |scores: &[f64]| -> Vec<Evidence> {
            scores.iter().map(|&score| Evidence::of_score(score)).collect()
        };
        let comparison = Comparison::of(&scores(&[9.0, 80.0, 82.0]), &scores(&[80.0]), 2, 0.5);
        assert_eq!(comparison.gain, 1.0);
        assert!((comparison.error - (4.0 / 2.0 / 2.0_f64).sqrt()).abs() < 1e-12);
        assert_eq!(comparison.price, 0.0, "no cost is known");
        assert!(comparison.pays() && !Comparison { gain: 0.0, ..comparison }.pays());
        assert!(!Comparison::of(&[], &[], 2, 0.5).pays());
    }

    #[test]
    fn a_gain_counts_as_far_as_it_is_known() {
        let pays = |gain, error| Comparison { gain, error, price: 0.25, usual: 0.5 }.pays();
        assert!(pays(0.26, 0.0) && !pays(0.25, 0.0));
        // By half.
        assert!(pays(0.52, 0.5) && !pays(0.48, 0.5));
        assert!(!pays(3.0, 2.0));
    }
}
