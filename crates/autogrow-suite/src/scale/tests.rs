//! What the scales make of a suite's settings.

use super::*;
use crate::keys::flat;
use crate::plan::{Entry, Plan};
use crate::suite::Suite;
use crate::testing::{plan, resolve};
use autogrow_run::config::SelectOn;

fn entry(scale: Scale, suite: &str, row: usize) -> Entry {
    plan(scale, &[suite], 1).pages.remove(0).entries.remove(row)
}

fn settings<'a>(sets: &'a Sets, scale: Scale, data: Option<&'a Set>) -> Settings<'a> {
    Settings { sets, scale, data, device: None, resolve: &resolve }
}

/// Says where the first difference is, and writes what there should be where a reader finds it.
fn compare(name: &str, expected: &str, told: &Told) {
    let actual = toml::to_string(&told.settings).unwrap();
    assert!(expected == actual, "expected/{name} differs\n{actual}");
}

#[test]
fn the_papers_settings_are_written_out() {
    let plan = plan(Scale::Paper, &["table8", "table10"], 1);
    let told =
        |page: usize, row: usize| &plan.cells[plan.pages[page].entries[row].seeds[0].run].told;
    compare("table8-paper.toml", include_str!("../../expected/table8-paper.toml"), told(0, 0));
    compare("table10-paper.toml", include_str!("../../expected/table10-paper.toml"), told(1, 4));
}

#[test]
fn smaller_scales_follow_their_rule() {
    let config = entry(Scale::Small, "table9", 3).config;
    assert_eq!((config.growth.interval, config.growth.patience), (1, 10));
    assert_eq!((config.fine_tune.epochs, config.data.fraction), (20, 0.025));
    assert_eq!((config.network.width, config.data.select_on), (8, SelectOn::Val));
    let config = entry(Scale::Smoke, "table10", 4).config;
    assert_eq!((&*config.network.name, config.network.width), ("plain4net-imagenet", 4));
    assert_eq!((&*config.data.name, config.data.fraction), ("folder", 1.0));
    assert_eq!(config.data.dir.as_os_str(), pictures::DIR);
    assert_eq!(config.training.batch_size, 256, "hyper-parameters stay those of the row");
    assert_eq!(entry(Scale::Smoke, "table8", 4).config.data.name, "digits");
    for (rule, epochs) in [(&SMALL, [0, 1, 1, 10]), (&SMOKE, [0, 1, 1, 2])] {
        assert_eq!([0, 1, 3, 100].map(|written| rule.epochs(written)), epochs);
    }
}

#[test]
fn another_data_set_takes_the_place_of_the_rows() {
    let sets = Sets::read().unwrap();
    let row = Suite::chosen(&["table10".into()]).unwrap()[0].rows[4].clone();
    let told = settings(&sets, Scale::Small, Some(sets.named("fashion-mnist").unwrap()))
        .told(&row.settings, 0)
        .unwrap();
    let config = told.config;
    assert_eq!((&*config.network.name, &*config.data.name), ("plain4net", "fashion-mnist"));
    assert_eq!((config.data.fraction, config.training.batch_size), (0.1, 256));
}

#[test]
fn what_is_left_of_a_large_set() {
    let sets = Sets::read().unwrap();
    let left = |rule: &Rule, name| rule.images(sets.named(name).ok());
    assert_eq!([&SMALL, &SMOKE].map(|rule| left(rule, "imagenet")), [0.01, 0.001]);
    // They are few, and would be too few.
    assert_eq!([&SMALL, &SMOKE].map(|rule| left(rule, "folder")), [1.0; 2]);
    assert_eq!([&SMALL, &SMOKE].map(|rule| left(rule, "cifar10")), [0.1; 2]);
}

#[test]
fn a_network_that_does_not_exist_is_refused() {
    let sets = Sets::read().unwrap();
    let suites = Suite::chosen(&["table3".into()]).unwrap();
    for name in ["imagenet", "folder"] {
        let data = sets.named(name).ok();
        let error = Plan::new(&settings(&sets, Scale::Smoke, data), &suites, None).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("basic3resnet"), "{error}");
        assert!(error.to_string().contains("--data") && error.hint().is_some(), "{error}");
    }
}

#[test]
fn nothing_but_built_in_and_drawn_images_at_smoke() {
    for cell in plan(Scale::Smoke, &["all"], 1).cells {
        let own = ["digits", "synthetic", "folder"];
        assert!(own.contains(&&*cell.told.config.data.name), "{}", cell.key);
    }
}

#[test]
fn network_morphism_changes_the_depth_alone() {
    let plan = plan(Scale::Paper, &["table2"], 1);
    let row = &plan.pages[0].entries[2].seeds[0];
    let run = &plan.cells[row.run];
    let deepen = &plan.cells[run.after[0]].told.config;
    assert_eq!((deepen.growth.mode.to_string(), deepen.fine_tune.epochs), ("all".into(), 0));
    assert_eq!(deepen.growth.max_depth.as_ref(), Some(&run.told.config.network.depth));
    assert!(deepen.training.learning_rate < 1e-8);
    let mut scratch = plan.cells[row.baseline.unwrap()].told.clone();
    let model = get(&run.told.settings, "training.init_from").unwrap().clone();
    set(&mut scratch.settings, "training.init_from", model);
    assert_eq!(run.told.settings, scratch.settings);
}

#[test]
fn a_fixed_net_keeps_the_settings_of_its_data_and_loses_those_of_policies() {
    let sets = Sets::read().unwrap();
    let written = "growth = { policy = 'none', interval = 9 }\nplugin.late.epochs = 40\n\
                   plugin.marks.distance = 26";
    let told = settings(&sets, Scale::Paper, None).told(&toml::from_str(written).unwrap(), 1);
    let keys: Vec<_> = flat(&told.unwrap().settings).into_keys().collect();
    assert_eq!(keys, ["growth.policy", "plugin.marks.distance", "run.seed"]);
}
