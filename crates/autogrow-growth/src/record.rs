//! The record of a run's growing epochs: all that policies may decide on.

use crate::{Bits, Depth};
use std::ops::Range;
use std::sync::Arc;

/// What one growing epoch showed. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The score that guides growth, percent; higher is better. Of classes: the accuracy on the
    /// validation images.
    pub score: f64,
    /// The score of the best constant answer on the same images, percent: what a network has that has
    /// learnt nothing. None where it is not known.
    pub chance: Option<f64>,
    /// The score on training images, percent, as the epoch saw them; none where it is not known.
    pub train_score: Option<f64>,
    /// Multiply-accumulate operations of one image; 0 where they are not known.
    pub macs: u64,
    /// Which validation images were right, in stored order; none where that is not known, as of
    /// recorded accuracies, or where right and wrong make no sense, as of regression.
    pub right: Option<Bits>,
    /// Loss of each validation image, in the same order; empty where it is not known.
    pub losses: Arc<[f32]>,
}

impl Evidence {
    /// Of a recorded score, in percent, and nothing else.
    pub fn of_score(score: f64) -> Self {
        Self { score, ..Self::default() }
    }

    /// Standard error of the score of a constant answer, by the choice of images; 0 where it is not
    /// known.
    pub(crate) fn error_of_chance(&self) -> f64 {
        let (Some(chance), Some(right)) = (self.chance, &self.right) else { return 0.0 };
        (chance * (100.0 - chance) / right.len().max(1) as f64).max(0.0).sqrt()
    }
}

/// Epochs of one network between two changes of depth.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Its depth.
    pub depth: Depth,
    /// How it came about.
    pub origin: LevelOrigin,
    start: usize,
}

/// How a level came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelOrigin {
    /// It is a seed: the first one, or a deeper one with which growth began anew.
    Seed,
    /// By growth, from the network of the level before.
    Grown,
    /// By going back to the network that was set aside: it goes on where this level ended.
    Back(usize),
}

/// The evidence of every growing epoch so far, level by level.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    epochs: Vec<Evidence>,
    levels: Vec<Level>,
}

impl Record {
    /// Of a seed of this depth, before the first epoch.
    pub fn new(seed: &Depth) -> Self {
        let seed = Level { depth: seed.clone(), origin: LevelOrigin::Seed, start: 0 };
        Self { epochs: Vec::new(), levels: vec![seed] }
    }

    /// Number of epochs.
    pub fn len(&self) -> usize {
        self.epochs.len()
    }

    /// Whether there is no epoch yet.
    pub fn is_empty(&self) -> bool {
        self.epochs.is_empty()
    }

    /// What every epoch showed, in order.
    pub fn epochs(&self) -> &[Evidence] {
        &self.epochs
    }

    /// All levels in order. The last one is the present one; several begun at once, by one check,
    /// have no epochs but the last.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// What the epochs of a level, by its number, showed, oldest first; nothing of a level that
    /// there is not.
    pub fn of_level(&self, level: usize) -> &[Evidence] {
        &self.epochs[self.range(level)]
    }

    /// What the epochs of the present level showed, oldest first.
    pub fn level(&self) -> &[Evidence] {
        self.of_level(self.levels.len().saturating_sub(1))
    }

    /// Number of epochs until the end of a level.
    pub fn epochs_until(&self, level: usize) -> usize {
        self.range(level).end
    }

    /// The level of the last seed, with which growth began, or began anew.
    pub fn seed(&self) -> usize {
        let is_seed = |level: &Level| level.origin == LevelOrigin::Seed;
        self.levels.iter().rposition(is_seed).unwrap_or(0)
    }

    fn range(&self, level: usize) -> Range<usize> {
        let start = |level: usize| self.levels.get(level).map_or(self.len(), |level| level.start);
        start(level)..start(level + 1)
    }

    pub(crate) fn push(&mut self, evidence: Evidence) {
        self.epochs.push(evidence);
    }

    pub(crate) fn begin(&mut self, depth: Depth, origin: LevelOrigin) {
        self.levels.push(Level { depth, origin, start: self.len() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_belong_to_the_level_that_they_were_trained_in() {
        let depth = |text: &str| text.parse::<Depth>().unwrap();
        let mut record = Record::new(&depth("1-1"));
        assert!(record.level().is_empty());
        record.push(Evidence::of_score(1.0));
        record.begin(depth("2-1"), LevelOrigin::Grown);
        record.push(Evidence::of_score(2.0));
        record.push(Evidence::of_score(3.0));
        record.begin(depth("1-1"), LevelOrigin::Back(0));
        record.begin(depth("1-2"), LevelOrigin::Grown);
        let scores = |level| -> Vec<f64> {
            record.of_level(level).iter().map(|evidence| evidence.score).collect()
        };
        assert_eq!(scores(0), [1.0]);
        assert_eq!(scores(1), [2.0, 3.0]);
        assert_eq!([scores(2), scores(3), scores(4)], [const { Vec::<f64>::new() }; 3]);
        assert!(record.level().is_empty() && record.len() == 3);
    }
}
