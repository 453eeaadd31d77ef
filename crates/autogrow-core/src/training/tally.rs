//! [`Tally`]: sums over the images seen so far, and the [`Scores`] that come of them.

use super::objective::Objective;
use crate::Result;
use crate::ranks::Ranks;
use serde::{Deserialize, Deserializer, Serialize};

/// Sums over the images seen so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    images: usize,
    loss: f64,
    /// Those of the objective; nothing while there are no images. In checkpoints of format 1 it is
    /// `top1`, the number of images that are right.
    #[serde(alias = "top1", deserialize_with = "one_or_several")]
    sums: Vec<f64>,
}

/// How well a network did on a split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Number of images.
    pub images: usize,
    /// Mean loss of the objective.
    pub loss: f64,
    /// The objective's guiding score, percent; higher is better. Of classes: those whose class has
    /// the highest score. In checkpoints of format 1 it is `top1`.
    #[serde(alias = "top1")]
    pub score: f64,
}

impl Tally {
    /// Adds the images of a pass: the mean loss, then the objective's sums.
    pub(super) fn add(&mut self, images: usize, numbers: &[f32]) {
        let mut numbers = numbers.iter().copied().map(f64::from);
        let loss = numbers.next().unwrap_or(f64::NAN) * images as f64;
        self.join(&Self { images, loss, sums: numbers.collect() });
    }

    /// Adds what others have seen.
    pub(super) fn join(&mut self, other: &Self) {
        self.images += other.images;
        self.loss += other.loss;
        self.sums.resize(self.sums.len().max(other.sums.len()), 0.0);
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, number)| *sum += number);
    }

    /// The same over all ranks, in their order; `count` is the number of sums of the objective.
    ///
    /// # Errors
    /// [`Error::Ranks`](crate::Error::Ranks) where a rank is lost.
    pub(super) fn over(&self, ranks: &Ranks, count: usize) -> Result<Self> {
        let mut own = vec![self.images as f64, self.loss];
        own.extend(&self.sums);
        own.resize(2 + count, 0.0);
        let mut all = Self::default();
        for numbers in ranks.gather(&own)? {
            let (images, loss) = (numbers[0] as usize, numbers[1]);
            all.join(&Self { images, loss, sums: numbers[2..].to_vec() });
        }
        Ok(all)
    }

    /// Images seen so far.
    pub(crate) fn images(&self) -> usize {
        self.images
    }

    /// Mean loss.
    pub(super) fn loss(&self) -> f64 {
        self.loss / self.images.max(1) as f64
    }

    pub(super) fn scores(&self, objective: &dyn Objective) -> Scores {
        let score = objective.score(self.images, &self.sums);
        Scores { images: self.images, loss: self.loss(), score }
    }
}

/// A list of numbers, or a number alone as a list of one.
fn one_or_several<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Numbers {
        One(f64),
        Several(Vec<f64>),
    }
    Ok(match Numbers::deserialize(deserializer)? {
        Numbers::One(number) => vec![number],
        Numbers::Several(numbers) => numbers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_1_is_read() {
        let tally: Tally = toml::from_str("images = 32\nloss = 73.5\ntop1 = 7\ntop5 = 20").unwrap();
        assert_eq!(tally, Tally { images: 32, loss: 73.5, sums: vec![7.0] });
        let scores: Scores =
            toml::from_str("images = 32\nloss = 2.25\ntop1 = 21.875\ntop5 = 62.5").unwrap();
        assert_eq!(scores, Scores { images: 32, loss: 2.25, score: 21.875 });
    }
}
