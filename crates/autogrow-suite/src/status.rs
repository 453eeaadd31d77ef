//! `--status`: how far the runs of a folder are, from their run folders and Slurm's queue.

use crate::answer::Answer;
use crate::cell::CellId;
use crate::place::{Place, Stage};
use crate::plan::Plan;
use crate::slurm::{Queued, Submitted};
use autogrow_base::Result;
use autogrow_run::names;
use serde::Serialize;
use std::collections::BTreeMap;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Finished,
    Running,
    /// In the queue.
    Waiting,
    Failed,
    /// Begun, and neither running nor in the queue.
    Stopped,
    Missing,
}

/// A run.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Row {
    run: String,
    state: Option<State>,
    /// The last epoch that it has ended, such as `epoch 12 at 3-2-2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<String>,
    /// Its task in the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    /// What that waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[derive(Serialize)]
struct Document {
    runs: Vec<Row>,
    counts: BTreeMap<State, usize>,
}

impl State {
    fn word(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// A line for each of our runs, and how many are how far.
pub(crate) fn status(
    plan: &Plan,
    mine: &[bool],
    place: &Place,
    (submitted, queue): (&Submitted, &[Queued]),
) -> Result<Answer> {
    let ours = (0..plan.cells.len()).filter(|&id| mine[id]);
    let rows = ours.map(|id| row(plan, place, id, submitted, queue));
    let runs = rows.collect::<Result<Vec<_>>>()?;
    let mut counts = BTreeMap::new();
    for state in runs.iter().filter_map(|row| row.state) {
        *counts.entry(state).or_insert(0) += 1;
    }
    let mut text: String = runs.iter().map(|row| row.text() + "\n").collect();
    let words = counts.iter().map(|(state, count)| format!("{count} {}", state.word()));
    let words = words.collect::<Vec<_>>().join(", ");
    text.push_str(&format!("\n{} runs: {words}", runs.len()));
    Ok(Answer::new(&Document { runs, counts }, text))
}

impl Row {
    fn text(&self) -> String {
        let Self { run, state, epoch, job, reason, problem } = self;
        let word = state.map(State::word).unwrap_or_default();
        let epoch = epoch.as_ref().map(|epoch| format!("  {epoch}")).unwrap_or_default();
        let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let job = job.as_ref().map(|job| format!("  job {job}{reason}")).unwrap_or_default();
        let problem = problem.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("{word:<9} {run}{epoch}{job}{problem}")
    }
}

fn row(
    plan: &Plan,
    place: &Place,
    id: CellId,
    submitted: &Submitted,
    queue: &[Queued],
) -> Result<Row> {
    let key = &plan.cells[id].key;
    let name = place.name(plan, id)?;
    let stage = name.as_ref().map_or(Ok(Stage::Missing), |name| place.stage(name))?;
    let name = name.unwrap_or_else(|| key.clone());
    let task = submitted.tasks.iter().find(|task| &task.run == key);
    let queued = task.and_then(|task| {
        queue.iter().find(|queued| (queued.job, queued.index) == (task.job, Some(task.index)))
    });
    let job = queued.and(task).map(|task| format!("{}_{}", task.job, task.index));
    let row = Row { run: name.clone(), ..Row::default() };
    Ok(match (stage, queued, place.failure(&name)) {
        (Stage::Finished(_), ..) => Row { state: Some(State::Finished), ..row },
        (_, Some(task), _) if task.waits() => {
            let reason = Some(task.reason.clone());
            Row { state: Some(State::Waiting), job, reason, ..row }
        }
        (_, queued, _) if queued.is_some() || place.holder(&name).is_some() => {
            Row { state: Some(State::Running), epoch: epoch(place, &name), job, ..row }
        }
        (_, _, Some(why)) => Row { state: Some(State::Failed), problem: Some(why), ..row },
        (Stage::Begun, ..) => {
            Row { state: Some(State::Stopped), epoch: epoch(place, &name), ..row }
        }
        (Stage::Missing, ..) => Row { state: Some(State::Missing), ..row },
    })
}

/// The last epoch that a run has ended; none before the first, and while the row is being written.
fn epoch(place: &Place, name: &str) -> Option<String> {
    let path = place.runs().join(name).join(names::METRICS);
    let text = std::fs::read_to_string(path).ok()?;
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
    use crate::scale::Scale;
    use crate::slurm::Task;
    use crate::testing::{finish, plan};
    use std::fs;

    #[test]
    fn from_folders_and_the_queue() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path());
        let plan = plan(Scale::Small, &["table3"], 1);
        let key = |id: CellId| plan.cells[id].key.clone();
        for id in [2, 4, 6, 8] {
            let run = place.runs().join(key(id));
            fs::create_dir_all(&run).unwrap();
            fs::write(run.join("config.toml"), "").unwrap();
        }
        finish(&place, &key(0));
        let metrics = "epoch,phase,depth,train_loss\n1,growing,1-1-1,0.5\n2,growing,2-1-1,0.4\n";
        fs::write(place.runs().join(key(2)).join("metrics.csv"), metrics).unwrap();
        place.failed(&key(4), "diverged").unwrap();
        let lock = place.runs().join(key(8)).join("lock");
        fs::write(&lock, "4711").unwrap();
        let held = fs::File::open(&lock).unwrap();
        held.lock().unwrap();
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
        let mine: Vec<_> = (0..plan.cells.len()).map(|id| id < 9).collect();
        let answer = status(&plan, &mine, &place, (&submitted, &queue)).unwrap();
        let lines: Vec<_> = answer.text.lines().collect();
        assert_eq!(lines[0], format!("finished  {}", key(0)));
        // Its depth is known, and so its name.
        assert!(lines[1].starts_with("missing   cifar10-basic3resnet-3-3-3-scratch"), "{lines:?}");
        assert_eq!(lines[2], format!("running   {}  epoch 2 at 2-1-1  job 7_1", key(2)));
        assert_eq!(lines[3], format!("waiting   {}  job 8_1 (Dependency)", key(3)));
        assert_eq!(lines[4], format!("failed    {}: diverged", key(4)));
        assert_eq!(lines[6], format!("stopped   {}", key(6)));
        assert_eq!(lines[8], format!("running   {}", key(8)));
        assert_eq!(
            lines[10],
            "9 runs: 1 finished, 2 running, 1 waiting, 1 failed, 1 stopped, 3 missing"
        );
        assert_eq!(answer.document["counts"]["running"], 2);
    }
}
