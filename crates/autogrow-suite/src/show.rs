//! What whoever runs a suite reads, or a program of theirs.

use crate::answer::Answer;
use crate::cell::CellId;
use crate::estimate::Cost;
use crate::needs::Missing;
use crate::place::{Place, Stage};
use crate::plan::Plan;
use crate::results::Results;
use crate::run::{Failed, Summary};
use crate::scale::Scale;
use crate::suite::Suite;
use crate::words;
use autogrow_base::Result;
use autogrow_base::numbers::{duration, si};
use serde::Serialize;
use std::path::PathBuf;

/// Exit code where a run or a figure failed.
const FAILED: u8 = 1;

#[derive(Serialize)]
struct Named {
    name: String,
    title: String,
    rows: usize,
}

/// The suites that are built in.
pub(crate) fn suites() -> Result<Answer> {
    let suites = Suite::built_in()?.into_iter();
    let suites =
        suites.map(|Suite { name, title, rows, .. }| Named { name, title, rows: rows.len() });
    let suites: Vec<_> = suites.collect();
    let lines = suites
        .iter()
        .map(|Named { name, title, rows }| format!("{name:<14} {rows:>3} rows  {title}\n"));
    let text = lines.collect::<String>() + &format!("{:<14}           all of them", "all");
    Ok(Answer::new(&serde_json::json!({ "suites": suites }), text))
}

/// The rows of a plan, and what is missing for them.
pub(crate) fn rows(plan: &Plan, missing_data: &[Missing]) -> Answer {
    let mut text = String::new();
    let mut suites = Vec::new();
    for page in &plan.pages {
        let rows = page.entries.iter().map(|entry| words::setting(&entry.row, &entry.written));
        let rows: Vec<_> = rows.collect();
        text.push_str(&format!("{}\n", page.suite.title));
        rows.iter().for_each(|row| text.push_str(&format!("  {row}\n")));
        suites.push(serde_json::json!({ "name": page.name, "rows": rows }));
    }
    text.push_str(&format!("{} runs\n", plan.cells.len()));
    missing_data.iter().for_each(|missing| text.push_str(&missing.text()));
    let runs = plan.cells.len();
    let document =
        serde_json::json!({ "suites": suites, "runs": runs, "missing_data": missing_data });
    Answer::new(&document, text)
}

/// How far a cell is, in a word.
fn stage(plan: &Plan, place: &Place, id: CellId) -> Result<&'static str> {
    let Some(name) = place.name(plan, id)? else { return Ok("waits") };
    Ok(match place.stage(&name)? {
        Stage::Finished(_) => "finished",
        Stage::Begun => "begun",
        Stage::Missing => "missing",
    })
}

/// Ours among the cells, with their places.
fn ours<'a>(plan: &'a Plan, mine: &'a [bool]) -> impl Iterator<Item = CellId> + 'a {
    (0..plan.cells.len()).filter(|&id| mine[id])
}

#[derive(Serialize)]
struct Listed {
    number: usize,
    run: String,
    stage: &'static str,
    /// Numbers of the runs that it waits for.
    after: Vec<usize>,
}

/// Our cells, with what they wait for.
pub(crate) fn cells(plan: &Plan, mine: &[bool], place: &Place) -> Result<Answer> {
    let mut runs = Vec::new();
    for id in ours(plan, mine) {
        let (cell, stage) = (&plan.cells[id], stage(plan, place, id)?);
        let after = cell.after.iter().map(|before| before + 1).collect();
        runs.push(Listed { number: id + 1, run: cell.key.clone(), stage, after });
    }
    let lines = runs.iter().map(|Listed { number, run, stage, after }| {
        let after: Vec<_> = after.iter().map(usize::to_string).collect();
        let after =
            if after.is_empty() { String::new() } else { format!("  after {}", after.join(", ")) };
        format!("{number:>4}  {stage:<8}  {run}{after}\n")
    });
    let mut text: String = lines.collect();
    for page in &plan.pages {
        let seeds = page.entries.iter().flat_map(|entry| &entry.seeds);
        let numbers: usize = seeds.map(|cells| 1 + usize::from(cells.baseline.is_some())).sum();
        let (name, rows) = (&page.name, page.entries.len());
        text.push_str(&format!("\n{name}: {rows} rows, {numbers} numbers of a run"));
    }
    Ok(Answer::new(&serde_json::json!({ "runs": runs }), text))
}

#[derive(Serialize)]
struct Priced<'a> {
    run: &'a str,
    stage: &'static str,
    #[serde(flatten)]
    cost: &'a Cost,
}

/// What is to be done, and what it will cost.
#[derive(Serialize)]
pub(crate) struct Costs<'a> {
    scale: Scale,
    runs: Vec<Priced<'a>>,
    /// Without those that have a result.
    runs_to_go: usize,
    epochs_to_go: usize,
    /// With as many runs at a time as are asked for.
    seconds_to_go: f64,
    jobs: usize,
    missing_data: &'a [Missing],
}

impl<'a> Costs<'a> {
    /// Of our cells.
    pub(crate) fn new(
        (plan, mine, place): (&'a Plan, &[bool], &Place),
        costs: &'a [Cost],
        missing_data: &'a [Missing],
        (scale, jobs): (Scale, usize),
    ) -> Result<Self> {
        let mut runs = Vec::new();
        for id in ours(plan, mine) {
            let stage = stage(plan, place, id)?;
            runs.push(Priced { run: &plan.cells[id].key, stage, cost: &costs[id] });
        }
        let left: Vec<_> = runs.iter().filter(|run| run.stage != "finished").collect();
        let epochs = |cost: &Cost| cost.growing_epochs + cost.fine_tuning_epochs;
        let seconds = left.iter().map(|run| run.cost.seconds);
        Ok(Self {
            scale,
            runs_to_go: left.len(),
            epochs_to_go: left.iter().map(|run| epochs(run.cost)).sum(),
            // One run is not divided.
            seconds_to_go: (seconds.clone().sum::<f64>() / jobs as f64)
                .max(seconds.fold(0.0, f64::max)),
            runs,
            jobs,
            missing_data,
        })
    }

    /// What is left, in a line.
    pub(crate) fn left(&self) -> String {
        let Self { runs_to_go, epochs_to_go, seconds_to_go, jobs, .. } = self;
        let time = duration(*seconds_to_go);
        format!(
            "{runs_to_go} runs to go, at least {epochs_to_go} epochs, about {time} here with {jobs} \
             at a time"
        )
    }

    pub(crate) fn answer(&self) -> Answer {
        let mut text = format!(
            "{:>6} {:>6} {:<14} {:>9} {:>14} {:>9}  {:<8}  run\n",
            "grow", "tune", "taken to end", "MACs", "time", "memory", ""
        );
        for Priced { run, stage, cost } in &self.runs {
            let Cost { growing_epochs, fine_tuning_epochs, depth, macs, seconds, memory_bytes } =
                cost;
            let [macs, memory] = [macs, memory_bytes].map(|number| si(number.round() as u64));
            let time = duration(*seconds);
            text.push_str(&format!(
                "{growing_epochs:>6} {fine_tuning_epochs:>6} {depth:<14} {macs:>9} {time:>14} \
                 {memory:>8}B  {stage:<8}  {run}\n"
            ));
        }
        text.push_str(&format!(
            "\n{}.\nGrowing runs are taken to end at their floor, or where the paper's did; deeper \
             nets take\nlonger. Time is that of a step measured now on this machine; what runs at \
             the same time\nslows it down.\n",
            self.left()
        ));
        self.missing_data.iter().for_each(|missing| text.push_str(&missing.text()));
        Answer::new(self, text)
    }
}

/// What came of a suite.
#[derive(Serialize)]
pub(crate) struct Ended {
    pub(crate) scale: Scale,
    pub(crate) out: PathBuf,
    #[serde(flatten)]
    pub(crate) summary: Summary,
    /// None in a job of Slurm, which writes no tables.
    pub(crate) suites: Vec<Results>,
}

impl Ended {
    pub(crate) fn answer(&self) -> Answer {
        let Summary { finished, failed, skipped, interrupted } = &self.summary;
        let mut text = format!("{finished} finished, {} failed, {skipped} skipped", failed.len());
        for Failed { name, message, .. } in failed {
            text.push_str(&format!("\nfailed: {name}: {message}"));
        }
        if interrupted.is_some() {
            text.push_str("\ninterrupted; the same command goes on where this one stopped");
        }
        if self.scale == Scale::Smoke {
            text.push_str("\na check that everything runs: no number of it is a result");
        }
        for results in &self.suites {
            let path = self.out.join(&results.suite);
            text.push_str(&format!("\n{}.md, .csv, .html", path.display()));
        }
        let code = if failed.is_empty() { 0 } else { FAILED };
        Answer::new(self, text).ended_with(interrupted.unwrap_or(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::plan;

    #[test]
    fn the_suites_that_are_built_in() {
        let answer = suites().unwrap();
        for suite in ["table2 ", "table11 ", "figure8 ", "mnist ", "imagenet ", "morph ", "all "] {
            assert!(answer.text.lines().any(|line| line.starts_with(suite)), "{suite}");
        }
        assert_eq!(answer.document["schema"], 1);
        assert_eq!(answer.document["suites"].as_array().unwrap().len(), 26);
    }

    #[test]
    fn cells_with_what_they_wait_for() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(Scale::Smoke, &["table10"], 1);
        let mine = vec![true; plan.cells.len()];
        let text = cells(&plan, &mine, &Place::new(folder.path())).unwrap().text;
        let baseline = text.lines().nth(1).unwrap();
        assert!(baseline.contains("waits     baseline "), "{text}");
        assert!(baseline.contains(" of folder-") && baseline.ends_with("after 1"), "{text}");
        assert!(text.ends_with("table10: 6 rows, 12 numbers of a run"), "{text}");
    }

    #[test]
    fn costs_are_summed_over_what_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let (plan, place) = (plan(Scale::Smoke, &["table10"], 1), Place::new(folder.path()));
        crate::testing::finish(&place, &plan.cells[0].key);
        let cost = |seconds| Cost {
            growing_epochs: 2,
            fine_tuning_epochs: 3,
            depth: "1-1-1-1".parse().unwrap(),
            macs: 1.8e9,
            seconds,
            memory_bytes: 2e9,
        };
        let costs: Vec<_> = (0..plan.cells.len()).map(|_| cost(86_400.0 * 100.0)).collect();
        let mine = vec![true; plan.cells.len()];
        let missing = [Missing {
            data: "imagenet".into(),
            problem: "its files are nowhere".into(),
            hint: "get them".into(),
        }];
        let costs =
            Costs::new((&plan, &mine, &place), &costs, &missing, (Scale::Smoke, 2)).unwrap();
        assert_eq!(
            costs.left(),
            "5 runs to go, at least 25 epochs, about 250 d 0 h here with 2 at a time"
        );
        let Answer { document, text, .. } = costs.answer();
        assert_eq!((&document["runs_to_go"], &document["jobs"]), (&5.into(), &2.into()));
        assert!(
            text.contains("imagenet is missing: its files are nowhere\nhint: get them"),
            "{text}"
        );
    }

    #[test]
    fn the_exit_code_tells_how_it_ended() {
        let code = |failed: bool, interrupted| {
            let failed = failed.then(|| Failed { name: "a".into(), code: 5, message: "b".into() });
            let failed = failed.into_iter().collect();
            let summary = Summary { failed, interrupted, ..Summary::default() };
            let ended = Ended { scale: Scale::Small, out: "".into(), summary, suites: Vec::new() };
            ended.answer().exit_code
        };
        assert_eq!([code(false, None), code(true, None), code(true, Some(130))], [0, FAILED, 130]);
    }
}
