//! Each policy on made-up networks: when it grows, how far, and that it ends.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_base::registry;
use autogrow_base::settings::PluginSettings;
use autogrow_growth::{
    Compat, Depth, Evidence, Growth, GrowthConfig, Kind, PolicyKind, Rules, replay,
};
use autogrow_policies as _;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn depth(text: &str) -> Depth {
    text.parse().unwrap()
}

fn config(policy: &str, interval: usize, max: &str) -> GrowthConfig {
    let max_depth = (!max.is_empty()).then(|| depth(max));
    GrowthConfig { policy: policy.into(), interval, max_depth, ..GrowthConfig::default() }
}

fn plugins(text: &str) -> PluginSettings {
    toml::from_str::<PluginSettings>(text).unwrap().complete().unwrap()
}

/// A run: the depth after each epoch, and what growth came to.
struct Run {
    depths: Vec<String>,
    trained: Vec<Evidence>,
    growth: Growth,
}

/// Trains a made-up network whose score, `worth(depth)` in the end, is approached by a tenth an epoch;
/// training scores are `gap` ahead. It costs as much as it has sub-modules. Going back goes back in
/// training as well.
fn run(
    config: &GrowthConfig,
    plugins: &PluginSettings,
    seed: &str,
    gap: f64,
    worth: impl Fn(&Depth) -> f64,
) -> Run {
    let seed = depth(seed);
    let rules = Rules { growth: config, plugins, depth: &seed, seed: 0, compat: Compat::Paper };
    let growth = Growth::new(&rules).unwrap();
    let mut run = Run { depths: Vec::new(), trained: Vec::new(), growth };
    let (mut behind, mut kept) = (30.0, BTreeMap::new());
    while !run.growth.finished() {
        let depth = run.growth.depth().clone();
        run.depths.push(depth.to_string());
        behind *= 0.9;
        let score = worth(&depth) - behind;
        let macs = depth.sub_modules() as u64;
        let train_score = Some(score + gap);
        let evidence = Evidence { score, train_score, macs, ..Evidence::default() };
        run.trained.push(evidence.clone());
        for decision in run.growth.epoch(evidence) {
            match (decision.kind, decision.place) {
                (Kind::Keep, Some(place)) => drop(kept.insert(place, behind)),
                (Kind::RollBack, Some(place)) => behind = kept[&place],
                _ => {}
            }
        }
        assert!(run.trained.len() < 5000, "no end at {depth}");
    }
    // Recorded, it is decided alike.
    let replayed = replay(&rules, run.trained.clone()).unwrap();
    assert_eq!(&replayed.found, run.growth.depth());
    run
}

/// Each sub-module brings half of what the one before brought.
fn falling(first: f64, depth: &Depth) -> f64 {
    let of = |&depth: &usize| first * (1.0 - 0.5_f64.powi(depth as i32 - 1));
    70.0 + depth.as_slice().iter().map(of).sum::<f64>()
}

#[test]
fn fragrow_waits_where_training_is_ahead_and_grows_front_to_back() {
    let (config, plugins) = (config("fragrow", 1, "2-3"), plugins("[fragrow]\nepochs = 30"));
    let grown = |gap| {
        let run = run(&config, &plugins, "1-1", gap, |_| 80.0);
        let at = |depth: &str| run.depths.iter().position(|other| other == depth).unwrap();
        [at("2-1"), at("2-2"), at("2-3")]
    };
    // Three growths in 30 epochs: 10 epochs each at most, half of it at a gap of about alpha.
    assert_eq!(grown(40.0), [10, 20, 30]);
    assert_eq!(grown(3.99), [5, 10, 15]);
    assert_eq!(grown(-40.0), [1, 2, 3]);
}

#[test]
fn fragrow_waits_as_long_as_it_may_where_it_does_not_know() {
    let (config, plugins) = (config("fragrow", 1, "1-2"), plugins("[fragrow]\nepochs = 7"));
    let seed = depth("1-1");
    let rules =
        Rules { growth: &config, plugins: &plugins, depth: &seed, seed: 0, compat: Compat::Paper };
    let replayed = replay(&rules, vec![Evidence::of_score(50.0); 9]).unwrap();
    let grown = replayed.events.iter().find(|event| event.kind == Kind::Grow).unwrap();
    assert_eq!(grown.epoch, 7);
}

#[test]
fn late_grows_once_to_its_goal() {
    let (config, plugins) = (config("late", 2, "3-1-4"), plugins("[late]\nepochs = 5"));
    let run = run(&config, &plugins, "1-1-1", 0.0, |_| 80.0);
    // The first check behind epoch 5 is that of epoch 6; fine-tuning begins at the next one.
    assert_eq!(run.depths, [["1-1-1"; 6].as_slice(), &["3-1-4"; 2]].concat());
    assert_eq!(run.growth.depth(), &depth("3-1-4"));
}

#[test]
fn target_stops_as_soon_as_it_is_reached() {
    let of = |score: f64| {
        let plugins = plugins(&format!("[target]\nscore = {score}"));
        let run = run(&config("target", 3, "4-4"), &plugins, "1-1", 0.0, |d| falling(4.0, d));
        (run.growth.depth().to_string(), run.trained.last().unwrap().score)
    };
    let (shallow, reached) = of(60.0);
    assert_eq!((shallow.as_str(), reached >= 60.0), ("1-1", true));
    let (enough, reached) = of(73.9);
    assert!(enough != "1-1" && enough != "4-4" && reached >= 73.9, "{enough} {reached}");
    assert_eq!(of(99.0).0, "4-4", "as deep as allowed, and no further");
}

#[test]
fn trim_finds_what_is_not_missed() {
    let found = |first: f64, price: f64, interval| {
        let config = GrowthConfig { price, ..config("trim", interval, "") };
        run(&config, &plugins(""), "1-1-1", 0.0, |depth| falling(first, depth)).growth
    };
    assert_eq!(found(0.0, 0.5, 4).depth(), &depth("1-1-1"), "depth brings nothing");
    let (little, much) = (found(1.0, 0.5, 4), found(8.0, 0.5, 4));
    assert!(much.depth().sub_modules() > little.depth().sub_modules());
    assert!(found(8.0, 2.0, 4).depth().sub_modules() < much.depth().sub_modules());
}

#[test]
fn trim_goes_back_to_the_better_one_when_time_is_over() {
    let config = config("trim", 2, "");
    let seed = depth("1-1");
    let plugins = PluginSettings::default();
    let rules =
        Rules { growth: &config, plugins: &plugins, depth: &seed, seed: 0, compat: Compat::Paper };
    let mut growth = Growth::new(&rules).unwrap();
    let evidence = |score, macs| Evidence { score, macs, ..Evidence::default() };
    // Grown at 2 and 4; that brings nothing, so that trimming begins with the level below.
    for score in [50.0, 52.0, 60.0, 62.0] {
        growth.epoch(evidence(score, 4));
    }
    growth.epoch(evidence(62.0, 8));
    let decisions = growth.epoch(evidence(62.0, 8));
    let kinds: Vec<_> = decisions.iter().map(|decision| decision.kind).collect();
    assert_eq!(kinds[..2], [Kind::Keep, Kind::RollBack], "{decisions:?}");
    assert_eq!(growth.depth(), &depth("2-2"));
    // Far behind: what was grown is the better one.
    let decisions = growth.last_epoch(evidence(30.0, 4));
    assert_eq!(decisions[0].kind, Kind::RollBack);
    assert_eq!((growth.depth(), growth.finished()), (&depth("3-3"), true));
}

#[test]
fn a_goal_and_sensible_settings_are_asked_for() {
    let build = |policy: &str, max: &str, text: &str| {
        let kind = registry::find::<PolicyKind>(policy).unwrap();
        (kind.build)(&config(policy, 3, max), &plugins(text)).map(drop)
    };
    for policy in ["fragrow", "late", "target"] {
        let error = build(policy, "", "").unwrap_err();
        assert_eq!((error.exit_code(), error.key()), (2, Some("growth.max_depth")), "{error}");
        assert!(error.hint().is_some());
        build(policy, "2-2", "").unwrap();
    }
    for (policy, text) in [
        ("fragrow", "[fragrow]\nepochs = 0"),
        ("fragrow", "[fragrow]\nalpha = nan"),
        ("late", "[late]\nepochs = 0"),
        ("target", "[target]\nscore = 101.0"),
    ] {
        assert_eq!(build(policy, "2-2", text).unwrap_err().exit_code(), 2, "{text}");
    }
    build("trim", "", "").unwrap();
}

proptest! {
    /// Whatever depth is worth, the rules end, within what is allowed.
    #[test]
    fn they_end_within_their_limits(
        first in 0.0..10.0_f64,
        gap in -5.0..20.0_f64,
        interval in 1..6_usize,
        which in 0..4_usize,
    ) {
        let policy = ["fragrow", "late", "target", "trim"][which];
        let config = config(policy, interval, "3-2-4");
        let run = run(&config, &plugins(""), "1-2-1", gap, |depth| falling(first, depth));
        prop_assert!(depth("3-2-4").covers(run.growth.depth()));
        prop_assert!(run.growth.depth().covers(&depth("1-2-1")));
    }
}
