//! What there is to say of a network's class scores.

use serde::Serialize;

/// Bins of confidence for the calibration error (Guo et al. 2017).
const BINS: usize = 15;
/// Classes up to which the confusion matrix is given.
const MATRIX: usize = 200;

/// Mistakes that are told by themselves: the most confident ones.
const WORST: usize = 12;

/// Sums over the images seen so far.
#[derive(Clone, Debug)]
pub(super) struct ClassEvaluation {
    names: Vec<String>,
    classes: usize,
    images: usize,
    loss: f64,
    top5: usize,
    /// Images of each class, and those of them that were recognised.
    counts: Vec<[usize; 2]>,
    /// How often an image of a class (row) was taken for another (column); nothing where there are
    /// very many classes.
    confusion: Vec<usize>,
    bins: [Bin; BINS],
    /// In the order of the images.
    mistakes: Vec<Mistake>,
}

/// Images whose highest probability lies in one range.
#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    images: usize,
    correct: usize,
    confidence: f64,
}

/// The results of an evaluation of classes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassesReport {
    /// Number of images.
    pub images: usize,
    /// Mean cross entropy.
    pub loss: f64,
    /// Images whose class has the highest score, percent.
    pub top1: f64,
    /// Images whose class is among the five highest scores, percent.
    pub top5: f64,
    /// Expected calibration error over 15 bins: how far probabilities are from frequencies, from
    /// 0 to 1.
    pub ece: f64,
    /// Each class by itself.
    pub classes: Vec<ClassReport>,
    /// Images of a class (row) that were taken for another (column); none for very many classes.
    pub confusion: Option<Vec<Vec<usize>>>,
    /// The bins that the calibration error is summed over, those without images left out.
    pub calibration: Vec<BinReport>,
    /// The most confident mistakes, the worst first.
    pub worst: Vec<Mistake>,
}

/// An image that was taken for something else.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mistake {
    /// Its place among the images of the evaluation, from 0.
    pub index: usize,
    /// Its class.
    pub truth: usize,
    /// The class that it was taken for.
    pub predicted: usize,
    /// The probability given to that, 0 to 1.
    pub probability: f64,
}

/// One class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassReport {
    /// Its name.
    pub class: String,
    /// Number of its images.
    pub images: usize,
    /// Those that were recognised.
    pub correct: usize,
    /// The same in percent; none where there are no images.
    pub accuracy: Option<f64>,
}

/// Images of about the same confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BinReport {
    /// Number of images.
    pub images: usize,
    /// Mean of their highest probability.
    pub confidence: f64,
    /// Part of them that was recognised.
    pub accuracy: f64,
}

impl ClassEvaluation {
    /// Of no images yet.
    pub(super) fn new(names: &[String]) -> Self {
        let (names, classes) = (names.to_vec(), names.len());
        let confusion = vec![0; if classes <= MATRIX { classes * classes } else { 0 }];
        let counts = vec![[0; 2]; classes];
        let (bins, mistakes) = Default::default();
        Self { names, classes, images: 0, loss: 0.0, top5: 0, counts, confusion, bins, mistakes }
    }

    /// Adds images: their scores `[batch, classes]`, row-major, and their classes.
    pub(super) fn add(&mut self, logits: &[f32], labels: &[usize]) {
        for (scores, &label) in logits.chunks_exact(self.classes).zip(labels) {
            let probabilities = softmax(scores);
            let taken_for = best(scores);
            let correct = taken_for == label;
            let confidence = probabilities[taken_for];
            if !correct {
                let (truth, predicted, probability) = (label, taken_for, confidence);
                self.mistakes.push(Mistake { index: self.images, truth, predicted, probability });
            }
            self.images += 1;
            self.loss += cross_entropy(scores, label);
            self.top5 += usize::from(place(scores, label) < 5);
            self.counts[label][0] += 1;
            self.counts[label][1] += usize::from(correct);
            if let Some(count) = self.confusion.get_mut(label * self.classes + taken_for) {
                *count += 1;
            }
            // Bins are open below and closed above; a confidence of 0 is in none but the first.
            let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
            self.bins[bin].images += 1;
            self.bins[bin].correct += usize::from(correct);
            self.bins[bin].confidence += confidence;
        }
    }

    /// Every mistake, in the order of the images.
    pub(super) fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// The most confident mistakes, the worst first.
    fn worst(&self) -> Vec<Mistake> {
        let mut worst = self.mistakes.clone();
        worst.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        worst.truncate(WORST);
        worst
    }

    /// The results.
    pub(super) fn report(&self) -> ClassesReport {
        let images = self.images.max(1) as f64;
        let classes: Vec<_> = (0..self.classes)
            .map(|class| {
                let [count, correct] = self.counts[class];
                ClassReport {
                    class: self.names[class].clone(),
                    images: count,
                    correct,
                    accuracy: (count > 0).then(|| 100.0 * correct as f64 / count as f64),
                }
            })
            .collect();
        let correct: usize = classes.iter().map(|class| class.correct).sum();
        let calibration: Vec<_> = self
            .bins
            .iter()
            .filter(|bin| bin.images > 0)
            .map(|bin| BinReport {
                images: bin.images,
                confidence: bin.confidence / bin.images as f64,
                accuracy: bin.correct as f64 / bin.images as f64,
            })
            .collect();
        let gap = |bin: &BinReport| bin.images as f64 * (bin.confidence - bin.accuracy).abs();
        ClassesReport {
            images: self.images,
            loss: self.loss / images,
            top1: 100.0 * correct as f64 / images,
            top5: 100.0 * self.top5 as f64 / images,
            ece: calibration.iter().map(gap).sum::<f64>() / images,
            classes,
            confusion: (self.classes <= MATRIX)
                .then(|| self.confusion.chunks(self.classes.max(1)).map(<[_]>::to_vec).collect()),
            calibration,
            worst: self.worst(),
        }
    }
}

/// The first class with the highest score, of those that are numbers.
pub(super) fn best(scores: &[f32]) -> usize {
    let numbers = scores.iter().enumerate().filter(|(_, score)| !score.is_nan());
    let best = numbers.reduce(|best, other| if other.1 > best.1 { other } else { best });
    best.map_or(0, |(class, _)| class)
}

/// Probabilities of scores.
pub fn softmax(scores: &[f32]) -> Vec<f64> {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let raised: Vec<_> = scores.iter().map(|&score| f64::from(score - largest).exp()).collect();
    let sum: f64 = raised.iter().sum();
    raised.into_iter().map(|value| value / sum).collect()
}

/// How many classes come before `label`: those with a higher score, and among equal ones those of
/// a lower index. A score that is not a number comes last.
fn place(scores: &[f32], label: usize) -> usize {
    let own = scores[label];
    let before = |(class, &score): (usize, &f32)| {
        score > own || (score == own && class < label) || (own.is_nan() && class != label)
    };
    scores.iter().enumerate().filter(|&entry| before(entry)).count()
}

fn cross_entropy(scores: &[f32], label: usize) -> f64 {
    let largest = f64::from(scores.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = scores.iter().map(|&score| (f64::from(score) - largest).exp()).sum();
    sum.ln() + largest - f64::from(scores[label])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation(classes: usize) -> ClassEvaluation {
        let names: Vec<_> = (0..classes).map(|class| class.to_string()).collect();
        ClassEvaluation::new(&names)
    }

    #[test]
    fn places() {
        assert_eq!(place(&[0.1, 0.9, 0.5], 1), 0);
        assert_eq!(place(&[0.1, 0.9, 0.5], 0), 2);
        assert_eq!((place(&[1.0, 1.0], 0), place(&[1.0, 1.0], 1)), (0, 1));
        assert_eq!(place(&[f32::NAN, 0.0], 0), 1);
        assert_eq!(place(&[f32::NAN, 0.0], 1), 0);
    }

    /// By hand: three images of two classes.
    #[test]
    fn a_small_evaluation() {
        let mut sums = evaluation(2);
        let odds = 3.0_f32.ln(); // Probabilities 3/4 and 1/4.
        sums.add(&[odds, 0.0, 0.0, odds], &[0, 1]);
        sums.add(&[odds, 0.0], &[1]);
        let report = sums.report();
        assert_eq!((report.images, report.top5), (3, 100.0));
        assert!((report.top1 - 200.0 / 3.0).abs() < 1e-12);
        let loss = (2.0 * (4.0_f64 / 3.0).ln() + 4.0_f64.ln()) / 3.0;
        assert!((report.loss - loss).abs() < 1e-6, "{}", report.loss);
        assert_eq!(report.confusion, Some(vec![vec![1, 0], vec![1, 1]]));
        assert_eq!(report.classes[1].accuracy, Some(50.0));
        // One bin: confidence 3/4, of which 2/3 are right.
        assert_eq!(report.calibration.len(), 1);
        assert!((report.ece - (0.75 - 2.0 / 3.0)).abs() < 1e-6);
    }

    #[test]
    fn the_most_confident_mistakes_are_kept() {
        let mut sums = evaluation(2);
        // Twenty mistakes, the sixth the most confident, and what is right in between.
        let heights: Vec<_> = (0..20).map(|i| 10.0 - (i as f32 - 5.0).abs()).collect();
        for &height in &heights {
            sums.add(&[height, 0.0, 0.0, 99.0], &[1, 1]);
        }
        assert_eq!(sums.mistakes().len(), heights.iter().filter(|&&height| height >= 0.0).count());
        let worst = sums.report().worst;
        assert_eq!(worst.len(), WORST);
        let places: Vec<_> = worst.iter().map(|mistake| mistake.index / 2).collect();
        // Of equal ones, the first comes first.
        assert_eq!(places[..5], [5, 4, 6, 3, 7]);
        assert!(worst.iter().all(|mistake| (mistake.truth, mistake.predicted) == (1, 0)));
        assert!(worst.windows(2).all(|pair| pair[0].probability >= pair[1].probability));
    }

    #[test]
    fn scores_that_are_no_numbers_are_counted_as_wrong() {
        let mut sums = evaluation(2);
        sums.add(&[f32::NAN, f32::NAN, f32::INFINITY, 0.0, 0.0, 1e30], &[1, 0, 1]);
        assert_eq!(sums.report().images, 3);
        assert_eq!(evaluation(3).report().top1, 0.0);
    }
}
