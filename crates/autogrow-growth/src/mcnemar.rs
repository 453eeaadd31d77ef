//! The exact test of McNemar (1947): do two networks differ in which images they get right?

use crate::Bits;

/// How many images the first gets right that the second does not, and the other way round.
pub fn disagreements(first: &Bits, second: &Bits) -> [usize; 2] {
    let pairs = || first.iter().zip(second.iter());
    [
        pairs().filter(|&(first, second)| first && !second).count(),
        pairs().filter(|&(first, second)| !first && second).count(),
    ]
}

/// The probability that two networks of which neither is the better one disagree at least as unevenly,
/// two-sided: of a fair coin thrown once for each image on which they disagree.
pub fn mcnemar([first, second]: [usize; 2]) -> f64 {
    let (fewer, count) = (first.min(second), first + second);
    // The binomial coefficients over 2^count, each from the one before, as logarithms.
    let mut term = -(count as f64) * std::f64::consts::LN_2;
    let mut tail = term.exp();
    for k in 1..=fewer {
        term += ((count - k + 1) as f64 / k as f64).ln();
        tail += term.exp();
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disagreements_are_counted_by_who_is_right() {
        let bits = |text: &str| text.chars().map(|bit| bit == '1').collect::<Bits>();
        assert_eq!(disagreements(&bits("110100"), &bits("011000")), [2, 1]);
    }

    /// Sums of binomial coefficients in whole numbers.
    #[test]
    fn the_probability_is_that_of_a_fair_coin() {
        for (counts, expected) in [
            ([0, 0], 1.0),
            ([5, 5], 1.0),
            ([0, 5], 0.0625),
            ([8, 2], 0.109375),
            ([1, 9], 0.021484375),
            ([121, 59], 4.434_449e-6),
        ] {
            let p = mcnemar(counts);
            assert!((p / expected - 1.0).abs() < 1e-6, "{counts:?}: {p} is not {expected}");
        }
        assert!(mcnemar([20_000, 20_300]) > 0.1 && mcnemar([0, 100_000]) < 1e-300);
    }
}
