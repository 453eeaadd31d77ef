//! Policy `worth` on made-up networks: what it finds, what it keeps, and that it ends.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_base::settings::PluginSettings;
use autogrow_growth::{
    Amount, Bits, Compat, Depth, Evidence, Growth, GrowthConfig, Kind, LevelOrigin, Rules, Trial,
    Worth, replay,
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

fn config(interval: usize, price: f64, max: Option<&str>) -> GrowthConfig {
    GrowthConfig {
        policy: "worth".into(),
        interval,
        price,
        amount: Amount::Factor(1.5),
        max_depth: max.map(|depth| depth.parse().unwrap()),
        ..GrowthConfig::default()
    }
}

fn growth(config: &GrowthConfig, seed: &Depth) -> Growth {
    let plugins = &PluginSettings::default();
    Growth::new(&Rules { growth: config, plugins, depth: seed, seed: 0, compat: Compat::Paper })
        .unwrap()
}

/// Trains a made-up network whose score, `worth(depth)` in the end, is approached by a tenth an epoch;
/// it costs as much as it has sub-modules. Going back goes back in training as well.
fn grow(
    config: &GrowthConfig,
    seed: &Depth,
    noise: f64,
    worth: impl Fn(&Depth) -> f64,
) -> (Growth, Vec<Evidence>) {
    let mut growth = growth(config, seed);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let (mut behind, mut kept, mut trained) = (30.0, BTreeMap::new(), Vec::new());
    while !growth.finished() {
        let depth = growth.depth().clone();
        behind *= 0.9;
        let score = worth(&depth) - behind + noise * (rng.random::<f64>() - 0.5);
        let macs = depth.sub_modules() as u64;
        let evidence = Evidence { score, macs, ..Evidence::default() };
        trained.push(evidence.clone());
        let decisions = growth.epoch(evidence);
        for decision in &decisions {
            match (decision.kind, decision.place) {
                (Kind::Keep, Some(place)) => drop(kept.insert(place, behind)),
                (Kind::RollBack, Some(place)) => behind = kept[&place],
                _ => {}
            }
        }
        assert!(trained.len() < 5000, "no end at {depth}");
    }
    (growth, trained)
}

/// Each sub-module brings less than the one before: half of `first` and so on.
fn falling(first: f64, depth: &Depth) -> f64 {
    let of = |&depth: &usize| first * (1.0 - 0.5_f64.powi(depth as i32 - 1));
    70.0 + depth.as_slice().iter().map(of).sum::<f64>()
}

#[test]
fn more_to_gain_or_a_lower_price_is_a_deeper_net() {
    let seed = Depth::uniform(3, 1);
    let found = |first: f64, price: f64| {
        grow(&config(4, price, None), &seed, 0.0, |depth| falling(first, depth)).0.depth().clone()
    };
    assert_eq!(found(0.0, 0.5), seed, "depth brings nothing");
    let (little, much) = (found(1.0, 0.5), found(8.0, 0.5));
    assert!(much.sub_modules() > little.sub_modules(), "{much} and {little}");
    assert!(found(8.0, 2.0).sub_modules() < much.sub_modules());
}

#[test]
fn halving_and_doubling_the_interval_changes_nothing_without_noise() {
    let seed = Depth::uniform(3, 1);
    let found = [3, 6, 12].map(|interval| {
        let config = config(interval, 0.5, None);
        grow(&config, &seed, 0.0, |depth| falling(4.0, depth)).0.depth().clone()
    });
    assert_eq!(found[0], found[1]);
    assert_eq!(found[1], found[2]);
}

/// Half a point of each of three sub-modules cannot be told from noise, a point and a half can. Every
/// network is trained for as many epochs as the seed, those of the root among them.
#[test]
fn all_sub_networks_grow_at_once_until_one_growth_does_not_pay() {
    let seed = Depth::uniform(3, 1);
    let config = config(4, 0.5, None);
    let (growth, trained) = grow(&config, &seed, 0.0, |depth| falling(1.0, depth));
    let trials = Worth::new(&config).trials(growth.record(), true);
    let changed = |trial: &Trial| {
        let depths = trial.before.as_slice().iter().zip(trial.grown.as_slice());
        depths.filter(|(before, grown)| before != grown).count()
    };
    let failed = trials.iter().position(|trial| trial.kept == Some(false)).unwrap();
    assert!(failed > 0 && trials[..=failed].iter().all(|trial| changed(trial) == 3), "{trials:?}");
    assert!(trials.len() > failed + 3);
    assert!(trials[failed + 1..].iter().all(|trial| changed(trial) == 1), "{trials:?}");
    let first = growth.record().of_level(0).len();
    assert_eq!(trained.len(), first + trials.len() * (first - config.interval));
    let last = trials.iter().rfind(|trial| trial.kept == Some(true)).unwrap();
    assert_eq!(&last.grown, growth.depth());
    assert!(growth.depth().as_slice().iter().all(|&depth| depth >= 2), "{}", growth.depth());
}

/// Trains a made-up network whose score is a function of its depth and of the epochs that it was trained
/// for, those before it grew included. Half of its 1,000 images are of the commonest class.
fn learn(seed: &Depth, score: impl Fn(&Depth, usize) -> f64) -> (Growth, Vec<Trial>, usize) {
    let config = config(4, 0.5, None);
    let mut growth = growth(&config, seed);
    let (mut epochs, mut kept, mut all) = (0, BTreeMap::new(), 0);
    while !growth.finished() {
        (epochs, all) = (epochs + 1, all + 1);
        let score = score(growth.depth(), epochs);
        let right: Bits = (0..1_000).map(|image| f64::from(image) < 10.0 * score).collect();
        let losses = right.iter().map(|right| f32::from(u8::from(!right))).collect();
        let macs = growth.depth().sub_modules() as u64;
        let chance = Some(50.0);
        let decisions = growth.epoch(Evidence {
            score,
            chance,
            macs,
            right: Some(right),
            losses,
            ..Evidence::default()
        });
        for decision in &decisions {
            match (decision.kind, decision.place) {
                (Kind::Keep, Some(place)) => drop(kept.insert(place, epochs)),
                (Kind::RollBack, Some(place)) => epochs = kept[&place],
                (Kind::Restart, _) => epochs = 0,
                _ => {}
            }
        }
        assert!(all < 1_000, "no end at {}", growth.depth());
    }
    let trials = Worth::new(&config).trials(growth.record(), true);
    (growth, trials, all)
}

/// What shallower networks cannot do at all is learnt suddenly, after some epochs at chance.
#[test]
fn a_task_that_needs_depth_is_given_it() {
    let seed = Depth::uniform(3, 1);
    for needed in 1..=4 {
        let is_enough = |depth: &Depth| depth.as_slice().iter().all(|&depth| depth >= needed);
        let (growth, trials, _) = learn(&seed, |depth, epochs| match is_enough(depth) {
            true if epochs > 15 => 98.0,
            _ => 50.0,
        });
        let found = growth.depth().as_slice();
        // Seeds grow from 1-1-1 to 2-2-2, 3-3-3 and 5-5-5.
        assert_eq!(found, [[1, 2, 3, 5][needed - 1]; 3], "{trials:?}");
        let seeds = growth.record().levels().iter();
        let seeds = seeds.filter(|level| level.origin == LevelOrigin::Seed).count();
        assert_eq!(seeds, needed);
        assert!(!trials.is_empty() && trials.iter().all(|trial| trial.kept == Some(false)));
    }
}

/// Where there is nothing to be learnt, the seed is what is left, after a few attempts.
#[test]
fn noise_alone_is_left_to_the_seed() {
    let seed = Depth::uniform(3, 1);
    let (growth, trials, all) = learn(&seed, |depth, epochs| {
        50.0 + ((7 * epochs + 3 * depth.sub_modules()) % 5) as f64 / 10.0
    });
    assert_eq!(growth.depth(), &seed);
    assert_eq!((trials.len(), all), (0, 4 * 40));
}

proptest! {
    /// Whatever the scores: it ends, no net is deeper than allowed, every sub-network leaves the list
    /// once, and a replay of what was seen takes the same decisions.
    #[test]
    fn it_ends_and_replays(
        first in 0.0..12.0, price in 0.0..3.0, noise in 0.0..6.0, interval in 1usize..7,
        max in 1usize..6,
    ) {
        let seed = Depth::uniform(3, 1);
        let max = Depth::uniform(3, max);
        let config = config(interval, price, Some(&max.to_string()));
        let (growth, trained) = grow(&config, &seed, noise, |depth| falling(first, depth));
        prop_assert!(max.covers(growth.depth()) && growth.depth().covers(&seed));
        let plugins = &PluginSettings::default();
        let rules =
            Rules { growth: &config, plugins, depth: &seed, seed: 0, compat: Compat::Paper };
        let replayed = replay(&rules, trained).unwrap();
        prop_assert_eq!(&replayed.found, growth.depth());
        let left = |sub: usize| {
            replayed.events.iter().filter(|event| {
                event.subnet == sub && matches!(event.kind, Kind::Stop | Kind::Cap)
            }).count()
        };
        prop_assert_eq!((0..3).map(left).collect::<Vec<_>>(), [1; 3]);
        // The last growth or return says what was found.
        let mut depth = seed.clone();
        for event in &replayed.events {
            if let Some(after) = &event.depth {
                depth = after.clone();
            }
        }
        prop_assert_eq!(&depth, growth.depth());
    }
}
