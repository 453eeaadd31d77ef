//! Results as CSV: a line for each row and seed, with its baseline in it; nothing rounded.

use super::remarks;
use crate::results::{Line, Measured, Results, Run};
use autogrow_base::{Error, Result};
use autogrow_run::Outcome;

/// A line for each row and seed; empty where there is no number.
pub(crate) fn csv(results: &Results) -> Result<String> {
    let wrong = |error: String| Error::run(&results.suite, error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut is_first = true;
    for line in &results.rows {
        for measured in &line.seeds {
            let record = record(line, measured);
            if std::mem::take(&mut is_first) {
                let header = writer.write_record(record.iter().map(|(name, _)| name));
                header.map_err(|error| wrong(error.to_string()))?;
            }
            let values = writer.write_record(record.iter().map(|(_, value)| value));
            values.map_err(|error| wrong(error.to_string()))?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| wrong(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| wrong(error.to_string()))
}

/// The columns of a line, each with its value.
fn record(line: &Line, measured: &Measured) -> [(&'static str, String); 24] {
    let outcome = measured.run.outcome.as_ref();
    let of = |what: fn(&Outcome) -> String| outcome.map(what).unwrap_or_default();
    let grown =
        |what: fn(&Outcome) -> String| if measured.grown { of(what) } else { String::new() };
    let baseline = measured.baseline.as_ref();
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let name = |run: Option<&Run>| {
        let run = run.filter(|run| run.outcome.is_some());
        run.and_then(|run| run.run.clone()).unwrap_or_default()
    };
    let paper = line.paper.clone().unwrap_or_default();
    [
        ("table", line.of.clone()),
        ("setting", line.setting.clone()),
        ("paper_found", paper.found.map(|found| found.to_string()).unwrap_or_default()),
        ("paper_accuracy", number(paper.accuracy)),
        ("paper_delta", number(paper.delta)),
        ("paper_top5", number(paper.top5)),
        ("paper_uncertain", paper.uncertain.unwrap_or_default()),
        ("seed", measured.seed.to_string()),
        ("found", of(|outcome| outcome.found.to_string())),
        ("val_accuracy", of(|outcome| outcome.val_accuracy.to_string())),
        ("test_accuracy", of(|outcome| outcome.test_accuracy.to_string())),
        ("top5", number(measured.run.top5_percent)),
        ("floor", grown(|run| run.floor.as_ref().map(ToString::to_string).unwrap_or_default())),
        ("at_floor", grown(|outcome| outcome.at_floor.to_string())),
        (
            "baseline_test_accuracy",
            number(baseline.and_then(|run| Some(run.outcome.as_ref()?.test_accuracy))),
        ),
        ("delta", number(measured.delta)),
        ("growing_epochs", of(|outcome| outcome.growing_epochs.to_string())),
        ("growing_seconds", of(|outcome| outcome.growing_seconds.to_string())),
        ("fine_tuning_seconds", of(|outcome| outcome.fine_tuning_seconds.to_string())),
        ("parameters", of(|outcome| outcome.parameters.to_string())),
        ("macs", of(|outcome| outcome.macs.to_string())),
        ("run", name(Some(&measured.run))),
        ("baseline_run", name(baseline)),
        ("differs", remarks(line, std::slice::from_ref(measured))),
    ]
}
