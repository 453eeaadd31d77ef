//! What each growth of policy `worth` has brought, and what became of it.

use crate::{Comparison, Depth, Evidence, LevelOrigin, Record};

/// A growth on trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Growing epochs until it was compared.
    pub epoch: usize,
    /// Depth of the champion, which it was compared with.
    pub before: Depth,
    /// Depth of the grown network.
    pub grown: Depth,
    /// The grown network against the champion, both trained for as many epochs in all.
    pub comparison: Comparison,
    /// Whether the grown network became the champion; none while that is not decided.
    pub kept: Option<bool>,
}

/// The trials of a run so far.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trials {
    /// Of all networks that were grown, in order.
    pub(crate) trials: Vec<Trial>,
    /// The level of the champion.
    pub(crate) champion: usize,
}

impl Trials {
    /// Those in a record. Trials begin from the seed after `root` epochs, and a comparison is over the last
    /// as many epochs of each side; `price` is that of a doubling, and `finished` says whether growth is
    /// over.
    pub(crate) fn of(record: &Record, root: usize, price: f64, finished: bool) -> Self {
        let levels = record.levels();
        let mut told = Self { trials: Vec::new(), champion: record.seed() };
        for level in record.seed() + 1..levels.len() {
            let own = record.of_level(level);
            if levels[level].origin != LevelOrigin::Grown || own.is_empty() {
                continue;
            }
            let champion = told.champion;
            let others = trained(record, champion, root + own.len(), root);
            let comparison = Comparison::of(own, others, root, price);
            let is_over = finished || level + 1 < levels.len() || own.len() >= length(record, root);
            let kept = is_over.then(|| comparison.pays());
            told.trials.push(Trial {
                epoch: record.epochs_until(level),
                before: levels[champion].depth.clone(),
                grown: levels[level].depth.clone(),
                comparison,
                kept,
            });
            if kept == Some(true) {
                told.champion = level;
            }
        }
        told
    }
}

/// For how many epochs a grown network is trained: with those of the root, as many as the seed.
pub(crate) fn length(record: &Record, root: usize) -> usize {
    record.of_level(record.seed()).len().saturating_sub(root)
}

/// What a network has shown until it had been trained for so many epochs in all.
fn trained(record: &Record, level: usize, epochs: usize, root: usize) -> &[Evidence] {
    let own = record.of_level(level);
    let epochs = if level == record.seed() { epochs } else { epochs - root };
    &own[..epochs.min(own.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_compared_after_as_many_epochs() {
        let depth = |text: &str| text.parse::<Depth>().unwrap();
        let mut record = Record::new(&depth("1-1"));
        let train = |record: &mut Record, scores: &[f64]| {
            scores.iter().for_each(|&score| record.push(Evidence::of_score(score)));
        };
        train(&mut record, &[50.0, 55.0, 60.0]);
        let mut grow = |depths: &str, scores: &[f64]| {
            record.begin(depth("1-1"), LevelOrigin::Back(0));
            record.begin(depth(depths), LevelOrigin::Grown);
            train(&mut record, scores);
        };
        // Kept; better than it at first only; still in training, compared with its third epoch.
        grow("2-2", &[51.0, 65.0]);
        grow("3-2", &[90.0, 64.0]);
        grow("2-3", &[54.0]);
        let told = |finished| -> Vec<_> {
            let told = Trials::of(&record, 1, 0.5, finished);
            assert_eq!(told.champion, if finished { 7 - 1 } else { 2 });
            let tell = |trial: &Trial| {
                let Trial { epoch, before, grown, comparison, kept } = trial;
                (*epoch, before.to_string(), grown.to_string(), comparison.gain, *kept)
            };
            told.trials.iter().map(tell).collect()
        };
        let expected = |last| {
            vec![
                (5, "1-1".into(), "2-2".into(), 5.0, Some(true)),
                (7, "2-2".into(), "3-2".into(), -1.0, Some(false)),
                (8, "2-2".into(), "2-3".into(), 3.0, last),
            ]
        };
        assert_eq!(told(false), expected(None));
        assert_eq!(told(true), expected(Some(true)));
    }
}
