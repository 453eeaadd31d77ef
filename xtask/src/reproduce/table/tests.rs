//! Tables against expected files, which lie in `xtask/expected`.

use super::*;
use crate::reproduce::figures::Figure;
use crate::reproduce::place::Outcome;
use crate::reproduce::results::{Printed, Results};

fn run(name: &str, found: &str, test: f64) -> Run {
    let outcome = Outcome {
        found: found.parse().unwrap(),
        val_accuracy: test + 0.5,
        test_accuracy: test,
        growing_epochs: 12,
        growing_seconds: 30.25,
        fine_tuning_seconds: 60.5,
        parameters: 77_800,
        macs: 763_500,
        floor: Some("3-2-2".parse().unwrap()),
        at_floor: found == "3-2-2",
    };
    Run { name: Some(name.into()), outcome: Some(outcome), word: String::new() }
}

fn without(word: &str) -> Run {
    Run { name: Some("begun".into()), outcome: None, word: word.into() }
}

fn results() -> Results {
    let measured = |seed, run, scratch, grown| Measured { seed, run, scratch, grown };
    let line = |setting: &str, paper, seeds, differences: &[&str]| Line {
        table: "Table 3".into(),
        setting: setting.into(),
        paper,
        seeds,
        differences: differences.iter().map(ToString::to_string).collect(),
    };
    let found = Printed {
        found: Some("2-3-6".into()),
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
    let figure = |file: &str, numbers| Figure {
        title: "(a) accuracy & loss".into(),
        file: file.into(),
        numbers,
    };
    Results {
        figures: vec![figure("figure4/a/loss", false), figure("figure5/a", true)],
        title: "Table 3: Ablation & more".into(),
        notes: vec!["First note.".into(), "K < J, in words.".into()],
        lines: vec![
            line(
                "grown, three seeds",
                found,
                vec![
                    measured(0, run("a-s0", "3-2-2", 90.0), Some(run("c-s0", "3-2-2", 91.5)), true),
                    measured(1, run("a-s1", "4-3-2", 92.0), Some(run("c-s1", "4-3-2", 91.5)), true),
                    measured(2, run("a-s2", "3-2-2", 91.0), Some(without("not run yet")), true),
                ],
                &["K = 1, not 3"],
            ),
            line(
                "from scratch",
                baseline,
                vec![measured(0, run("b-s0", "3-3-3", 95.125), None, false)],
                &[],
            ),
            line(
                "diverged",
                Printed::default(),
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
    assert!(expected == actual, "xtask/expected/{name} differs, first in {differs:#?}\n{actual}");
}

#[test]
fn tables_look_as_expected() {
    let results = results();
    compare("table.md", include_str!("../../../expected/table.md"), &markdown(&results));
    compare("table.html", include_str!("../../../expected/table.html"), &html(&results));
    let expected = include_str!("../../../expected/table.csv");
    compare("table.csv", expected, &csv(&results).unwrap());
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
    let markdown = markdown(&results);
    let html = html(&results);
    for line in &results.lines {
        for measured in &line.seeds {
            for run in [Some(&measured.run), measured.scratch.as_ref()].into_iter().flatten() {
                if run.outcome.is_some() {
                    let name = run.name.as_ref().unwrap();
                    assert!(markdown.contains(&format!("(runs/{name}/)")), "{name}");
                    assert!(html.contains(&format!("href=\"runs/{name}/\"")), "{name}");
                }
            }
        }
    }
}
