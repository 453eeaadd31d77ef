//! `certificate.json`: the found network beside the same network one level shallower and one deeper.

use autogrow_growth::{Comparison, Depth};
use serde::{Deserialize, Serialize};

/// What a run's found depth is worth. All are trained from the same network, as growth left it, on the
/// same batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Version of the document.
    pub schema: u32,
    /// Percentage points that a doubling of the multiply-accumulate operations has to bring.
    pub price: f64,
    /// Number of test images.
    pub images: usize,
    /// The found network.
    pub found: Contender,
    /// One level shallower, where there is such a network.
    pub shallower: Option<Rival>,
    /// One level deeper.
    pub deeper: Rival,
}

/// A network, trained once for each of some orders of the images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contender {
    /// Its depth.
    pub depth: Depth,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
    /// Guiding score on the test images, percent, for each order of the images.
    pub test_percent: Vec<f64>,
}

/// A network beside the found one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    /// The network.
    #[serde(flatten)]
    pub contender: Contender,
    /// What the deeper of the two is ahead by on the test images, percentage points, mean over the
    /// orders.
    pub gain: f64,
    /// Standard error of that.
    pub error: f64,
    /// What its cost asks for.
    pub asked: f64,
    /// Images that the found network alone has right, and those that this one alone has, for each
    /// order; none where right and wrong make no sense.
    pub alone: Option<Vec<[usize; 2]>>,
    /// Probability of so uneven a disagreement between equals (exact test of McNemar), for each
    /// order.
    pub p: Option<Vec<f64>>,
    /// Which of the two is the better one at this price.
    pub verdict: Verdict,
}

/// Which of two networks is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The deeper one brings its price.
    Deeper,
    /// The deeper one does not bring its price.
    Shallower,
    /// The price is within one standard error of what it brings.
    Undecided,
}

impl Verdict {
    /// Of a comparison of the deeper with the shallower network.
    pub fn of(comparison: &Comparison) -> Self {
        let Comparison { gain, error, price, .. } = *comparison;
        if gain - error > price {
            Self::Deeper
        } else if gain + error < price {
            Self::Shallower
        } else {
            Self::Undecided
        }
    }
}

impl Certificate {
    /// The depth that is the better one at the price: that of the neighbour that is better than the
    /// found network, if there is one.
    pub fn best(&self) -> &Depth {
        let is_better = |rival: &&Rival, verdict| rival.verdict == verdict;
        let shallower =
            self.shallower.as_ref().filter(|rival| is_better(rival, Verdict::Shallower));
        let deeper = Some(&self.deeper).filter(|rival| is_better(rival, Verdict::Deeper));
        shallower.or(deeper).map_or(&self.found.depth, |rival| &rival.contender.depth)
    }

    /// What is to be said of each neighbour, a sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let found = &self.found.depth;
        let below = self.shallower.as_ref().map(|rival| {
            let depth = &rival.contender.depth;
            match rival.verdict {
                Verdict::Deeper => format!("{found} is worth its cost over {depth}."),
                Verdict::Shallower => format!("{found} is not worth its cost over {depth}."),
                Verdict::Undecided => {
                    format!("Whether {found} is worth its cost over {depth} is undecided.")
                }
            }
        });
        let depth = &self.deeper.contender.depth;
        let above = match self.deeper.verdict {
            Verdict::Deeper => format!("{depth} would be worth its cost."),
            Verdict::Shallower => format!("{depth} would not be worth its cost."),
            Verdict::Undecided => format!("Whether {depth} would be worth its cost is undecided."),
        };
        below.into_iter().chain([above]).collect()
    }
}

impl Contender {
    /// Mean over the orders of the guiding score on the test images, percent.
    pub fn mean_percent(&self) -> f64 {
        self.test_percent.iter().sum::<f64>() / self.test_percent.len().max(1) as f64
    }
}

/// Several comparisons of the same two networks, one for each order of the images, as one: the test
/// images are the same
/// each time, the training is not.
pub fn pooled(comparisons: &[Comparison]) -> Comparison {
    let count = comparisons.len().max(1) as f64;
    let mean = |of: fn(&Comparison) -> f64| comparisons.iter().map(of).sum::<f64>() / count;
    let gain = mean(|comparison| comparison.gain);
    let images = mean(|comparison| comparison.error * comparison.error);
    let squares: f64 = comparisons.iter().map(|comparison| (comparison.gain - gain).powi(2)).sum();
    let training = squares / (count - 1.0).max(1.0) / count;
    Comparison {
        gain,
        error: (images + training).sqrt(),
        price: mean(|comparison| comparison.price),
        usual: mean(|comparison| comparison.usual),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_add_their_scatter() {
        let one = |gain| Comparison { gain, error: 0.3, price: 0.5, usual: 1.0 };
        assert_eq!(pooled(&[one(1.0)]), one(1.0));
        let two = pooled(&[one(1.0), one(2.0)]);
        assert_eq!((two.gain, two.price), (1.5, 0.5));
        assert!((two.error - (0.09 + 0.25_f64).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn within_an_error_of_the_price_nothing_is_decided() {
        let verdict = |gain| Verdict::of(&Comparison { gain, error: 0.3, price: 0.5, usual: 1.0 });
        let verdicts = [0.1, 0.3, 0.7, 0.9].map(verdict);
        use Verdict::{Deeper, Shallower, Undecided};
        assert_eq!(verdicts, [Shallower, Undecided, Undecided, Deeper]);
    }
}
