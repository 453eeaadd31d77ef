//! Tables against expected files, which lie in `expected`.

use super::*;
use crate::figures::Drawing;

fn run(name: &str, found: &str, test: f64) -> Run {
    let outcome = serde_json::from_value(serde_json::json!({
        "found": found,
        "network": "basic3resnet",
        "data": "cifar10",
        "val_accuracy": test + 0.5,
        "test_accuracy": test,
        "growing_epochs": 12,
        "fine_tuning_epochs": 20,
        "growing_seconds": 30.25,
        "fine_tuning_seconds": 60.5,
        "parameters": 77_800,
        "macs": 763_500,
        "floor": "3-2-2",
        "at_floor": found == "3-2-2",
    }));
    let top5_percent = Some(test + 5.0);
    Run { run: Some(name.into()), outcome: Some(outcome.unwrap()), top5_percent, problem: None }
}

fn without(problem: &str) -> Run {
    let problem = Some(problem.into());
    Run { run: Some("begun".into()), outcome: None, top5_percent: None, problem }
}

fn measured(seed: u64, run: Run, baseline: Option<Run>, grown: bool) -> Measured {
    let accuracy = |run: &Run| Some(run.outcome.as_ref()?.test_accuracy);
    let against = baseline.as_ref().and_then(accuracy);
    let delta = accuracy(&run).zip(against).map(|(own, other)| own - other);
    Measured { seed, run, baseline, delta, grown }
}

fn line(setting: &str, paper: Option<Printed>, seeds: Vec<Measured>, differences: &[&str]) -> Line {
    Line {
        of: "table3".into(),
        setting: setting.into(),
        has_top5: paper.as_ref().is_some_and(|paper| paper.top5.is_some()),
        paper,
        seeds,
        differences: differences.iter().map(ToString::to_string).collect(),
    }
}

fn results() -> Results {
    let found = Printed {
        found: "2-3-6".parse().ok(),
        accuracy: Some(91.77),
        delta: Some(-1.06),
        top5: Some(99.25),
        uncertain: None,
    };
    let baseline = Printed {
        accuracy: Some(95.3),
        uncertain: Some("a <coincidence> | or not".into()),
        ..Printed::default()
    };
    let figure = |file: &str, numbers| Drawing {
        title: "(a) accuracy & loss".into(),
        file: file.into(),
        numbers,
    };
    Results {
        suite: "table3".into(),
        title: "Table 3: Ablation & more".into(),
        notes: vec!["First note.".into(), "K < J, in words.".into()],
        figures: vec![figure("figure4/a/loss", false), figure("figure5/a", true)],
        rows: vec![
            line(
                "grown, three seeds",
                Some(found),
                vec![
                    measured(0, run("a-s0", "3-2-2", 90.0), Some(run("c-s0", "3-2-2", 91.5)), true),
                    measured(1, run("a-s1", "4-3-2", 92.0), Some(run("c-s1", "4-3-2", 91.5)), true),
                    measured(2, run("a-s2", "3-2-2", 91.0), Some(without("not run yet")), true),
                ],
                &["K = 1, not 3"],
            ),
            line(
                "from scratch",
                Some(baseline),
                vec![measured(0, run("b-s0", "3-3-3", 94.125), None, false)],
                &[],
            ),
            line(
                "diverged",
                None,
                vec![measured(0, without("failed: epoch 1, step 2"), None, true)],
                &[],
            ),
        ],
    }
}

/// Says where the first difference is, and writes what there should be where a reader finds it.
fn compare(name: &str, expected: &str, actual: &str) {
    let lines = expected.lines().zip(actual.lines());
    let differs = lines.enumerate().find(|(_, (expected, actual))| expected != actual);
    assert!(expected == actual, "expected/{name} differs, first in {differs:#?}\n{actual}");
}

#[test]
fn tables_look_as_expected() {
    let results = results();
    compare("table.md", include_str!("../../expected/table.md"), &markdown(&results));
    compare("table.html", include_str!("../../expected/table.html"), &html(&results));
    compare("table.csv", include_str!("../../expected/table.csv"), &csv(&results).unwrap());
}

#[test]
fn a_column_is_there_where_any_row_has_it() {
    let seed = || vec![measured(0, run("a-s0", "3-3-3", 90.0), None, false)];
    let mut results = results();
    results.rows = vec![line("from scratch", None, seed(), &[])];
    let headers: Vec<_> = Cells::of(&results).headers;
    for absent in ["paper: net", "paper: top-5 %", "top-5 %", "floor", "delta from baseline"] {
        assert!(!headers.contains(&absent), "{headers:?}");
    }
    results.rows[0].has_top5 = true;
    assert!(Cells::of(&results).headers.contains(&"top-5 %"));
}

#[test]
fn means_and_deviations() {
    assert_eq!(mean(&[], 2, false), "");
    assert_eq!(mean(&[91.5], 2, false), "91.50");
    // 90, 92, 91: the sample's standard deviation is 1.
    assert_eq!(mean(&[90.0, 92.0, 91.0], 2, false), "91.00 ± 1.00");
    assert_eq!(mean(&[-1.0, 1.5], 2, true), "+0.25 ± 1.77");
}

#[test]
fn no_number_without_its_run_folder() {
    let results = results();
    let (markdown, html) = (markdown(&results), html(&results));
    for measured in results.rows.iter().flat_map(|line| &line.seeds) {
        for (_, run) in runs(measured) {
            if run.outcome.is_some() {
                let name = run.run.as_ref().unwrap();
                assert!(markdown.contains(&format!("(runs/{name}/)")), "{name}");
                assert!(html.contains(&format!("href=\"runs/{name}/\"")), "{name}");
            }
        }
    }
}
