//! How large: a suite's settings as they are written, or all of them reduced by one rule.

use crate::keys::{get, remove, set};
use crate::pictures;
use crate::sets::{Set, Sets};
use autogrow_base::{Error, Result};
use autogrow_run::Config;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// Turns settings into a configuration with every key, or says what is wrong with them.
pub type Resolve<'a> = dyn Fn(&Table) -> Result<Config> + Sync + 'a;

/// What the name of a network with ImageNet's stem ends with.
const LARGE_STEM: &str = "-imagenet";

/// How hard `synthetic` is where it stands in for photographs.
const DIFFICULTY: f64 = 0.2;

/// Policies with settings of their own, `[plugin.NAME]`; those that have `epochs` count them.
const POLICIES: [&str; 3] = ["fragrow", "late", "target"];

/// How large a suite is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// The settings as written: of a built-in suite, the paper's
    Paper,
    /// A tenth of the epochs and images, narrower networks: hours
    Small,
    /// A check that all of it runs, on images that are built in: minutes
    Smoke,
}

/// What a scale does to settings.
#[derive(Debug)]
struct Rule {
    /// K, J and N are divided by this, rounded, and are at least 1.
    epochs_by: f64,
    /// Part of the training images that is left, of small and of large ones.
    images: [f64; 2],
    /// Widest networks, of other numbers of sub-networks than four, and of four.
    widths: [usize; 2],
    stand_ins: bool,
}

const SMALL: Rule =
    Rule { epochs_by: 10.0, images: [0.1, 0.01], widths: [8, 16], stand_ins: false };

const SMOKE: Rule = Rule { epochs_by: 50.0, images: [0.1, 0.001], widths: [4, 4], stand_ins: true };

impl Scale {
    /// As the command line spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Small => "small",
            Self::Smoke => "smoke",
        }
    }

    fn rule(self) -> Option<&'static Rule> {
        match self {
            Self::Paper => None,
            Self::Small => Some(&SMALL),
            Self::Smoke => Some(&SMOKE),
        }
    }
}

impl Rule {
    /// Epochs that are left. None stays none.
    fn epochs(&self, written: usize) -> usize {
        match written {
            0 => 0,
            _ => ((written as f64 / self.epochs_by).round() as usize).max(1),
        }
    }

    /// Part of the training images that is left. Of the few pictures that are drawn, it is all.
    fn images(&self, set: Option<&Set>) -> f64 {
        match set {
            Some(set) if set.name == pictures::NAME => 1.0,
            Some(set) if set.is_large() => self.images[1],
            _ => self.images[0],
        }
    }
}

/// What all runs of a suite are made by.
pub(crate) struct Settings<'a> {
    pub(crate) sets: &'a Sets,
    pub(crate) scale: Scale,
    /// The data set that takes the place of every row's.
    pub(crate) data: Option<&'a Set>,
    pub(crate) device: Option<&'a str>,
    pub(crate) resolve: &'a Resolve<'a>,
}

/// What a run is told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// What is written into its configuration file.
    pub(crate) settings: Table,
    /// The same with every key.
    pub(crate) config: Config,
}

impl Settings<'_> {
    /// The configuration of settings as a file has them.
    pub(crate) fn written(&self, settings: &Table) -> Result<Config> {
        (self.resolve)(&without_growth(settings.clone()))
    }

    /// What the run of a row is told, for its seed number `seed`.
    ///
    /// # Errors
    /// Those of [`Resolve`], and [`Error::Config`] where the network does not fit the images of the
    /// data set that is given in place of the row's.
    pub(crate) fn told(&self, settings: &Table, seed: u64) -> Result<Told> {
        let mut settings = without_growth(settings.clone());
        let written = (self.resolve)(&settings)?;
        let replaced = self.replacement(&written)?;
        if let Some(replacement) = replaced {
            replace(&mut settings, &written, replacement)?;
        }
        if let Some(rule) = self.scale.rule() {
            let data = replaced.or_else(|| self.sets.of(&written));
            reduce(&mut settings, &written, rule, rule.images(data));
        }
        set(&mut settings, "run.seed", integer(written.run.seed.saturating_add(seed)));
        if let Some(device) = self.device {
            set(&mut settings, "run.device", device);
        }
        self.complete(settings)
    }

    /// The same settings with every key beside them.
    pub(crate) fn complete(&self, settings: Table) -> Result<Told> {
        let settings = without_growth(settings);
        let config = (self.resolve)(&settings)?;
        Ok(Told { settings, config })
    }

    /// The data set in the place of a row's own.
    fn replacement(&self, written: &Config) -> Result<Option<&Set>> {
        let own = self.sets.of(written);
        let other = match (self.data, own) {
            (Some(data), _) => Some(data),
            (None, Some(own)) if self.scale.rule().is_some_and(|rule| rule.stand_ins) => {
                Some(self.sets.named(&own.stand_in)?)
            }
            _ => None,
        };
        Ok(other.filter(|other| own.is_none_or(|own| own.name != other.name)))
    }
}

/// Trains on another data set. Its images may need another stem.
fn replace(settings: &mut Table, written: &Config, data: &Set) -> Result<()> {
    let network = &written.network;
    if data.is_large() && network.depth.sub_networks() != 4 {
        let [_, height, width] = data.image;
        let problem = format!(
            "= {}, whose images are of {height}x{width}: {} takes images of about 32x32",
            data.name, network.name
        );
        return Err(Error::config("data.name", problem).with_origin("--data").with_hint(
            "large images are for networks with four sub-networks, such as those of table10",
        ));
    }
    let name = network.name.trim_end_matches(LARGE_STEM);
    let stem = if data.is_large() { LARGE_STEM } else { "" };
    set(settings, "network.name", format!("{name}{stem}"));
    set(settings, "data.name", data.name.as_str());
    for key in ["data.dir", "data.difficulty"] {
        remove(settings, key);
    }
    match data.name.as_str() {
        pictures::NAME => set(settings, "data.dir", pictures::DIR),
        "synthetic" => set(settings, "data.difficulty", DIFFICULTY),
        _ => {}
    }
    Ok(())
}

/// Makes all of it smaller by a rule.
fn reduce(settings: &mut Table, written: &Config, rule: &Rule, images: f64) {
    let growth = &written.growth;
    if grows(settings) {
        for (key, epochs) in
            [("growth.interval", growth.interval), ("growth.patience", growth.patience)]
        {
            set(settings, key, integer(rule.epochs(epochs)));
        }
    }
    set(settings, "fine_tune.epochs", integer(rule.epochs(written.fine_tune.epochs)));
    // Of policies that count epochs by themselves.
    for policy in POLICIES {
        let key = format!("plugin.{policy}.epochs");
        if let Some(epochs) = get(settings, &key).and_then(Value::as_integer) {
            set(settings, &key, integer(rule.epochs(usize::try_from(epochs).unwrap_or(0))));
        }
    }
    if written.run.snapshots > 0 {
        set(settings, "run.snapshots", integer(rule.epochs(written.run.snapshots)));
    }
    let widest = rule.widths[usize::from(written.network.depth.sub_networks() == 4)];
    set(settings, "network.width", integer(written.network.width.min(widest)));
    let fraction = (written.data.fraction * images * 1e6).round() / 1e6;
    set(settings, "data.fraction", fraction);
    set(settings, "data.select_on", "val");
}

/// Whether settings are of a network that grows.
pub(crate) fn grows(settings: &Table) -> bool {
    get(settings, "growth.policy").and_then(Value::as_str) != Some("none")
}

/// Takes out what means nothing to a net that does not grow, so that all searches that find it share
/// it as their baseline.
fn without_growth(mut settings: Table) -> Table {
    if !grows(&settings) {
        let guide = get(&settings, "growth.guide").cloned();
        for key in ["growth", "training.schedule"] {
            remove(&mut settings, key);
        }
        // Not those of its data set or its network.
        for policy in POLICIES {
            remove(&mut settings, &format!("plugin.{policy}"));
        }
        set(&mut settings, "growth.policy", "none");
        // What is evaluated matters to a net of any depth.
        if let Some(guide) = guide {
            set(&mut settings, "growth.guide", guide);
        }
    }
    settings
}

/// As TOML has it; no setting is as large as its largest number.
pub(crate) fn integer(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
