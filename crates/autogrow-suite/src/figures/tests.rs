//! Which calls draw which figures; the program is a shell script here.
#![cfg(unix)]

use super::*;
use crate::testing::{finish_all, plan, scripted};
use std::collections::HashSet;

fn quietly(panels: &[Panel], place: &Place, program: &Program) -> Vec<Failed> {
    draw(panels, place, (program, 1), &|_| {}).unwrap()
}

#[test]
fn every_figure_is_drawn_by_one_call_from_its_runs() {
    for (suite, panels_of, drawings, command) in [
        ("figure2", 2, 2, "trajectory"),
        ("figure3", 4, 4, "trajectory"),
        ("figure4", 1, 4, "report"),
        ("figure5", 3, 3, "landscape"),
        ("figure6", 4, 4, "report"),
        ("figure7", 1, 1, "report"),
        ("figure8", 2, 8, "report"),
        ("table3", 0, 0, ""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path());
        let plan = plan(Scale::Small, &[suite], 1);
        let panels = || panels(&plan.pages[0], &plan, &place, Scale::Small).unwrap();
        assert!(panels().is_empty(), "{suite}: no run has ended");
        finish_all(&plan, &place);
        let panels = panels();
        assert_eq!(panels.len(), panels_of, "{suite}");
        assert_eq!(panels.iter().map(|panel| panel.drawings.len()).sum::<usize>(), drawings);
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
    }
}

#[test]
fn what_is_drawn_is_shown_and_not_drawn_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path());
    let plan = plan(Scale::Smoke, &["figure4"], 1);
    let page = &plan.pages[0];
    finish_all(&plan, &place);
    // Writes its figures and takes note of each call.
    let script = "for name in accuracy-epochs accuracy-time loss-epochs loss-time; do \
                  touch ../figure4/a/$name.svg ../figure4/a/$name.png; done; \
                  mkdir -p ../figure4/a; echo \"$@\" >> calls";
    let program = scripted(&place, script);
    let calls = || {
        let text = fs::read_to_string(place.runs().join("calls")).unwrap_or_default();
        text.lines().count()
    };
    assert!(drawn(page, &plan, &place, Scale::Smoke).unwrap().is_empty());
    for expected in [1, 1] {
        let missing = to_draw(&plan, &place, Scale::Smoke).unwrap();
        assert!(quietly(&missing, &place, &program).is_empty());
        assert_eq!(calls(), expected);
    }
    let figures = drawn(page, &plan, &place, Scale::Smoke).unwrap();
    assert_eq!(figures.len(), 4);
    assert_eq!(figures[0].file, "figure4/a/accuracy-epochs");

    // A figure that cannot be drawn is told and stops nothing.
    fs::remove_dir_all(place.out.join("figure4")).unwrap();
    let refused = r#"echo '{"error":{"code":4,"message":"it has kept no weights"}}'; exit 4"#;
    let program = scripted(&place, refused);
    let missing = to_draw(&plan, &place, Scale::Smoke).unwrap();
    let failed = quietly(&missing, &place, &program);
    let name = "figure4/a/accuracy-epochs".into();
    assert_eq!(failed, [Failed { name, code: 4, message: "it has kept no weights".into() }]);
}

#[test]
fn a_chart_of_other_runs_is_drawn_again_though_they_are_older() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path());
    finish_all(&plan(Scale::Smoke, &["figure6"], 2), &place);
    let script = "while [ $1 != --figures ]; do shift; done; \
                  touch $2/accuracy-parameters.svg $2/accuracy-parameters.png";
    let program = scripted(&place, script);
    for (seeds, expected) in [(1, 4), (1, 0), (2, 4), (2, 0), (1, 4)] {
        let plan = plan(Scale::Smoke, &["figure6"], seeds);
        let missing = to_draw(&plan, &place, Scale::Smoke).unwrap();
        assert_eq!(missing.len(), expected, "{seeds} seeds");
        assert!(quietly(&missing, &place, &program).is_empty());
    }
}

#[test]
fn rows_are_named_by_letters_and_then_by_numbers() {
    assert_eq!([1, 26, 27].map(letter), ["a", "z", "27"]);
}
