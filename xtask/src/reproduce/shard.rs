//! Dividing a plan among machines that share no disk: cells that wait for each other stay together.

use super::plan::{CellId, Plan};
use std::str::FromStr;

/// `2/3`: the second of three parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// From 1.
    part: usize,
    of: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text
            .split_once('/')
            .and_then(|(part, of)| Some(Self { part: part.parse().ok()?, of: of.parse().ok()? }));
        numbers
            .filter(|shard| (1..=shard.of).contains(&shard.part))
            .ok_or_else(|| format!("`{text}` is not a part such as 2/3"))
    }
}

impl Shard {
    /// All of it.
    pub(super) const WHOLE: Self = Self { part: 1, of: 1 };

    /// Which cells of a plan belong to this part. The groups of cells that wait for each other are
    /// dealt out in turn.
    pub(super) fn of(self, plan: &Plan<'_>) -> Vec<bool> {
        let mut group: Vec<CellId> = (0..plan.cells.len()).collect();
        // Dependencies come first, and a group is named after its first cell.
        for (id, cell) in plan.cells.iter().enumerate() {
            for &before in &cell.after {
                let (a, b) = (group[id], group[before]);
                let (first, other) = (a.min(b), a.max(b));
                group.iter_mut().filter(|own| **own == other).for_each(|own| *own = first);
            }
        }
        let mut dealt = vec![0; plan.cells.len()];
        let mut groups = 0;
        for id in 0..plan.cells.len() {
            if group[id] == id {
                dealt[id] = groups % self.of;
                groups += 1;
            }
        }
        group.iter().map(|&group| dealt[group] == self.part - 1).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::scale::Scale;
    use crate::reproduce::testing::with_plan;

    #[test]
    fn spelling() {
        assert_eq!("2/3".parse(), Ok(Shard { part: 2, of: 3 }));
        for wrong in ["", "2", "0/3", "4/3", "1/0", "a/b", "1/2/3"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn parts_are_disjoint_complete_and_keep_what_waits_together() {
        for scale in [Scale::Paper, Scale::Small, Scale::Smoke] {
            with_plan(scale, &["all"], 2, |plan| {
                for of in 1..=5 {
                    let parts: Vec<_> = (1..=of).map(|part| Shard { part, of }.of(plan)).collect();
                    for (id, cell) in plan.cells.iter().enumerate() {
                        assert_eq!(parts.iter().filter(|part| part[id]).count(), 1);
                        for part in &parts {
                            assert!(cell.after.iter().all(|&before| part[before] == part[id]));
                        }
                    }
                    assert!(parts.iter().all(|part| part.contains(&true)), "{of}");
                }
            });
        }
        assert!(with_plan(Scale::Smoke, &["table3"], 1, |plan| {
            Shard::WHOLE.of(plan).iter().all(|&own| own)
        }));
    }
}
