//! Cells, dependencies, sharing.

use super::*;
use crate::testing::{plan, plan_of};
use std::collections::HashSet;

fn cells(scale: Scale, suite: &str) -> usize {
    plan(scale, &[suite], 1).cells.len()
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
    let tables = plan(Scale::Paper, &["table4", "table5", "table6", "table8", "table9"], 1);
    let of = |suite: &str, row: usize| {
        let page = tables.pages.iter().find(|page| page.name == suite).unwrap();
        page.entries[row].seeds[0].run
    };
    // Basic3ResNet on CIFAR10, K = 3, GauInit: 42-42-42 in five tables.
    let everywhere = [of("table4", 4), of("table5", 3), of("table6", 0), of("table8", 0)];
    assert!(everywhere.iter().all(|&cell| cell == of("table9", 0)), "{everywhere:?}");
    for scale in [Scale::Paper, Scale::Small, Scale::Smoke] {
        let plan = plan(scale, &["all"], 2);
        let keys: HashSet<_> = plan.cells.iter().map(|cell| &cell.key).collect();
        assert_eq!(keys.len(), plan.cells.len());
        for (a, cell) in plan.cells.iter().enumerate() {
            for other in &plan.cells[..a] {
                let same = cell.told.config == other.told.config && cell.found_by == other.found_by;
                assert!(!same, "{} and {}", cell.key, other.key);
            }
        }
    }
}

#[test]
fn what_is_waited_for_comes_first() {
    for scale in [Scale::Paper, Scale::Smoke] {
        let plan = plan(scale, &["all"], 2);
        for (id, cell) in plan.cells.iter().enumerate() {
            assert!(cell.after.iter().all(|&before| before < id));
            assert!(cell.found_by.iter().all(|finder| cell.after.contains(finder)));
            let config = &cell.told.config;
            if !config.training.init_from.as_os_str().is_empty() {
                let before = &plan.cells[cell.after[0]];
                let model = std::path::Path::new(&before.key).join("model.safetensors");
                assert_eq!(config.training.init_from, model);
                let reached = before.told.config.growth.max_depth.as_ref();
                let reached = reached.unwrap_or(&before.told.config.network.depth);
                assert_eq!(*reached, config.network.depth);
            }
        }
        for entry in plan.pages.iter().flat_map(|page| &page.entries) {
            assert_eq!(entry.seeds.iter().map(|cells| cells.seed).collect::<Vec<_>>(), [0, 1]);
            for cells in &entry.seeds {
                assert_eq!(cells.baseline.is_some(), entry.row.paper.delta.is_some());
            }
        }
    }
}

#[test]
fn a_baseline_has_the_depth_that_was_found_and_is_then_an_ordinary_cell() {
    let plan = plan(Scale::Paper, &["table3", "figure6"], 1);
    let of_found = plan.cells.iter().find(|cell| cell.found_by.is_some()).unwrap();
    let given = plan.cells.iter().find(|cell| {
        let config = &cell.told.config;
        config.growth.policy == "none" && config.network.depth.to_string() == "3-3-3"
    });
    let given = given.unwrap();
    let resolved = of_found.resolved(Some(&given.told.config.network.depth));
    assert_eq!(name(&resolved), given.key);
}

#[test]
fn weights_are_kept_as_often_as_any_suite_wants_and_are_no_part_of_a_name() {
    let kept = |suites: &[&str]| {
        let cells = plan(Scale::Paper, suites, 1).cells.into_iter();
        let kept = cells.map(|cell| (cell.key, cell.told.config.run.snapshots));
        kept.collect::<std::collections::BTreeMap<_, _>>()
    };
    let (table, figure) = (kept(&["table3", "table4"]), kept(&["figure3"]));
    assert!(table.values().all(|&every| every == 0));
    assert_eq!(figure.values().sum::<usize>(), 4 + 20 + 5 + 3);
    let both = kept(&["table3", "table4", "figure3"]);
    assert_eq!(both.len(), table.len(), "the figure's runs are those of the tables");
    assert!(figure.iter().all(|(key, every)| both[key] == *every));
    // Where intervals fall together, the closest weights are kept.
    let small = plan(Scale::Small, &["figure3"], 1).cells;
    let small: Vec<_> = small.iter().map(|cell| cell.told.config.run.snapshots).collect();
    assert_eq!(small, [1, 2, 1, 1]);
}

/// A suite of a user, by its file's text.
fn own(text: &str) -> Vec<Suite> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.toml");
    std::fs::write(&path, text).unwrap();
    vec![Suite::read(&path).unwrap()]
}

#[test]
fn a_suite_says_how_many_seeds_it_has_and_the_command_has_the_last_word() {
    let suites = own("title = 't'\nseeds = 3\nset.run.seed = 5\n[[row]]\n[[row]]");
    let seeds = |wanted| {
        let plan = plan_of(Scale::Paper, &suites, wanted);
        let seeds = plan.cells.iter().map(|cell| cell.told.config.run.seed);
        seeds.collect::<Vec<_>>()
    };
    // Both rows are the same runs.
    assert_eq!(seeds(None), [5, 6, 7]);
    assert_eq!(seeds(Some(1)), [5]);
}

#[test]
fn baselines_that_differ_are_different_runs() {
    let text = |more: &str| {
        format!(
            "title = 't'\nbaseline.network.depth = 'found'\nbaseline.growth.policy = 'none'\n{more}\n[[row]]"
        )
    };
    let [plain, longer] = ["", "baseline.fine_tune.epochs = 9"].map(|more| own(&text(more)));
    let both = [plain, longer].concat();
    let plan = plan_of(Scale::Paper, &both, None);
    assert_eq!(plan.cells.len(), 1 + 2);
    let epochs = |cell: usize| plan.cells[cell].told.config.fine_tune.epochs;
    assert_eq!((epochs(1), epochs(2)), (200, 9));
    // A baseline of a given depth waits for nothing.
    let given =
        own("title = 't'\nbaseline = { network.depth = '2-2-2', growth.policy = 'none' }\n[[row]]");
    let plan = plan_of(Scale::Paper, &given, None);
    assert_eq!((plan.cells.len(), plan.cells[1].after.len()), (2, 0));
    assert_eq!(plan.cells[1].told.config.network.depth.to_string(), "2-2-2");
}

#[test]
fn a_mistake_is_told_with_its_row() {
    let sets = crate::sets::Sets::read().unwrap();
    let resolve = &crate::testing::resolve;
    let settings = Settings { sets: &sets, scale: Scale::Paper, data: None, device: None, resolve };
    let suites = own("title = 't'\n[[row]]\n[[row]]\nset.growth.interval = 0");
    let error = Plan::new(&settings, &suites, None).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("row 2 of own"), "{error}");
}
