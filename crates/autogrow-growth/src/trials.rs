//! What each growth of a policy that takes growths back has brought, and what became of it.

use crate::{Comparison, Depth, Evidence, LevelOrigin, Record};

/// A growth on trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Growing epochs until it was compared.
    pub epoch: usize,
    /// Depth before it.
    pub before: Depth,
    /// Depth after it.
    pub grown: Depth,
    /// The grown network against the other side.
    pub comparison: Comparison,
    /// Whether the other side is the control, trained for as long, or else the network as it was when
    /// it grew.
    pub has_control: bool,
    /// Whether the growth was kept; none while that is not decided.
    pub kept: Option<bool>,
}

/// The epochs of the network that was grown to, or gone back to, at a level: those of the last level of
/// it that has any.
pub(crate) fn trained(record: &Record, level: usize) -> &[Evidence] {
    match record.levels()[level].origin {
        LevelOrigin::Back(to) if record.of_level(level).is_empty() => trained(record, to),
        _ => record.of_level(level),
    }
}

/// The growths on trial in a record; `window` is the number of epochs that a comparison is over at
/// most, `price` that of a doubling, and `finished` whether growth is over.
pub fn trials(record: &Record, window: usize, price: f64, finished: bool) -> Vec<Trial> {
    let levels = record.levels();
    let is_grown = |level: usize| levels[level].origin == LevelOrigin::Grown;
    let tried =
        (1..levels.len()).filter(|&level| is_grown(level) && !record.of_level(level).is_empty());
    tried
        .map(|level| {
            let control = Some(level + 1).filter(|&next| {
                next < levels.len() && !is_grown(next) && !record.of_level(next).is_empty()
            });
            let other = control.unwrap_or(level - 1);
            let after = control.unwrap_or(level) + 1;
            let (own, others) = (trained(record, level), trained(record, other));
            let kept = match levels.get(after).map(|level| level.origin) {
                Some(LevelOrigin::Back(to)) => Some(to == level),
                // Grown on: from the control, or without one from the grown network itself.
                Some(_) => Some(control.is_none()),
                None => finished.then_some(control.is_none()),
            };
            Trial {
                epoch: record.epochs_until(control.unwrap_or(level)),
                before: levels[other].depth.clone(),
                grown: levels[level].depth.clone(),
                comparison: Comparison::of(own, others, window, price),
                has_control: control.is_some(),
                kept,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_tell_what_became_of_each_growth() {
        let depth = |text: &str| text.parse::<Depth>().unwrap();
        let mut record = Record::new(&depth("1-1"));
        let train = |record: &mut Record, score| record.push(Evidence::of_score(score));
        train(&mut record, 50.0);
        // Kept: better than the control.
        record.begin(depth("2-1"), LevelOrigin::Grown);
        train(&mut record, 60.0);
        record.begin(depth("1-1"), LevelOrigin::Back(0));
        train(&mut record, 55.0);
        record.begin(depth("2-1"), LevelOrigin::Back(1));
        // Taken back at once.
        record.begin(depth("2-2"), LevelOrigin::Grown);
        train(&mut record, 58.0);
        record.begin(depth("2-1"), LevelOrigin::Back(3));
        // Taken back for the control.
        record.begin(depth("3-1"), LevelOrigin::Grown);
        train(&mut record, 61.0);
        record.begin(depth("2-1"), LevelOrigin::Back(5));
        train(&mut record, 62.0);
        let told = |finished| -> Vec<_> {
            let trials = trials(&record, 1, 0.5, finished);
            let told = |t: &Trial| {
                (t.epoch, t.grown.to_string(), t.comparison.gain, t.has_control, t.kept)
            };
            trials.iter().map(told).collect()
        };
        let (kept, back) = (Some(true), Some(false));
        let expected = |last| {
            vec![
                (3, "2-1".into(), 5.0, true, kept),
                (4, "2-2".into(), -2.0, false, back),
                (6, "3-1".into(), -1.0, true, last),
            ]
        };
        assert_eq!(told(true), expected(back));
        assert_eq!(told(false), expected(None));
    }
}
