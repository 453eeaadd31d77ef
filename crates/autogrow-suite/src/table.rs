//! Results as tables: Markdown and a page of HTML, a line a row; CSV, a line for each row and seed.

use crate::file::Printed;
use crate::results::{Line, Measured, Results, Run};
use autogrow_run::Outcome;

mod csv;
mod html;
mod markdown;

pub(crate) use self::csv::csv;
pub(crate) use self::html::html;
pub(crate) use self::markdown::markdown;

/// A column: what stands above it, and what it says of a row.
type Column = (&'static str, fn(&Line) -> String);

/// Left of the links to the run folders.
const SETTING: [Column; 2] =
    [("of", |line| line.of.clone()), ("setting", |line| line.setting.clone())];

const PAPER: [Column; 3] = [
    ("paper: net", |line| paper(line, |paper| paper.found.as_ref().map(ToString::to_string))),
    ("paper: accuracy %", printed),
    ("paper: delta", |line| paper(line, |paper| Some(format!("{:+.2}", paper.delta?)))),
];

const PAPER_TOP5: Column =
    ("paper: top-5 %", |line| paper(line, |paper| Some(format!("{:.2}", paper.top5?))));

const FOUND: [Column; 3] = [
    ("found", |line| each(line, |run| Some(run.found.to_string()))),
    ("validation %", |line| mean_of(line, 2, |run| run.val_accuracy)),
    ("test %", |line| mean_of(line, 2, |run| run.test_accuracy)),
];

const TOP5: Column = ("top-5 %", |line| {
    mean(&line.seeds.iter().filter_map(|seed| seed.run.top5_percent).collect::<Vec<_>>(), 2, false)
});

const FLOOR: [Column; 2] = [
    ("floor", |line| grown(line, |run| run.floor.as_ref().map(ToString::to_string))),
    ("on the floor", |line| {
        grown(line, |run| Some(if run.at_floor { "yes" } else { "no" }.into()))
    }),
];

const DELTA: Column = ("delta from baseline", |line| {
    mean(&line.seeds.iter().filter_map(|seed| seed.delta).collect::<Vec<_>>(), 2, true)
});

const COST: [Column; 4] = [
    ("growing s", |line| mean_of(line, 1, |run| run.growing_seconds)),
    ("fine-tuning s", |line| mean_of(line, 1, |run| run.fine_tuning_seconds)),
    ("parameters", |line| each(line, |run| Some(run.parameters.to_string()))),
    ("MACs", |line| each(line, |run| Some(run.macs.to_string()))),
];

/// Headers of the last two columns: links to run folders, and everything else.
const LAST: [&str; 2] = ["runs", "differs"];

/// Of a row: what stands below all headers but the last two, its run folders, and what stands below
/// the last.
type Row<'a> = (Vec<String>, Vec<(String, &'a str)>, String);

struct Cells<'a> {
    headers: Vec<&'static str>,
    rows: Vec<Row<'a>>,
}

impl<'a> Cells<'a> {
    fn of(results: &'a Results) -> Self {
        let columns = columns(results);
        let headers = columns.iter().map(|(header, _)| *header).chain(LAST).collect();
        let row = |line: &'a Line| {
            let cells = columns.iter().map(|(_, cell)| cell(line)).collect();
            (cells, folders(line), remarks(line, &line.seeds))
        };
        Self { headers, rows: results.rows.iter().map(row).collect() }
    }
}

/// The columns that say something of any row, but for the last two.
fn columns(results: &Results) -> Vec<Column> {
    let has = |of: fn(&Line) -> bool| results.rows.iter().any(of);
    let mut columns = SETTING.to_vec();
    if has(|line| line.paper.is_some()) {
        columns.extend(PAPER);
    }
    if has(|line| line.paper.as_ref().is_some_and(|paper| paper.top5.is_some())) {
        columns.push(PAPER_TOP5);
    }
    columns.extend(FOUND);
    if has(|line| line.has_top5) {
        columns.push(TOP5);
    }
    if has(|line| line.seeds.iter().any(|seed| seed.grown)) {
        columns.extend(FLOOR);
    }
    if has(|line| line.seeds.iter().any(|seed| seed.baseline.is_some())) {
        columns.push(DELTA);
    }
    columns.extend(COST);
    columns
}

fn paper(line: &Line, of: fn(&Printed) -> Option<String>) -> String {
    line.paper.as_ref().and_then(of).unwrap_or_default()
}

/// What the paper prints, with a question mark where it is uncertain.
fn printed(line: &Line) -> String {
    paper(line, |paper| {
        let doubt = paper.uncertain.as_ref().map(|_| "?".to_string());
        let percent = paper.accuracy.map(|percent| format!("{percent:.2}"));
        Some(percent.into_iter().chain(doubt).collect::<Vec<_>>().join(" "))
    })
}

/// As [`each`], where the net was grown.
fn grown(line: &Line, of: fn(&Outcome) -> Option<String>) -> String {
    if line.seeds.iter().all(|seed| seed.grown) { each(line, of) } else { String::new() }
}

/// What the finished runs say, each answer once, with how many say so where they differ.
fn each(line: &Line, of: fn(&Outcome) -> Option<String>) -> String {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for answer in line.seeds.iter().filter_map(|seed| seed.run.outcome.as_ref().and_then(of)) {
        match counted.iter_mut().find(|(known, _)| *known == answer) {
            Some((_, count)) => *count += 1,
            None => counted.push((answer, 1)),
        }
    }
    match counted.as_slice() {
        [(answer, _)] => answer.clone(),
        several => {
            let several = several.iter().map(|(answer, count)| format!("{answer} ({count})"));
            several.collect::<Vec<_>>().join(", ")
        }
    }
}

fn mean_of(line: &Line, digits: usize, of: fn(&Outcome) -> f64) -> String {
    let values = line.seeds.iter().filter_map(|seed| seed.run.outcome.as_ref().map(of));
    mean(&values.collect::<Vec<_>>(), digits, false)
}

/// Mean and sample standard deviation; the latter where there is more than one value.
fn mean(values: &[f64], digits: usize, signed: bool) -> String {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let number = if signed { format!("{mean:+.digits$}") } else { format!("{mean:.digits$}") };
    match values {
        [] => String::new(),
        [_] => number,
        values => {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            format!("{number} ± {:.digits$}", (squares / (count - 1.0)).sqrt())
        }
    }
}

/// A run and that which it is compared with, each with what to call it.
fn runs(measured: &Measured) -> impl Iterator<Item = (&'static str, &Run)> {
    [("", Some(&measured.run)), (" baseline", measured.baseline.as_ref())]
        .into_iter()
        .filter_map(|(what, run)| Some((what, run?)))
}

/// What differs, what is uncertain, and what is not there of some seeds.
fn remarks(line: &Line, seeds: &[Measured]) -> String {
    let mut remarks = line.differences.clone();
    if let Some(uncertain) = line.paper.as_ref().and_then(|paper| paper.uncertain.as_ref()) {
        remarks.push(format!("paper uncertain: {uncertain}"));
    }
    for measured in seeds {
        for (what, run) in runs(measured) {
            if let Some(problem) = &run.problem {
                remarks.push(format!("seed {}{what} {problem}", measured.seed));
            }
        }
    }
    remarks.join("; ")
}

/// The run folders of a line that have a result: what to call each, and its name.
fn folders(line: &Line) -> Vec<(String, &str)> {
    let mut folders = Vec::new();
    for measured in &line.seeds {
        for (what, run) in runs(measured) {
            if let Run { run: Some(name), outcome: Some(_), .. } = run {
                folders.push((format!("seed {}{what}", measured.seed), name.as_str()));
            }
        }
    }
    folders
}

#[cfg(test)]
mod tests;
