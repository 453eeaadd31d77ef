//! Results as tables: Markdown and a page of HTML, a line a row of the paper; CSV, a line for each
//! row and seed.

use super::results::{Line, Measured, Run};

mod csv;
mod html;
mod markdown;

pub(super) use self::csv::csv;
pub(super) use self::html::html;
pub(super) use self::markdown::markdown;

const HEADER: [&str; 17] = [
    "of",
    "setting",
    "paper: net",
    "paper: accuracy %",
    "paper: delta",
    "found",
    "validation %",
    "test %",
    "floor",
    "on the floor",
    "delta from scratch",
    "growing s",
    "fine-tuning s",
    "parameters",
    "MACs",
    "runs",
    "differs from the paper",
];

/// Where the run folders' links stand.
const RUNS: usize = 15;

/// The cells of a line, but for those of the run folders.
fn cells(line: &Line) -> [String; 17] {
    let outcome = |of: fn(&super::place::Outcome) -> f64| {
        line.seeds.iter().filter_map(|seed| seed.run.outcome.as_ref().map(of)).collect::<Vec<_>>()
    };
    let finished = line.seeds.iter().filter(|seed| seed.run.outcome.is_some()).count();
    let deltas: Vec<_> = line.seeds.iter().filter_map(Measured::delta).collect();
    let text = |option: &Option<String>| option.clone().unwrap_or_default();
    [
        line.table.clone(),
        line.setting.clone(),
        text(&line.paper.found),
        accuracy(line),
        line.paper.delta.map(|points| format!("{points:+.2}")).unwrap_or_default(),
        if finished == 0 { String::new() } else { each(line, |run| Some(run.found.to_string())) },
        mean(&outcome(|outcome| outcome.val_accuracy), 2, false),
        mean(&outcome(|outcome| outcome.test_accuracy), 2, false),
        grown(line, |outcome| outcome.floor.as_ref().map(ToString::to_string)),
        grown(line, |outcome| Some(if outcome.at_floor { "yes" } else { "no" }.to_string())),
        mean(&deltas, 2, true),
        mean(&outcome(|outcome| outcome.growing_seconds), 1, false),
        mean(&outcome(|outcome| outcome.fine_tuning_seconds), 1, false),
        each(line, |outcome| Some(outcome.parameters.to_string())),
        each(line, |outcome| Some(outcome.macs.to_string())),
        String::new(),
        remarks(line, &line.seeds),
    ]
}

/// What the paper prints, with a question mark where it is uncertain.
fn accuracy(line: &Line) -> String {
    let doubt = line.paper.uncertain.as_ref().map(|_| "?".to_string());
    let percent = line.paper.accuracy.map(|percent| format!("{percent:.2}"));
    percent.into_iter().chain(doubt).collect::<Vec<_>>().join(" ")
}

/// As [`each`], where the net was grown.
fn grown(line: &Line, of: impl Fn(&super::place::Outcome) -> Option<String>) -> String {
    if line.seeds.iter().all(|seed| seed.grown) { each(line, of) } else { String::new() }
}

/// What the finished runs say, each answer once, with how many say so where they differ.
fn each(line: &Line, of: impl Fn(&super::place::Outcome) -> Option<String>) -> String {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for answer in line.seeds.iter().filter_map(|seed| seed.run.outcome.as_ref().and_then(&of)) {
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

/// What differs, what is uncertain, and what is not there of some seeds.
fn remarks(line: &Line, seeds: &[Measured]) -> String {
    let mut remarks = line.differences.clone();
    remarks.extend(line.paper.top5.map(|percent| format!("paper: top-5 {percent:.2} %")));
    if let Some(uncertain) = &line.paper.uncertain {
        remarks.push(format!("paper uncertain: {uncertain}"));
    }
    for measured in seeds {
        let runs = [("", Some(&measured.run)), ("from scratch ", measured.scratch.as_ref())];
        for (what, run) in runs {
            if let Some(Run { outcome: None, word, .. }) = run {
                remarks.push(format!("seed {} {what}{word}", measured.seed));
            }
        }
    }
    remarks.join("; ")
}

/// The run folders of a line that have a result: what to call each, and its name.
fn folders(line: &Line) -> Vec<(String, &str)> {
    let mut folders = Vec::new();
    for measured in &line.seeds {
        let runs = [("", Some(&measured.run)), (" from scratch", measured.scratch.as_ref())];
        for (what, run) in runs {
            if let Some(Run { name: Some(name), outcome: Some(_), .. }) = run {
                folders.push((format!("seed {}{what}", measured.seed), name.as_str()));
            }
        }
    }
    folders
}

#[cfg(test)]
mod tests;
