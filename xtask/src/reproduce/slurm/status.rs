//! How far the runs of a folder are, from their run folders and the queue.

use super::client::Queued;
use super::submitted::Submitted;
use crate::reproduce::place::{Place, Stage};
use crate::reproduce::plan::{CellId, Plan};
use crate::reproduce::run::cell_name;
use anyhow::Result;

/// How far a run is.
#[derive(Debug, PartialEq)]
enum Standing {
    Finished,
    /// Its task, and the last epoch it has ended, where it has.
    Running(String, Option<String>),
    /// Its task, and what it waits for.
    Waiting(String, String),
    Failed(String),
    /// Not in the queue: begun before, or not at all.
    Stopped,
    Missing,
}

/// A line for each of our runs, and how many are how far.
///
/// # Errors
/// Where a result cannot be read.
pub(super) fn status(
    plan: &Plan<'_>,
    mine: &[bool],
    place: &Place,
    submitted: &Submitted,
    queue: &[Queued],
) -> Result<String> {
    let (mut text, mut counts) = (String::new(), [0; 6]);
    for id in (0..plan.cells.len()).filter(|&id| mine[id]) {
        let (name, standing) = standing(plan, place, id, submitted, queue)?;
        counts[standing.place()] += 1;
        text.push_str(&format!("{:<9} {name}{}\n", standing.word(), standing.more()));
    }
    let total: usize = counts.iter().sum();
    let counts = counts.iter().zip(WORDS).filter(|(count, _)| **count > 0);
    let counts: Vec<_> = counts.map(|(count, word)| format!("{count} {word}")).collect();
    text.push_str(&format!("\n{total} runs: {}", counts.join(", ")));
    Ok(text)
}

/// In the order in which they are counted.
const WORDS: [&str; 6] = ["finished", "running", "waiting", "failed", "stopped", "missing"];

impl Standing {
    fn place(&self) -> usize {
        match self {
            Self::Finished => 0,
            Self::Running(..) => 1,
            Self::Waiting(..) => 2,
            Self::Failed(_) => 3,
            Self::Stopped => 4,
            Self::Missing => 5,
        }
    }

    fn word(&self) -> &'static str {
        WORDS[self.place()]
    }

    fn more(&self) -> String {
        match self {
            Self::Finished | Self::Stopped | Self::Missing => String::new(),
            Self::Running(task, None) => format!("  job {task}"),
            Self::Running(task, Some(epoch)) => format!("  {epoch}, job {task}"),
            Self::Waiting(task, reason) => format!("  job {task} ({reason})"),
            Self::Failed(why) => format!(": {why}"),
        }
    }
}

/// A run's name, as far as it is known, and how far it is.
fn standing(
    plan: &Plan<'_>,
    place: &Place,
    id: CellId,
    submitted: &Submitted,
    queue: &[Queued],
) -> Result<(String, Standing)> {
    let key = &plan.cells[id].key;
    let name = cell_name(plan, place, id)?;
    let stage = name.as_ref().map_or(Ok(Stage::Missing), |name| place.stage(name))?;
    let name = name.as_ref().unwrap_or(key);
    let task = submitted.tasks.iter().find(|task| &task.run == key);
    let queued = task.and_then(|task| {
        queue.iter().find(|queued| (queued.job, queued.index) == (task.job, Some(task.index)))
    });
    let number = task.map(|task| format!("{}_{}", task.job, task.index)).unwrap_or_default();
    let standing = match (stage, queued, place.failure(name)) {
        (Stage::Finished(_), ..) => Standing::Finished,
        (_, Some(task), _) if task.waits() => Standing::Waiting(number, task.reason.clone()),
        (_, Some(_), _) => Standing::Running(number, epoch(place, name)),
        (_, None, Some(why)) => Standing::Failed(why),
        (Stage::Begun, None, None) => Standing::Stopped,
        (Stage::Missing, None, None) => Standing::Missing,
    };
    Ok((name.clone(), standing))
}

/// The last epoch that a run has ended, such as `epoch 12 at 3-2-2`; none before the first, and
/// while the row is being written.
fn epoch(place: &Place, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(place.runs().join(name).join("metrics.csv")).ok()?;
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let columns = rows.headers().ok()?.clone();
    let column = |name| columns.iter().position(|column| column == name);
    let (epoch, depth) = (column("epoch")?, column("depth")?);
    let last = rows.records().filter_map(Result::ok).last()?;
    Some(format!("epoch {} at {}", last.get(epoch)?, last.get(depth)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::scale::Scale;
    use crate::reproduce::slurm::submitted::Task;
    use crate::reproduce::testing::{TestFolder, with_plan};
    use std::fs;

    const RESULT: &str = r#"{"found":"3-3-3","val_accuracy":1,"test_accuracy":2,
        "growing_epochs":1,"growing_seconds":1,"fine_tuning_seconds":1,"parameters":1,"macs":1,
        "floor":null,"at_floor":false}"#;

    #[test]
    fn from_folders_and_the_queue() {
        let folder = TestFolder::new("status");
        let place = Place { out: folder.path.clone() };
        with_plan(Scale::Small, &["table3"], 1, |plan| {
            let key = |id: CellId| plan.cells[id].key.clone();
            for id in [0, 2, 4, 6] {
                let run = place.runs().join(key(id));
                fs::create_dir_all(&run).unwrap();
                fs::write(run.join("config.toml"), "").unwrap();
            }
            fs::write(place.runs().join(key(0)).join("result.json"), RESULT).unwrap();
            let metrics =
                "epoch,phase,depth,train_loss\n1,growing,1-1-1,0.5\n2,growing,2-1-1,0.4\n";
            fs::write(place.runs().join(key(2)).join("metrics.csv"), metrics).unwrap();
            place.failed(&key(4), "diverged").unwrap();
            let task = |job, index, id| Task { job, index, run: key(id) };
            let tasks = vec![task(7, 0, 0), task(7, 1, 2), task(8, 1, 3), task(7, 2, 4)];
            let submitted = Submitted { tables: Some(9), tasks };
            let queued = |job, index, state: &str, reason: &str| Queued {
                job,
                index: Some(index),
                state: state.into(),
                reason: reason.into(),
            };
            // Another array of the same user has a task of the same index.
            let queue = [
                queued(6, 2, "RUNNING", "None"),
                queued(7, 1, "RUNNING", "None"),
                queued(8, 1, "PENDING", "Dependency"),
            ];
            let mine: Vec<_> = (0..plan.cells.len()).map(|id| id < 8).collect();
            let text = status(plan, &mine, &place, &submitted, &queue).unwrap();
            let lines: Vec<_> = text.lines().collect();
            assert_eq!(lines[0], format!("finished  {}", key(0)));
            // Its depth is known, and so its name.
            assert!(lines[1].starts_with("missing   cifar10-basic3resnet-3-3-3-scratch"), "{text}");
            assert_eq!(lines[2], format!("running   {}  epoch 2 at 2-1-1, job 7_1", key(2)));
            assert_eq!(lines[3], format!("waiting   {}  job 8_1 (Dependency)", key(3)));
            assert_eq!(lines[4], format!("failed    {}: diverged", key(4)));
            assert_eq!(lines[6], format!("stopped   {}", key(6)));
            assert_eq!(
                lines[9],
                "8 runs: 1 finished, 1 running, 1 waiting, 1 failed, 1 stopped, 3 missing"
            );
        });
    }
}
