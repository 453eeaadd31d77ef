//! Dividing a plan among machines that share no disk: cells that wait for each other stay together.

use crate::cell::CellId;
use crate::plan::Plan;
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
    pub(crate) const WHOLE: Self = Self { part: 1, of: 1 };

    /// Which cells of a plan belong to this part. The groups of cells that wait for each other are
    /// dealt out in turn.
    pub(crate) fn of(self, plan: &Plan) -> Vec<bool> {
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

/// Which cells the run of this key needs: itself and those it waits for. None where no cell has the
/// key.
pub(crate) fn only(plan: &Plan, key: &str) -> Option<Vec<bool>> {
    let own = plan.cells.iter().position(|cell| cell.key == key)?;
    let mut wanted = vec![false; plan.cells.len()];
    wanted[own] = true;
    // Dependencies come first in a plan.
    for id in (0..=own).rev() {
        if wanted[id] {
            plan.cells[id].after.iter().for_each(|&before| wanted[before] = true);
        }
    }
    Some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::Scale;
    use crate::testing::plan;

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
            let plan = plan(scale, &["all"], 2);
            for of in 1..=5 {
                let parts: Vec<_> = (1..=of).map(|part| Shard { part, of }.of(&plan)).collect();
                for (id, cell) in plan.cells.iter().enumerate() {
                    assert_eq!(parts.iter().filter(|part| part[id]).count(), 1);
                    for part in &parts {
                        assert!(cell.after.iter().all(|&before| part[before] == part[id]));
                    }
                }
                assert!(parts.iter().all(|part| part.contains(&true)), "{of}");
            }
        }
        assert!(Shard::WHOLE.of(&plan(Scale::Smoke, &["table3"], 1)).iter().all(|&own| own));
    }

    #[test]
    fn a_run_needs_what_it_waits_for() {
        let plan = plan(Scale::Paper, &["morph", "table3"], 1);
        for (id, cell) in plan.cells.iter().enumerate() {
            let wanted = only(&plan, &cell.key).unwrap();
            let count = wanted.iter().filter(|&&wanted| wanted).count();
            // Deepening takes three: the shallow net, the deepened, the trained one.
            let (mut chain, mut last) = (1, id);
            while let Some(&before) = plan.cells[last].after.first() {
                (chain, last) = (chain + 1, before);
                assert!(wanted[before]);
            }
            assert_eq!(count, chain, "{}", cell.key);
        }
        assert_eq!(only(&plan, "no such run"), None);
    }
}
