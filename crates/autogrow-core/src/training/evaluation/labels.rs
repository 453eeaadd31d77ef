//! What there is to say of a network's labels.

use serde::Serialize;

/// Sums over the images seen so far.
#[derive(Clone, Debug)]
pub(super) struct LabelEvaluation {
    names: Vec<String>,
    images: usize,
    loss: f64,
    /// Images of which all labels are right.
    exact: usize,
    counts: Vec<Counts>,
}

/// Of one label.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Images that have it.
    there: usize,
    /// Images that it is given to.
    given: usize,
    /// Images that have it and that it is given to.
    both: usize,
}

/// The results of an evaluation of labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelsReport {
    /// Number of images.
    pub images: usize,
    /// Mean binary cross entropy.
    pub loss: f64,
    /// Right decisions, percent: the mean over all labels.
    pub accuracy: f64,
    /// Images of which all labels are right, percent.
    pub exact: f64,
    /// Each label by itself.
    pub labels: Vec<LabelReport>,
}

/// One label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelReport {
    /// Its name.
    pub label: String,
    /// Images that have it.
    pub images: usize,
    /// Right decisions, percent.
    pub accuracy: f64,
    /// Of the images that it is given to those that have it, percent; none where it is given to
    /// none.
    pub precision: Option<f64>,
    /// Of the images that have it those that it is given to, percent; none where none has it.
    pub recall: Option<f64>,
}

impl LabelEvaluation {
    pub(super) fn new(names: &[String]) -> Self {
        let counts = vec![Counts::default(); names.len()];
        Self { names: names.to_vec(), images: 0, loss: 0.0, exact: 0, counts }
    }

    /// Adds images: log odds and targets `[batch, labels]`, row-major.
    pub(super) fn add(&mut self, outputs: &[f32], targets: &[f32]) {
        let width = self.names.len().max(1);
        for (outputs, targets) in outputs.chunks_exact(width).zip(targets.chunks_exact(width)) {
            self.images += 1;
            let mut exact = true;
            for ((counts, &output), &target) in self.counts.iter_mut().zip(outputs).zip(targets) {
                let (there, given) = (target > 0.5, output > 0.0);
                counts.there += usize::from(there);
                counts.given += usize::from(given);
                counts.both += usize::from(there && given);
                exact &= there == given;
                let (output, target) = (f64::from(output), f64::from(target));
                let softplus = output.max(0.0) + (-output.abs()).exp().ln_1p();
                self.loss += (softplus - output * target) / width as f64;
            }
            self.exact += usize::from(exact);
        }
    }

    pub(super) fn report(&self) -> LabelsReport {
        let images = self.images.max(1) as f64;
        let percent = |part: usize, of: usize| 100.0 * part as f64 / of as f64;
        let right = |counts: &Counts| self.images + 2 * counts.both - counts.there - counts.given;
        let label = |(name, counts): (&String, &Counts)| {
            let &Counts { there, given, both } = counts;
            LabelReport {
                label: name.clone(),
                images: there,
                accuracy: percent(right(counts), self.images.max(1)),
                precision: (given > 0).then(|| percent(both, given)),
                recall: (there > 0).then(|| percent(both, there)),
            }
        };
        let labels: Vec<_> = self.names.iter().zip(&self.counts).map(label).collect();
        let decisions = (self.images * labels.len()).max(1);
        LabelsReport {
            images: self.images,
            loss: self.loss / images,
            accuracy: percent(self.counts.iter().map(right).sum(), decisions),
            exact: percent(self.exact, self.images.max(1)),
            labels,
        }
    }
}

/// The probability of log odds, from 0 to 1.
pub fn sigmoid(odds: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(odds)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: four images; the first label is given to three of which two have it.
    #[test]
    fn a_small_evaluation() {
        let mut sums = LabelEvaluation::new(&["cat".into(), "dog".into()]);
        sums.add(&[2.0, -1.0, 2.0, -1.0], &[1.0, 0.0, 1.0, 0.0]);
        sums.add(&[2.0, -1.0, -2.0, -1.0], &[0.0, 0.0, 0.0, 0.0]);
        let report = sums.report();
        let cat = &report.labels[0];
        assert_eq!((cat.images, cat.accuracy, cat.recall), (2, 75.0, Some(100.0)));
        assert!((cat.precision.unwrap() - 200.0 / 3.0).abs() < 1e-9);
        let dog = &report.labels[1];
        assert_eq!((dog.accuracy, dog.precision, dog.recall), (100.0, None, None));
        assert_eq!((report.accuracy, report.exact), (87.5, 75.0));
        let loss = -(3.0 * sigmoid(2.0).ln() + sigmoid(-2.0).ln() + 4.0 * sigmoid(1.0).ln()) / 8.0;
        assert!((report.loss - loss).abs() < 1e-12, "{}", report.loss);
    }
}
