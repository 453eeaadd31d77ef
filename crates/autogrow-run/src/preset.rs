//! Presets: settings that go together, laid over the defaults, which are the paper's, and under
//! everything a user sets.

use crate::config::{Config, DataConfig, FineTuneConfig, GrowthConfig, Preset, TrainingConfig};
use autogrow_base::{Error, Result};
use toml::{Table, Value};

/// The policy of `standard` and `quick`.
const WORTH: &str = "worth";
/// A baseline for it.
const NONE: &str = "none";

/// How `standard` and `quick` train: what was measured to be better than the paper's way at the same time
/// (`docs/results.md`, "A recipe of this decade").
const TRAINING: &str = "
[growth]
guide = 'averaged'
[training]
optimizer = 'nesterov'
label_smoothing = 0.1
warmup_epochs = 3
decay_norms = false
[fine_tune]
schedule = 'cosine'
";

/// Growth that has to pay: see `docs/trust.md`.
const STANDARD: &str = "
[growth]
policy = 'worth'
guide = 'averaged'
amount = 'x1.5'
initializer = 'zero'
interval = 4
";

/// A minute or so for `digits` on two cores.
const QUICK: &str = "
[growth]
policy = 'worth'
guide = 'averaged'
amount = 'x1.5'
initializer = 'zero'
interval = 2
[training]
batch_size = 64
[fine_tune]
epochs = 16
";

/// The same for a policy that was chosen by itself.
const QUICK_OTHERWISE: &str = "
[growth]
interval = 2
patience = 8
[training]
batch_size = 64
[fine_tune]
epochs = 16
";

/// What the paper trains ImageNet with (section 3): T = 30 epochs at the largest step size, which
/// drops at epochs 30 and 60 of 90.
const IMAGENET: &str = "
[growth]
interval = 5
patience = 30
[training]
batch_size = 256
weight_decay = 1e-4
[fine_tune]
epochs = 90
milestones = [0.3333333333333333, 0.6666666666666666]
";

impl Config {
    /// With the settings of preset `standard`: growth that has to pay, and training as today.
    pub fn standard() -> Self {
        Self {
            growth: GrowthConfig::worth(),
            training: TrainingConfig {
                optimizer: "nesterov".into(),
                label_smoothing: 0.1,
                warmup_epochs: 3,
                decay_norms: false,
                ..TrainingConfig::default()
            },
            fine_tune: FineTuneConfig { schedule: "cosine".into(), ..FineTuneConfig::default() },
            ..Self::default()
        }
    }
}

impl Preset {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Paper => "paper",
            Self::Quick => "quick",
        }
    }

    /// The keys that the preset sets for a data set, by section; `policy` is `growth.policy` where
    /// that is set by itself: no preset gives settings of one policy to another.
    ///
    /// # Errors
    /// [`Error::Config`] about `data.fraction`, by which `paper` divides K.
    pub fn settings(self, data: &DataConfig, policy: Option<&str>) -> Result<Table> {
        let is_worth = policy.is_none_or(|policy| policy == WORTH);
        let table = match (self, data.name.as_str()) {
            (Self::Standard, _) if is_worth => STANDARD,
            (Self::Standard, _) => "",
            (Self::Quick, _) if is_worth => QUICK,
            (Self::Quick, _) => QUICK_OTHERWISE,
            (Self::Paper, "imagenet") => IMAGENET,
            // The defaults are those of the small data sets.
            (Self::Paper, _) => "[growth]\ninterval = 3\n",
        };
        let parsed = |table: &str| {
            table.parse::<Table>().map_err(|error| Error::config("preset", error.to_string()))
        };
        let mut table = parsed(table)?;
        // The paper's policies go with the paper's training.
        if self != Self::Paper && (is_worth || policy == Some(NONE)) {
            for (section, settings) in parsed(TRAINING)? {
                match (table.get_mut(&section), settings) {
                    (Some(Value::Table(own)), Value::Table(settings)) => own.extend(settings),
                    (_, settings) => drop(table.insert(section, settings)),
                }
            }
        }
        if self == Self::Paper {
            if !(data.fraction > 0.0 && data.fraction <= 1.0) {
                let problem = format!("= {} is out of range", data.fraction);
                return Err(Error::config("data.fraction", problem)
                    .with_hint("it is above 0 and at most 1"));
            }
            // The same number of steps between growths, whatever the size of the data (Table 9).
            let growth = table.get_mut("growth").and_then(Value::as_table_mut);
            if let Some(Value::Integer(interval)) =
                growth.and_then(|growth| growth.get_mut("interval"))
            {
                *interval = (*interval as f64 / data.fraction).round() as i64;
            }
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autogrow_growth::Guide;

    fn settings(preset: Preset, name: &str, fraction: f64) -> Config {
        let data = DataConfig { name: name.into(), fraction, ..DataConfig::default() };
        preset.settings(&data, None).unwrap().try_into().unwrap()
    }

    #[test]
    fn growth_has_to_pay_unless_another_policy_is_chosen() {
        let data = DataConfig::default();
        let growth = |preset: Preset, policy| {
            let config: Config = preset.settings(&data, policy).unwrap().try_into().unwrap();
            let growth = config.growth;
            (growth.policy, growth.guide, growth.interval, growth.patience)
        };
        let (worth, periodic) = ("worth".to_string(), "periodic".to_string());
        for policy in [None, Some("worth")] {
            let standard = growth(Preset::Standard, policy);
            assert_eq!(standard, (worth.clone(), Guide::Averaged, 4, 100));
            let table = Preset::Standard.settings(&data, policy).unwrap();
            assert_eq!(table.try_into::<Config>().unwrap(), Config::standard());
            assert_eq!(growth(Preset::Quick, policy), (worth.clone(), Guide::Averaged, 2, 100));
        }
        let chosen = Some("convergent");
        assert_eq!(growth(Preset::Standard, chosen), (periodic.clone(), Guide::Raw, 3, 100));
        assert_eq!(growth(Preset::Quick, chosen), (periodic.clone(), Guide::Raw, 2, 8));
        assert_eq!(growth(Preset::Paper, None), (periodic, Guide::Raw, 3, 100));
    }

    /// And so is a baseline, but not the paper's policies.
    #[test]
    fn what_has_to_pay_is_trained_as_today() {
        let data = DataConfig::default();
        let schedule = |preset: Preset, policy| {
            let config: Config = preset.settings(&data, policy).unwrap().try_into().unwrap();
            assert_eq!(config.training.label_smoothing > 0.0, config.training.warmup_epochs > 0);
            (config.training.optimizer, config.fine_tune.schedule)
        };
        let pair = |optimizer: &str, schedule: &str| (optimizer.to_owned(), schedule.to_owned());
        let (today, papers) = (pair("nesterov", "cosine"), pair("sgd", "staircase"));
        for preset in [Preset::Standard, Preset::Quick] {
            for policy in [None, Some("worth"), Some("none")] {
                assert_eq!(schedule(preset, policy), today);
                let config: Config = preset.settings(&data, policy).unwrap().try_into().unwrap();
                assert_eq!(config.growth.guide, Guide::Averaged);
            }
            assert_eq!(schedule(preset, Some("periodic")), papers);
        }
        assert_eq!(schedule(Preset::Paper, None), papers);
    }

    #[test]
    fn the_papers_numbers_follow_the_data_set() {
        let imagenet = settings(Preset::Paper, "imagenet", 1.0);
        assert_eq!((imagenet.training.batch_size, imagenet.growth.patience), (256, 30));
        assert_eq!((imagenet.training.weight_decay, imagenet.fine_tune.epochs), (1e-4, 90));
        let small = settings(Preset::Paper, "cifar10", 1.0);
        assert_eq!((small.training.batch_size, small.growth.patience), (128, 100));
        assert_eq!((small.training.weight_decay, small.fine_tune.epochs), (5e-4, 200));
    }

    #[test]
    fn the_interval_is_divided_by_the_fraction() {
        let interval = |fraction| settings(Preset::Paper, "cifar10", fraction).growth.interval;
        assert_eq!([1.0, 0.75, 0.5, 0.25].map(interval), [3, 4, 6, 12]);
        let data = DataConfig { fraction: 0.0, ..DataConfig::default() };
        assert_eq!(Preset::Paper.settings(&data, None).unwrap_err().exit_code(), 2);
        assert_eq!(settings(Preset::Quick, "cifar10", 0.5).growth.interval, 2);
    }
}
