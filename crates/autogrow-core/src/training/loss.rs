//! Cross entropy, and how many images are classified right.

use crate::Result;
use crate::ranks::Ranks;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Mean cross entropy of scores `[batch, classes]`.
pub(crate) fn cross_entropy(logits: Tensor<2>, labels: &[usize]) -> Tensor<1> {
    let targets = targets(labels, &logits.device());
    log_softmax(logits, 1).gather(1, targets).mean().neg()
}

fn targets(labels: &[usize], device: &Device) -> Tensor<2, Int> {
    let labels: Vec<i64> = labels.iter().map(|&label| label as i64).collect();
    let count = labels.len();
    Tensor::from_data(TensorData::new(labels, [count, 1]), device)
}

/// Sums over the images seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    images: usize,
    loss: f64,
    top1: usize,
    top5: usize,
}

/// How well a network did on a split.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Scores {
    /// Number of images.
    pub images: usize,
    /// Mean cross entropy.
    pub loss: f64,
    /// Images whose class has the highest score, percent.
    pub top1: f64,
    /// Images whose class is among the five highest scores, percent.
    pub top5: f64,
}

impl Tally {
    /// Adds the images of one step: their mean loss and their scores.
    pub(super) fn add(&mut self, loss: f64, logits: Tensor<2>, labels: &[usize]) {
        let classes = logits.dims()[1];
        let scores: Vec<f32> = logits.into_data().iter::<f32>().collect();
        self.images += labels.len();
        self.loss += loss * labels.len() as f64;
        for (scores, &label) in scores.chunks_exact(classes).zip(labels) {
            let place = place(scores, label);
            self.top1 += usize::from(place < 1);
            self.top5 += usize::from(place < 5);
        }
    }

    /// Adds what others have seen.
    pub(super) fn join(&mut self, other: &Self) {
        self.images += other.images;
        self.loss += other.loss;
        self.top1 += other.top1;
        self.top5 += other.top5;
    }

    /// The same over all ranks, in their order.
    ///
    /// # Errors
    /// [`Error::Ranks`](crate::Error::Ranks) where a rank is lost.
    pub(super) fn over(&self, ranks: &Ranks) -> Result<Self> {
        let own = [self.images as f64, self.loss, self.top1 as f64, self.top5 as f64];
        let mut all = Self::default();
        for numbers in ranks.gather(&own)? {
            all.join(&Self {
                images: numbers[0] as usize,
                loss: numbers[1],
                top1: numbers[2] as usize,
                top5: numbers[3] as usize,
            });
        }
        Ok(all)
    }

    pub(super) fn images(&self) -> usize {
        self.images
    }

    /// Mean loss.
    pub(super) fn loss(&self) -> f64 {
        self.loss / self.images.max(1) as f64
    }

    pub(super) fn scores(&self) -> Scores {
        let images = self.images.max(1) as f64;
        Scores {
            images: self.images,
            loss: self.loss / images,
            top1: 100.0 * self.top1 as f64 / images,
            top5: 100.0 * self.top5 as f64 / images,
        }
    }
}

/// How many classes come before `label`: those with a higher score, and among equal ones those of
/// a lower index. A score that is not a number comes last.
pub(super) fn place(scores: &[f32], label: usize) -> usize {
    let own = scores[label];
    let before = |(class, &score): (usize, &f32)| {
        score > own || (score == own && class < label) || (own.is_nan() && class != label)
    };
    scores.iter().enumerate().filter(|&entry| before(entry)).count()
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn places() {
        assert_eq!(place(&[0.1, 0.9, 0.5], 1), 0);
        assert_eq!(place(&[0.1, 0.9, 0.5], 0), 2);
        assert_eq!((place(&[1.0, 1.0], 0), place(&[1.0, 1.0], 1)), (0, 1));
        assert_eq!(place(&[f32::NAN, 0.0], 0), 1);
        assert_eq!(place(&[f32::NAN, 0.0], 1), 0);
    }
}
