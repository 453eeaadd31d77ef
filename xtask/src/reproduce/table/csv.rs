//! Results as CSV: a line for each row and seed, with its baseline in it; nothing rounded.

use super::remarks;
use crate::reproduce::place::Outcome;
use crate::reproduce::results::{Line, Measured, Results};
use anyhow::{Context, Result};

const HEADER: [&str; 21] = [
    "table",
    "setting",
    "paper_found",
    "paper_accuracy",
    "paper_delta",
    "paper_uncertain",
    "seed",
    "found",
    "val_accuracy",
    "test_accuracy",
    "floor",
    "at_floor",
    "scratch_test_accuracy",
    "delta",
    "growing_epochs",
    "growing_seconds",
    "fine_tuning_seconds",
    "parameters",
    "macs",
    "run",
    "scratch_run",
];

/// A line for each row and seed; empty where there is no number.
///
/// # Errors
/// None that is known of: it is written to memory.
pub(in crate::reproduce) fn csv(results: &Results) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER.iter().chain(&["differs"]))?;
    for line in &results.lines {
        for measured in &line.seeds {
            let remarks = remarks(line, std::slice::from_ref(measured));
            writer.write_record(record(line, measured).iter().chain(&[remarks]))?;
        }
    }
    let bytes = writer.into_inner().context("the CSV cannot be ended")?;
    Ok(String::from_utf8(bytes)?)
}

fn record(line: &Line, measured: &Measured) -> [String; 21] {
    let outcome = measured.run.outcome.as_ref();
    let of = |what: fn(&Outcome) -> String| outcome.map(what).unwrap_or_default();
    let grown =
        |what: fn(&Outcome) -> String| if measured.grown { of(what) } else { String::new() };
    let scratch = measured.scratch.as_ref();
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let name = |run: Option<&crate::reproduce::results::Run>| {
        let run = run.filter(|run| run.outcome.is_some());
        run.and_then(|run| run.name.clone()).unwrap_or_default()
    };
    [
        line.table.clone(),
        line.setting.clone(),
        line.paper.found.clone().unwrap_or_default(),
        number(line.paper.accuracy),
        number(line.paper.delta),
        line.paper.uncertain.clone().unwrap_or_default(),
        measured.seed.to_string(),
        of(|outcome| outcome.found.to_string()),
        of(|outcome| outcome.val_accuracy.to_string()),
        of(|outcome| outcome.test_accuracy.to_string()),
        grown(|outcome| outcome.floor.as_ref().map(ToString::to_string).unwrap_or_default()),
        grown(|outcome| outcome.at_floor.to_string()),
        number(scratch.and_then(|run| Some(run.outcome.as_ref()?.test_accuracy))),
        number(measured.delta()),
        of(|outcome| outcome.growing_epochs.to_string()),
        of(|outcome| outcome.growing_seconds.to_string()),
        of(|outcome| outcome.fine_tuning_seconds.to_string()),
        of(|outcome| outcome.parameters.to_string()),
        of(|outcome| outcome.macs.to_string()),
        name(Some(&measured.run)),
        name(scratch),
    ]
}
