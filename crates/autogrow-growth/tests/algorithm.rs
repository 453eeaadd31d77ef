//! Algorithm 1 against a second, naive reading of the paper, and its floors.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_base::settings::PluginSettings;
use autogrow_growth::{
    Compat, Decision, Depth, Evidence, Growth, GrowthConfig, Kind, Mode, Replayed, Rules,
    epochs_left,
};
use proptest::prelude::*;
use std::collections::VecDeque;

fn config(policy: &str, interval: usize, patience: usize) -> GrowthConfig {
    GrowthConfig { policy: policy.into(), interval, patience, ..GrowthConfig::default() }
}

fn replay(
    config: &GrowthConfig,
    seed: &Depth,
    draws: u64,
    scores: impl IntoIterator<Item = f64>,
) -> Replayed {
    with_rules(config, seed, draws, |rules| {
        autogrow_growth::replay(rules, scores.into_iter().map(Evidence::of_score)).unwrap()
    })
}

fn floor(config: &GrowthConfig, seed: &Depth) -> Replayed {
    with_rules(config, seed, 0, |rules| autogrow_growth::floor(rules).unwrap().unwrap())
}

fn with_rules<T>(
    growth: &GrowthConfig,
    depth: &Depth,
    seed: u64,
    then: impl FnOnce(&Rules<'_>) -> T,
) -> T {
    let plugins = &PluginSettings::default();
    then(&Rules { growth, plugins, depth, seed, compat: Compat::Paper })
}

/// Algorithm 1 written down from the paper once more, with other data structures and everything
/// computed from scratch at every check. Decisions as (epoch, kind, sub-network).
fn oracle(
    config: &GrowthConfig,
    seed: &[usize],
    curve: &[f64],
) -> (Vec<usize>, Vec<(usize, Kind, usize)>, bool) {
    let mut depth = seed.to_vec();
    // The front of the queue is growingSub.
    let mut queue: VecDeque<usize> = (0..seed.len()).collect();
    let mut grown_sub: Option<usize> = None;
    let mut grown_at = None;
    let mut events = Vec::new();
    let best = |epochs: usize| {
        curve[..epochs]
            .iter()
            .copied()
            .filter(|a| a.is_finite())
            .fold(f64::NEG_INFINITY, f64::max)
            .max(0.0)
    };
    let (k, j) = (config.interval, config.patience);
    for epoch in 1..=curve.len() {
        if queue.is_empty() || epoch % k != 0 {
            continue;
        }
        // Accuracies are hundredths of a percent here: differences are whole numbers of them.
        let hundredths = |points: f64| (100.0 * points).round() as i64;
        let tau = hundredths(config.threshold);
        let improvement = |window: usize| {
            (epoch > window).then(|| hundredths(best(epoch)) - hundredths(best(epoch - window)))
        };
        let (stop, grow) = if config.policy == "periodic" {
            (improvement(j).is_some_and(|i| i < tau), true)
        } else {
            let gained = improvement(k);
            let fresh = grown_at == Some(epoch - k);
            (fresh && gained.is_some_and(|i| i <= tau), gained.is_some_and(|i| i < tau))
        };
        if stop
            && let Some(sub) = grown_sub.take()
            && queue.contains(&sub)
        {
            queue.retain(|&other| other != sub);
            events.push((epoch, Kind::Stop, sub));
        }
        if let Some(max) = &config.max_depth {
            for (sub, (&deep, &most)) in depth.iter().zip(max.as_slice()).enumerate() {
                if queue.contains(&sub) && deep >= most {
                    queue.retain(|&other| other != sub);
                    events.push((epoch, Kind::Cap, sub));
                }
            }
        }
        if grow && let Some(sub) = queue.pop_front() {
            queue.push_back(sub);
            depth[sub] += 1;
            grown_sub = Some(sub);
            grown_at = Some(epoch);
            events.push((epoch, Kind::Grow, sub));
        }
    }
    (depth, events, queue.is_empty())
}

fn curves() -> impl Strategy<Value = Vec<f64>> {
    let accuracy = prop_oneof![
        6 => (0u32..10_000).prop_map(|a| f64::from(a) / 100.0),
        4 => Just(60.0),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
    ];
    prop::collection::vec(accuracy, 0..120)
}

fn configs() -> impl Strategy<Value = (GrowthConfig, Depth)> {
    (
        prop_oneof![Just("periodic"), Just("convergent")],
        1usize..6,
        1usize..15,
        prop::collection::vec(1usize..4, 1..7),
        prop::option::of(prop::collection::vec(0usize..4, 7)),
    )
        .prop_map(|(policy, interval, patience, seed, room)| {
            let text = |depth: Vec<usize>| {
                let parts: Vec<_> = depth.iter().map(ToString::to_string).collect();
                parts.join("-").parse::<Depth>().unwrap()
            };
            let max_depth = room.map(|room| {
                text(seed.iter().zip(room).map(|(depth, room)| depth + room).collect())
            });
            (GrowthConfig { max_depth, ..config(policy, interval, patience) }, text(seed))
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn follows_algorithm_1_event_for_event((config, seed) in configs(), curve in curves()) {
        let replayed = replay(&config, &seed, 0, curve.iter().copied());
        let (depth, events, finished) = oracle(&config, seed.as_slice(), &curve);
        let got: Vec<_> = replayed.events.iter().map(|e| (e.epoch, e.kind, e.subnet)).collect();
        prop_assert_eq!(got, events);
        prop_assert_eq!(replayed.found.as_slice(), &depth[..]);
        prop_assert_eq!(replayed.finished, finished);
    }

    #[test]
    fn decides_the_same_however_the_epochs_arrive((config, seed) in configs(), curve in curves(), cut in 0usize..120) {
        let cut = cut.min(curve.len());
        let whole = replay(&config, &seed, 0, curve.iter().copied());
        let mut growth = with_rules(&config, &seed, 0, |rules| Growth::new(rules).unwrap());
        let mut events: Vec<Decision> = Vec::new();
        for part in [&curve[..cut], &curve[cut..]] {
            for &accuracy in part {
                events.extend(growth.epoch(Evidence::of_score(accuracy)));
            }
        }
        prop_assert_eq!(events, whole.events);
    }

    #[test]
    fn every_found_net_covers_the_floor((config, seed) in configs(), curve in curves()) {
        let replayed = replay(&config, &seed, 0, curve.iter().copied());
        let floor = floor(&config, &seed);
        prop_assert!(floor.finished);
        if replayed.finished {
            prop_assert!(replayed.found.covers(&floor.found), "{} under {}", replayed.found, floor.found);
        }
    }

    /// What is not a number is no improvement: the decisions are those of a curve that repeats its
    /// best value there.
    #[test]
    fn what_is_not_finite_never_counts((config, seed) in configs(), curve in curves()) {
        let mut best = 0.0f64;
        let cleaned: Vec<f64> = curve.iter().map(|&accuracy| {
            if accuracy.is_finite() { best = best.max(accuracy); }
            best
        }).collect();
        prop_assert_eq!(
            replay(&config, &seed, 0, curve),
            replay(&config, &seed, 0, cleaned)
        );
    }

    /// Growing epochs of a periodic run = (sum of depths - M + 1) x K, from the seed 1-1-...-1.
    #[test]
    fn a_periodic_run_costs_an_interval_a_sub_module(
        (config, seed) in configs(),
        curve in prop::collection::vec(0.0f64..100.0, 0..60),
    ) {
        let config = GrowthConfig { policy: "periodic".into(), max_depth: None, ..config };
        let ones = Depth::uniform(seed.sub_networks(), 1);
        let curve = curve.into_iter().chain(std::iter::repeat_n(0.0, 400));
        let replayed = replay(&config, &ones, 0, curve);
        prop_assert!(replayed.finished);
        let modules = replayed.found.sub_modules() - replayed.found.sub_networks() + 1;
        // The window holds at the first check after J + 1 epochs at the earliest.
        prop_assert_eq!(replayed.growing_epochs, modules * config.interval);
    }
}

#[test]
fn floors_of_the_paper() {
    // Table 9's settings: K is divided by the fraction of the data.
    for (interval, sub_networks, expected) in [
        (3, 3, "13-13-12"),
        (4, 3, "10-10-10"),
        (6, 3, "7-7-7"),
        (12, 3, "5-4-4"),
        (3, 4, "10-10-10-10"),
        (4, 4, "8-8-8-8"),
        (6, 4, "6-6-6-5"),
        (12, 4, "4-4-4-3"),
    ] {
        let seed = Depth::uniform(sub_networks, 1);
        let floor = floor(&config("periodic", interval, 100), &seed);
        assert!(floor.finished);
        assert_eq!(floor.found.to_string(), expected, "K = {interval}");
    }
}

#[test]
fn a_tie_with_tau_stops_convergent_growth_but_does_not_grow() {
    let config = GrowthConfig { threshold: 1.0, ..config("convergent", 1, 1) };
    // Grows at 2 (no improvement); at 3 exactly tau: stops sub-network 0, and does not grow.
    let replayed = replay(&config, &Depth::uniform(2, 1), 0, [50.0, 50.0, 51.0]);
    let events: Vec<_> = replayed.events.iter().map(|e| (e.epoch, e.kind, e.subnet)).collect();
    assert_eq!(events, [(2, Kind::Grow, 0), (3, Kind::Stop, 0)]);
}

#[test]
fn other_growing_modes() {
    let grown = |mode: Mode, epochs: usize| {
        let config = GrowthConfig { mode, ..config("periodic", 1, 1000) };
        let curve = std::iter::repeat_n(50.0, epochs);
        replay(&config, &Depth::uniform(3, 1), 7, curve).found.to_string()
    };
    assert_eq!(grown(Mode::All, 4), "5-5-5");
    assert_eq!(grown(Mode::Only(1), 4), "1-5-1");
    assert_eq!(grown(Mode::Random(1.0), 4), "5-5-5");
    let random = grown(Mode::Random(0.5), 40);
    assert_eq!(random, grown(Mode::Random(0.5), 40));
    let depth: Depth = random.parse().unwrap();
    assert!(depth.as_slice().iter().all(|d| (8..34).contains(d)), "{random}");

    // 0.3 x 3 is 1, 0.3 x 4 and 0.3 x 5 are 1 and 2, on the sub-networks in turn.
    assert_eq!(grown(Mode::Rate(0.3), 3), "3-2-2");
    assert_eq!(grown(Mode::Rate(2.0), 1), "3-3-3");
    assert_eq!(grown(Mode::Sub("2-1-3".parse().unwrap()), 2), "5-3-7");

    // All stop together.
    let config = GrowthConfig { mode: Mode::All, ..config("periodic", 1, 3) };
    let floor = floor(&config, &Depth::uniform(3, 1));
    assert_eq!((floor.found.to_string().as_str(), floor.growing_epochs), ("4-4-4", 4));
}

#[test]
fn what_is_left_is_what_flat_scores_would_take() {
    let seed = Depth::uniform(3, 1);
    let left = |policy: &str, scores: &[f64]| {
        with_rules(&config(policy, 2, 6), &seed, 0, |rules| epochs_left(rules, scores).unwrap())
    };
    let whole = floor(&config("periodic", 2, 6), &seed).growing_epochs;
    assert_eq!(left("periodic", &[]), Some(whole));
    assert_eq!(left("periodic", &[50.0, 50.0]), Some(whole - 2));
    // A late record starts the window again.
    assert!(left("periodic", &[50.0, 51.0, 52.0, 53.0, 54.0]).unwrap() > whole - 5);
    assert_eq!(left("none", &[]), Some(0));
}

#[test]
fn without_growth_there_is_nothing_to_decide() {
    let replayed = replay(&config("none", 1, 1), &Depth::uniform(3, 2), 0, [1.0, 2.0]);
    assert!(replayed.finished && replayed.events.is_empty());
    assert_eq!((replayed.found.to_string().as_str(), replayed.growing_epochs), ("2-2-2", 0));
}
