//! What whoever runs a reproduction reads in the terminal.

use super::depth::Depth;
use super::estimate::{Cost, duration};
use super::paper::Paper;
use super::place::{Place, Stage};
use super::plan::{Cell, Plan};
use super::run::{Summary, cell_name};
use super::suites;
use anyhow::Result;

/// The suites there are.
pub(super) fn suites(paper: &Paper) -> String {
    let suites = suites::all(paper);
    let available = suites.iter().map(|suite| {
        let rows = suite.rows.len();
        format!("  {:<14} {:>3} rows  {}\n", suite.name, rows, suite.title)
    });
    format!("Suites:\n{}  {:<14}           all of them", available.collect::<String>(), "all")
}

/// How far a cell is, in a word.
fn stage(plan: &Plan<'_>, place: &Place, id: usize) -> Result<&'static str> {
    let Some(name) = cell_name(plan, place, id)? else { return Ok("waits") };
    Ok(match place.stage(&name)? {
        Stage::Finished(_) => "finished",
        Stage::Begun => "begun",
        Stage::Missing => "missing",
    })
}

/// Our cells, with what they wait for.
pub(super) fn cells(plan: &Plan<'_>, mine: &[bool], place: &Place) -> Result<String> {
    let mut text = String::new();
    let numbered = plan.cells.iter().enumerate().filter(|(id, _)| mine[*id]);
    for (id, cell) in numbered {
        let after: Vec<_> = cell.after.iter().map(|before| (before + 1).to_string()).collect();
        let after =
            if after.is_empty() { String::new() } else { format!("  after {}", after.join(", ")) };
        let stage = stage(plan, place, id)?;
        text.push_str(&format!("{:>4}  {stage:<8}  {}{after}\n", id + 1, cell.key));
    }
    for page in &plan.pages {
        let runs = page.entries.iter().flat_map(|entry| &entry.seeds);
        let runs: usize = runs.map(|cells| 1 + usize::from(cells.scratch.is_some())).sum();
        text.push_str(&format!(
            "\n{}: {} rows, {runs} numbers of a run",
            page.suite.name,
            page.entries.len()
        ));
    }
    Ok(text)
}

/// Our cells, with what each will cost.
pub(super) fn costs(
    plan: &Plan<'_>,
    mine: &[bool],
    place: &Place,
    costs: &[Cost],
    jobs: usize,
) -> Result<String> {
    let mut text = format!(
        "{:>6} {:>6} {:<14} {:>9} {:>8} {:>8}  {:<8}  run\n",
        "grow", "tune", "taken to end", "MACs", "time", "memory", ""
    );
    let (mut left, mut runs, mut epochs) = (0.0, 0, 0);
    let all = plan.cells.iter().zip(costs).enumerate();
    for (id, (cell, cost)) in all.filter(|(id, _)| mine[*id]) {
        let stage = stage(plan, place, id)?;
        text.push_str(&line(cell, cost, stage));
        if stage != "finished" {
            left += cost.seconds;
            runs += 1;
            epochs += cost.growing_epochs + cost.fine_tuning_epochs;
        }
    }
    let total = duration(left / jobs as f64);
    text.push_str(&format!(
        "\n{runs} runs to go, at least {epochs} epochs, about {total} with {jobs} at a time.\n\
         Growing runs are taken to end at their floor, or where the paper's did; deeper nets take \
         longer. Time is that of a step measured now on this machine; what is trained at \
         the same time slows it down."
    ));
    Ok(text)
}

fn line(cell: &Cell, cost: &Cost, stage: &str) -> String {
    let Cost { growing_epochs, fine_tuning_epochs, depth, macs, seconds, memory } = cost;
    let (time, memory) = (duration(*seconds), format!("{}B", si(*memory)));
    let (depth, macs) = (Depth::to_string(depth), si(*macs));
    format!(
        "{growing_epochs:>6} {fine_tuning_epochs:>6} {depth:<14} {macs:>9} {time:>8} {memory:>8}  \
         {stage:<8}  {}\n",
        cell.key
    )
}

/// With three digits and a prefix.
fn si(number: f64) -> String {
    match number {
        n if n < 1e6 => format!("{:.1} k", n / 1e3),
        n if n < 1e9 => format!("{:.1} M", n / 1e6),
        n => format!("{:.2} G", n / 1e9),
    }
}

/// How it ended.
pub(super) fn summary(summary: &Summary) -> String {
    let Summary { finished, failed, skipped, interrupted } = summary;
    let mut text = format!("{finished} finished, {} failed, {skipped} skipped", failed.len());
    for (cell, why) in failed {
        text.push_str(&format!("\nfailed: {cell}: {why}"));
    }
    if interrupted.is_some() {
        text.push_str("\ninterrupted; the same command goes on where this one stopped");
    }
    text
}

/// Where the results are.
pub(super) fn pages(plan: &Plan<'_>, place: &Place) -> String {
    let pages = plan.pages.iter().map(|page| {
        let path = place.out.join(page.suite.name);
        format!("{}.md, .csv, .html", path.display())
    });
    pages.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::scale::Scale;
    use crate::reproduce::testing::{TestFolder, with_plan};

    #[test]
    fn what_there_is() {
        let text = suites(&Paper::read().unwrap());
        for suite in ["table2 ", "table11 ", "figure8 ", "mnist ", "imagenet ", "morph ", "all "] {
            assert!(text.lines().any(|line| line.trim_start().starts_with(suite)), "{suite}");
        }
    }

    #[test]
    fn cells_with_what_they_wait_for() {
        let folder = TestFolder::new("show");
        let place = Place { out: folder.path.clone() };
        let text = with_plan(Scale::Smoke, &["table10"], 1, |plan| {
            let mine = vec![true; plan.cells.len()];
            cells(plan, &mine, &place).unwrap()
        });
        let baseline = text.lines().nth(1).unwrap();
        assert!(baseline.contains("waits     scratch of folder-"), "{text}");
        assert!(baseline.ends_with("after 1"), "{text}");
        assert!(text.ends_with("table10: 6 rows, 12 numbers of a run"), "{text}");
    }

    #[test]
    fn prefixes() {
        let texts = [999.0, 763_500.0, 1.25e7, 4.1e9].map(si);
        assert_eq!(texts, ["1.0 k", "763.5 k", "12.5 M", "4.10 G"]);
    }
}
