//! Which calls draw which figures; `autogrow` is a shell script here.
#![cfg(unix)]

use super::*;
use crate::reproduce::autogrow::scripted;
use crate::reproduce::testing::{TestFolder, with_plan};
use std::collections::HashSet;

/// A result of a run, or none yet.
fn finish(place: &Place, name: &str) {
    let folder = place.runs().join(name);
    fs::create_dir_all(&folder).unwrap();
    let found = if name.contains("4resnet") || name.contains("4net") { "2-2-2-2" } else { "3-3-3" };
    let result = format!(
        r#"{{"found":"{found}","val_accuracy":1,"test_accuracy":2,"growing_epochs":1,
        "growing_seconds":1,"fine_tuning_seconds":1,"parameters":1,"macs":1,"floor":null,
        "at_floor":false}}"#
    );
    fs::write(folder.join("result.json"), result).unwrap();
}

/// Ends all runs of a suite, baselines of what was found included.
fn finish_all(plan: &Plan<'_>, place: &Place) {
    for id in 0..plan.cells.len() {
        let name = cell_name(plan, place, id).unwrap().unwrap();
        finish(place, &name);
    }
}

#[test]
fn every_figure_is_drawn_by_one_call_from_its_runs() {
    for (suite, panels_of, figures, command) in [
        ("figure2", 2, 2, "trajectory"),
        ("figure3", 4, 4, "trajectory"),
        ("figure4", 1, 4, "report"),
        ("figure5", 3, 3, "landscape"),
        ("figure6", 4, 4, "report"),
        ("figure7", 1, 1, "report"),
        ("figure8", 2, 8, "report"),
        ("table3", 0, 0, ""),
    ] {
        let folder = TestFolder::new("figures");
        let place = Place { out: folder.path.clone() };
        with_plan(Scale::Small, &[suite], 1, |plan| {
            let panels = |place: &Place| panels(&plan.pages[0], plan, place, Scale::Small).unwrap();
            assert!(panels(&place).is_empty(), "{suite}: no run has ended");
            finish_all(plan, &place);
            let panels = panels(&place);
            assert_eq!(panels.len(), panels_of, "{suite}");
            assert_eq!(panels.iter().map(|panel| panel.figures.len()).sum::<usize>(), figures);
            for panel in &panels {
                assert_eq!(panel.arguments[0], command);
                assert!(panel.runs.iter().all(|run| place.runs().join(run).is_dir()));
                let names: HashSet<_> = panel.runs.iter().collect();
                assert_eq!(names.len(), panel.runs.len());
            }
            if suite == "figure2" {
                assert!(panels[0].runs[0].contains("3-3-3-scratch"), "{:?}", panels[0].runs);
                assert!(panels[0].runs[1].contains("5-5-5-deepened"), "{:?}", panels[0].runs);
            }
            if suite == "figure5" {
                assert!(panels[0].runs[0].contains("scratch"), "{:?}", panels[0].runs);
            }
        });
    }
}

#[test]
fn what_is_drawn_is_shown_and_not_drawn_again() {
    let folder = TestFolder::new("drawn");
    let place = Place { out: folder.path.clone() };
    with_plan(Scale::Smoke, &["figure4"], 1, |plan| {
        let page = &plan.pages[0];
        finish_all(plan, &place);
        // Writes its figures and takes note of each call.
        let script = "for name in accuracy-epochs accuracy-time loss-epochs loss-time; do \
                      touch ../figure4/a/$name.svg ../figure4/a/$name.png; done; \
                      mkdir -p ../figure4/a; echo \"$@\" >> calls";
        let autogrow = scripted(&place.runs(), script);
        let calls = || {
            let text = fs::read_to_string(place.runs().join("calls")).unwrap_or_default();
            text.lines().count()
        };
        assert!(drawn(page, plan, &place, Scale::Smoke).unwrap().is_empty());
        for expected in [1, 1] {
            let missing = to_draw(plan, &place, Scale::Smoke).unwrap();
            assert!(draw(&missing, &place, (&autogrow, 1)).unwrap().is_empty());
            assert_eq!(calls(), expected);
        }
        let figures = drawn(page, plan, &place, Scale::Smoke).unwrap();
        assert_eq!(figures.len(), 4);
        assert_eq!(figures[0].file, "figure4/a/accuracy-epochs");

        // A figure that cannot be drawn is told and stops nothing.
        fs::remove_dir_all(place.out.join("figure4")).unwrap();
        let autogrow = scripted(&place.runs(), "echo 'error: it has kept no weights' >&2; exit 4");
        let missing = to_draw(plan, &place, Scale::Smoke).unwrap();
        let failed = draw(&missing, &place, (&autogrow, 1)).unwrap();
        assert_eq!(failed, [("figure4/a/accuracy-epochs".into(), "it has kept no weights".into())]);
    });
}

#[test]
fn a_chart_of_other_runs_is_drawn_again_though_they_are_older() {
    let folder = TestFolder::new("others");
    let place = Place { out: folder.path.clone() };
    with_plan(Scale::Smoke, &["figure6"], 2, |plan| finish_all(plan, &place));
    let script = "while [ $1 != --figures ]; do shift; done; \
                  touch $2/accuracy-parameters.svg $2/accuracy-parameters.png";
    let autogrow = scripted(&place.runs(), script);
    for (seeds, expected) in [(1, 4), (1, 0), (2, 4), (2, 0), (1, 4)] {
        with_plan(Scale::Smoke, &["figure6"], seeds, |plan| {
            let missing = to_draw(plan, &place, Scale::Smoke).unwrap();
            assert_eq!(missing.len(), expected, "{seeds} seeds");
            assert!(draw(&missing, &place, (&autogrow, 1)).unwrap().is_empty());
        });
    }
}
