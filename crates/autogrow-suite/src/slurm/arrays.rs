//! Which runs are which tasks of which job arrays.
//!
//! A run that waits for another has its index, in an array of its own: Slurm lets a task begin as
//! soon as the task of the same index has ended well (`--dependency=aftercorr`), whatever the
//! others do. Runs that ask for different time or memory are in different arrays.

use super::request::Request;
use crate::cell::CellId;
use crate::plan::Plan;
use std::collections::HashMap;

/// Tasks of an array; Slurm takes a thousand unless it is told otherwise (`MaxArraySize`).
const MOST: usize = 1_000;

/// A job array.
#[derive(Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) request: Request,
    /// The array, by its place, whose tasks of the same index have to end before.
    pub(crate) after: Option<usize>,
    /// Index and run of each task.
    pub(crate) tasks: Vec<(usize, CellId)>,
}

impl Array {
    /// Indices as `sbatch` reads them, such as `0-3,7`.
    pub(crate) fn indices(&self) -> String {
        let mut indices: Vec<_> = self.tasks.iter().map(|&(index, _)| index).collect();
        indices.sort_unstable();
        let ranges = indices.chunk_by(|a, b| a + 1 == *b);
        let ranges = ranges.map(|range| match range {
            [only] => only.to_string(),
            _ => format!("{}-{}", range[0], range[range.len() - 1]),
        });
        ranges.collect::<Vec<_>>().join(",")
    }
}

/// Arrays of all runs that are to be done, each after the one it waits for. Of several runs that one
/// waits for, the last counts: a job does itself what else is missing.
pub(crate) fn arrays(plan: &Plan, todo: &[bool], requests: &[Request]) -> Vec<Array> {
    let mut arrays: Vec<Array> = Vec::new();
    let mut places: HashMap<CellId, (usize, usize)> = HashMap::new();
    let cells = plan.cells.iter().enumerate().zip(requests).filter(|((id, _), _)| todo[*id]);
    for ((id, cell), &request) in cells {
        let before = cell.after.iter().rev().find_map(|before| places.get(before));
        let (after, index) = before.map(|&(array, index)| (array, index)).unzip();
        let fits = |array: &Array| {
            let taken = |index| array.tasks.iter().any(|task| task.0 == index);
            array.request == request
                && array.after == after
                && array.tasks.len() < MOST
                && !index.is_some_and(taken)
        };
        let place = arrays.iter().position(fits).unwrap_or_else(|| {
            arrays.push(Array { request, after, tasks: Vec::new() });
            arrays.len() - 1
        });
        let index = index.unwrap_or(arrays[place].tasks.len());
        arrays[place].tasks.push((index, id));
        places.insert(id, (place, index));
    }
    arrays
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::Scale;
    use crate::testing::plan;

    const SMALL: Request = Request { minutes: 30, gigabytes: 1 };
    const LARGE: Request = Request { minutes: 240, gigabytes: 8 };

    fn indices(tasks: &[usize]) -> String {
        let tasks = tasks.iter().map(|&index| (index, 0)).collect();
        Array { request: SMALL, after: None, tasks }.indices()
    }

    #[test]
    fn indices_as_slurm_reads_them() {
        assert_eq!(indices(&[0]), "0");
        assert_eq!(indices(&[4, 0, 1, 2, 7, 8]), "0-2,4,7-8");
    }

    #[test]
    fn a_baseline_has_the_index_of_its_search() {
        let plan = plan(Scale::Small, &["table3"], 1);
        let count = plan.cells.len();
        let found = arrays(&plan, &vec![true; count], &vec![SMALL; count]);
        assert_eq!((found.len(), count), (2, 24));
        assert_eq!((found[0].after, found[1].after), (None, Some(0)));
        assert_eq!(found[1].indices(), "0-11");
        for (&(index, search), &(same, baseline)) in found[0].tasks.iter().zip(&found[1].tasks) {
            assert_eq!((index, plan.cells[baseline].after[0]), (same, search));
        }
    }

    #[test]
    fn what_is_done_is_left_out_and_not_waited_for() {
        let plan = plan(Scale::Small, &["table3"], 1);
        let searches = |id: &usize| plan.cells[*id].after.is_empty();
        let count = plan.cells.len();
        let todo: Vec<_> = (0..count).map(|id| !searches(&id)).collect();
        let found = arrays(&plan, &todo, &vec![SMALL; count]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].after, found[0].tasks.len()), (None, 12));
    }

    #[test]
    fn every_run_is_a_task_after_the_one_it_waits_for() {
        for (suites, seeds) in [("all", 2), ("morph", 1), ("all", 12)] {
            let plan = plan(Scale::Paper, &[suites], seeds);
            let todo = vec![true; plan.cells.len()];
            // Every third asks for more.
            let each = |id| if id % 3 == 0 { LARGE } else { SMALL };
            let requests: Vec<_> = (0..plan.cells.len()).map(each).collect();
            let found = arrays(&plan, &todo, &requests);
            let mut tasks = HashMap::new();
            for (place, array) in found.iter().enumerate() {
                assert!(array.tasks.len() <= MOST);
                assert!(array.after.is_none_or(|after| after < place));
                for &(index, id) in &array.tasks {
                    assert!(index < MOST);
                    assert_eq!(array.request, requests[id]);
                    assert!(tasks.insert((place, index), id).is_none(), "one run a task");
                }
            }
            assert_eq!(tasks.len(), plan.cells.len());
            for (&(place, index), &id) in &tasks {
                let before = found[place].after.map(|after| tasks[&(after, index)]);
                assert_eq!(before, plan.cells[id].after.last().copied());
            }
        }
    }
}
