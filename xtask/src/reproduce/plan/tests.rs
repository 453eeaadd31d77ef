//! Cells, dependencies, sharing.

use super::*;
use crate::reproduce::testing::with_plan;
use std::collections::HashSet;

fn cells(scale: Scale, suite: &str) -> usize {
    with_plan(scale, &[suite], 1, |plan| plan.cells.len())
}

#[test]
fn cells_of_every_suite() {
    for (suite, count) in [
        // 3-3-3, 5-5-5, 9-9-9, 1-1-1-1, 2-2-2-2; six deepened, six trained on.
        ("table2", 17),
        ("table3", 24),
        ("table4", 12),
        ("table5", 8),
        ("table6", 4),
        ("table7", 6),
        ("table8", 40),
        ("table9", 16),
        ("table10", 12),
        ("table11", 2),
        // The shallow net, deepened, trained on; the deep one from scratch.
        ("figure2", 4),
        ("figure3", 4),
        ("figure4", 1),
        ("figure5", 6),
        ("figure6", 24),
        ("figure7", 8),
        ("figure8", 2),
        ("morph", 17),
        // Four rows each of Tables 8 and 9, one of them shared; four baselines.
        ("mnist", 4 + 3 + 4),
        ("imagenet", 12),
    ] {
        assert_eq!(cells(Scale::Paper, suite), count, "{suite}");
    }
    // All intervals that become 1 are one cell; at `smoke`, so are both data sets.
    assert_eq!(cells(Scale::Smoke, "table4"), 1);
    assert_eq!(cells(Scale::Small, "table4"), 2 * 3);
}

#[test]
fn equal_configurations_are_one_cell_shared_by_suites() {
    with_plan(Scale::Paper, &["table4", "table5", "table6", "table8", "table9"], 1, |plan| {
        let of = |suite: &str, row: usize| {
            let page = plan.pages.iter().find(|page| page.suite.name == suite).unwrap();
            page.entries[row].seeds[0].run
        };
        // Basic3ResNet on CIFAR10, K = 3, GauInit: 42-42-42 in five tables.
        let everywhere = [of("table4", 4), of("table5", 3), of("table6", 0), of("table8", 0)];
        assert!(everywhere.iter().all(|&cell| cell == of("table9", 0)), "{everywhere:?}");
    });
    for scale in [Scale::Paper, Scale::Small, Scale::Smoke] {
        with_plan(scale, &["all"], 2, |plan| {
            let keys: HashSet<_> = plan.cells.iter().map(|cell| &cell.key).collect();
            assert_eq!(keys.len(), plan.cells.len());
            for (a, cell) in plan.cells.iter().enumerate() {
                for other in &plan.cells[..a] {
                    let same = cell.config == other.config && cell.found_by == other.found_by;
                    assert!(!same, "{} and {}", cell.key, other.key);
                }
            }
        });
    }
}

#[test]
fn what_is_waited_for_comes_first() {
    for scale in [Scale::Paper, Scale::Smoke] {
        with_plan(scale, &["all"], 2, |plan| {
            for (id, cell) in plan.cells.iter().enumerate() {
                assert!(cell.after.iter().all(|&before| before < id));
                assert!(cell.found_by.iter().all(|finder| cell.after.contains(finder)));
                if let Some(model) = &cell.config.training.init_from {
                    let before = &plan.cells[cell.after[0]];
                    assert_eq!(*model, format!("{}/model.safetensors", before.key));
                    let reached = before.config.growth.max_depth.as_ref();
                    let reached = reached.unwrap_or(&before.config.network.depth);
                    assert_eq!(*reached, cell.config.network.depth);
                }
            }
            for entry in plan.pages.iter().flat_map(|page| &page.entries) {
                assert_eq!(entry.seeds.iter().map(|cells| cells.seed).collect::<Vec<_>>(), [0, 1]);
                for cells in &entry.seeds {
                    assert_eq!(cells.scratch.is_some(), entry.row.paper.delta.is_some());
                }
            }
        });
    }
}

#[test]
fn a_baseline_has_the_depth_that_was_found_and_is_then_an_ordinary_cell() {
    with_plan(Scale::Paper, &["table3", "figure6"], 1, |plan| {
        let of_found = plan.cells.iter().find(|cell| cell.found_by.is_some()).unwrap();
        let given = plan.cells.iter().find(|cell| {
            cell.config.growth.policy == "none" && cell.config.network.depth.to_string() == "3-3-3"
        });
        let given = given.unwrap();
        let resolved = of_found.resolved(Some(&given.config.network.depth));
        assert_eq!(resolved.cell_name().unwrap(), given.key);
    });
}

#[test]
fn weights_are_kept_as_often_as_any_suite_wants_and_are_no_part_of_a_name() {
    let kept = |suites: &[&str]| {
        with_plan(Scale::Paper, suites, 1, |plan| {
            let kept = plan.cells.iter().map(|cell| (cell.key.clone(), cell.config.run.snapshots));
            kept.collect::<std::collections::BTreeMap<_, _>>()
        })
    };
    let (table, figure) = (kept(&["table3", "table4"]), kept(&["figure3"]));
    assert!(table.values().all(|&every| every == 0));
    assert_eq!(figure.values().copied().collect::<Vec<_>>().iter().sum::<u32>(), 4 + 20 + 5 + 3);
    let both = kept(&["table3", "table4", "figure3"]);
    assert_eq!(both.len(), table.len(), "the figure's runs are those of the tables");
    assert!(figure.iter().all(|(key, every)| both[key] == *every));
    // Where intervals fall together, the closest weights are kept.
    let small = with_plan(Scale::Small, &["figure3"], 1, |plan| {
        plan.cells.iter().map(|cell| cell.config.run.snapshots).collect::<Vec<_>>()
    });
    assert_eq!(small, [1, 2, 1, 1]);
}
