//! Growth that has to end before its policy wants it to: networks that cost too much, no time left.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_base::settings::PluginSettings;
use autogrow_growth::{
    Amount, Compat, Decision, Depth, Evidence, Growth, GrowthConfig, Kind, Rules, floor,
};
use proptest::prelude::*;

fn depth(text: &str) -> Depth {
    text.parse().unwrap()
}

fn rules<'a>(config: &'a GrowthConfig, seed: &'a Depth, plugins: &'a PluginSettings) -> Rules<'a> {
    Rules { growth: config, plugins, depth: seed, seed: 0, compat: Compat::Paper }
}

fn growth(config: &GrowthConfig, seed: &Depth) -> Growth {
    Growth::new(&rules(config, seed, &PluginSettings::default())).unwrap()
}

fn kinds(decisions: &[Decision]) -> Vec<Kind> {
    decisions.iter().map(|decision| decision.kind).collect()
}

#[test]
fn costs_decide_what_is_allowed() {
    let config = GrowthConfig { max_macs: 10, max_parameters: 5, ..GrowthConfig::default() };
    assert!(config.limits_cost() && !GrowthConfig::default().limits_cost());
    assert!(config.allows(10, 5) && !config.allows(11, 5) && !config.allows(10, 6));
    assert!(GrowthConfig::default().allows(u64::MAX, u64::MAX));
    let (seed, plugins) = (depth("1-1"), PluginSettings::default());
    let floor = |config: &GrowthConfig| floor(&rules(config, &seed, &plugins)).unwrap();
    assert!(floor(&GrowthConfig::default()).is_some() && floor(&config).is_none());
}

#[test]
fn with_no_time_left_a_growth_on_trial_is_kept_only_if_it_pays_so_far() {
    let seed = depth("1-1");
    for (gain, found) in [(1.0, "2-2"), (0.1, "1-1")] {
        let policy = "worth".into();
        let config = GrowthConfig { policy, interval: 2, ..GrowthConfig::default() };
        let mut growth = growth(&config, &seed);
        let evidence = |depth: &Depth, score| {
            let macs = depth.sub_modules() as u64;
            Evidence { score, macs, ..Evidence::default() }
        };
        while growth.depth() == &seed {
            growth.epoch(evidence(&seed, 50.0));
        }
        let decisions = growth.last_epoch(evidence(&depth("2-2"), 50.0 + gain));
        assert_eq!(growth.depth(), &depth(found));
        assert!(growth.finished());
        let last = [Kind::OutOfTime, Kind::OutOfTime];
        assert_eq!(kinds(&decisions[decisions.len() - 2..]), last);
        assert_eq!(kinds(&decisions).contains(&Kind::RollBack), found == "1-1");
        assert!(growth.last_epoch(Evidence::default()).is_empty());
    }
}

proptest! {
    /// No network is grown beyond the limit, and every sub-network that has reached it leaves the list.
    #[test]
    fn nothing_grows_beyond_what_fits(
        interval in 1usize..4,
        factor in 1.0f64..4.0,
        most in 3usize..30,
        scores in prop::collection::vec(0.0f64..100.0, 200),
    ) {
        let config = GrowthConfig {
            interval,
            patience: 1000,
            amount: Amount::Factor(factor),
            ..GrowthConfig::default()
        };
        // A sub-module of the second sub-network costs two.
        let cost = |depth: &Depth| depth.as_slice()[0] + 2 * depth.as_slice()[1];
        let mut growth = growth(&config, &depth("1-1")).within(move |depth| cost(depth) <= most);
        for score in scores {
            for decision in growth.epoch(Evidence::of_score(score)) {
                prop_assert!(decision.depth.is_none_or(|depth| cost(&depth) <= most));
                prop_assert!(matches!(decision.kind, Kind::Grow | Kind::Cap));
            }
        }
        prop_assert!(growth.finished());
        prop_assert_eq!(cost(growth.depth()), most);
    }
}
