//! Whether a network has learnt anything, and whether it has learnt what it can.

use crate::Evidence;
use crate::comparison::{Comparison, mean_score};

/// Points that training on has to bring at least for a network not to have settled, however low the
/// price is: less is noise.
const NOISE: f64 = 0.2;

/// Standard errors by which a network has to be ahead of a constant answer: it is looked at every K
/// epochs, and two would be had by luck in one of a few runs.
const ERRORS: f64 = 3.0;

/// Whether the last `window` epochs are ahead of the best constant answer by more than three standard
/// errors. Where nothing is known of that, a network counts as having learnt.
pub(crate) fn has_learnt(epochs: &[Evidence], window: usize) -> bool {
    let latter = &epochs[epochs.len() - window.min(epochs.len())..];
    let Some(last) = latter.last() else { return false };
    let Some(chance) = last.chance else { return true };
    mean_score(latter) - chance > NOISE.max(ERRORS * last.error_of_chance())
}

/// Whether the last `window` epochs are ahead of as many before by less than the price of a doubling.
pub(crate) fn has_settled(epochs: &[Evidence], window: usize, price: f64) -> bool {
    let Some(start) = epochs.len().checked_sub(2 * window) else { return false };
    let (former, latter) = epochs[start..].split_at(window);
    Comparison::of(latter, former, window, 0.0).gain < price.max(NOISE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bits;

    #[test]
    fn a_network_has_learnt_once_it_is_clearly_ahead_of_a_constant_answer() {
        // Half of 400 images are of the commonest class: the error is 2.5 points.
        let right: Bits = (0..400).map(|image| image < 200).collect();
        let of = |score| Evidence {
            score,
            chance: Some(50.0),
            right: Some(right.clone()),
            ..Evidence::default()
        };
        assert!(!has_learnt(&[], 2));
        assert!(!has_learnt(&[of(99.0), of(54.0), of(60.0)], 2));
        assert!(has_learnt(&[of(20.0), of(57.0), of(59.0)], 2));
        // Of values the mean explains nothing, and how far that is off by chance is not known.
        let value = |score| Evidence { score, chance: Some(0.0), ..Evidence::default() };
        assert!(!has_learnt(&[value(-300.0)], 1) && !has_learnt(&[value(0.1)], 1));
        assert!(has_learnt(&[value(0.3)], 1));
        assert!(has_learnt(&[Evidence::of_score(0.0)], 1), "nothing is known");
    }

    #[test]
    fn a_network_has_settled_once_training_on_brings_less_than_the_price() {
        let of = |scores: &[f64]| -> Vec<Evidence> {
            scores.iter().map(|&score| Evidence::of_score(score)).collect()
        };
        assert!(!has_settled(&of(&[50.0, 50.0, 50.0]), 2, 0.5), "too few epochs");
        assert!(!has_settled(&of(&[0.0, 50.0, 51.0, 51.0, 51.0]), 2, 0.5));
        assert!(has_settled(&of(&[0.0, 50.0, 51.0, 51.0, 50.8]), 2, 0.5));
        assert!(
            !has_settled(&of(&[50.0, 50.2]), 1, 0.0) && has_settled(&of(&[50.0, 50.1]), 1, 0.0)
        );
    }
}
