//! Section `[growth]` of the configuration: when to stack and when to stop; and [`Rules`], all that
//! growth depends on beside what training shows.

use crate::{Amount, Compat, Depth, Guide, Metric, Mode};
use autogrow_base::settings::PluginSettings;
use autogrow_base::{Error, Result};
use serde::{Deserialize, Serialize};

/// Most epochs of a window: policies are played through to their end in advance.
const MOST_EPOCHS: usize = 1_000_000;

/// All that growth depends on beside what training shows.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Section `[growth]`.
    pub growth: &'a GrowthConfig,
    /// Settings of plugins.
    pub plugins: &'a PluginSettings,
    /// Depth of the seed network.
    pub depth: &'a Depth,
    /// Seed of the run: it decides the draws of growing mode `random` alone.
    pub seed: u64,
    /// Paper or released code.
    pub compat: Compat,
}

/// Section `[growth]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrowthConfig {
    /// A registered growing and stopping policy.
    pub policy: String,
    /// K: epochs between two checks.
    pub interval: usize,
    /// J: epochs without improvement after which growth stops.
    pub patience: usize,
    /// tau: percentage points that count as an improvement.
    pub threshold: f64,
    /// Of `worth`: percentage points that a doubling of the multiply-accumulate operations has to
    /// bring.
    pub price: f64,
    /// What is evaluated after an epoch.
    pub guide: Guide,
    /// Sub-modules a growth: a number, or a factor such as `x1.5`.
    pub amount: Amount,
    /// A registered initializer of new sub-modules.
    pub initializer: String,
    /// What is compared: the running maximum or an exponential moving average.
    pub metric: Metric,
    /// Which sub-networks grow at a check.
    pub mode: Mode,
    /// The deepest net allowed, such as `6-16-72-32`; empty: any.
    #[serde(with = "crate::optional_depth")]
    pub max_depth: Option<Depth>,
    /// Multiply-accumulate operations of an image that no network grows beyond; 0: any.
    pub max_macs: u64,
    /// Trainable parameters that no network grows beyond; 0: any.
    pub max_parameters: u64,
}

impl Default for GrowthConfig {
    fn default() -> Self {
        Self {
            policy: "periodic".into(),
            interval: 3,
            patience: 100,
            threshold: 0.05,
            price: 0.5,
            guide: Guide::default(),
            amount: Amount::default(),
            initializer: "gaussian".into(),
            metric: Metric::default(),
            mode: Mode::default(),
            max_depth: None,
            max_macs: 0,
            max_parameters: 0,
        }
    }
}

impl GrowthConfig {
    /// Growth that has to pay: policy `worth` and what goes with it.
    pub fn worth() -> Self {
        Self {
            policy: "worth".into(),
            interval: 4,
            guide: Guide::Averaged,
            amount: Amount::Factor(1.5),
            // A trial is short: noise takes epochs to recover from.
            initializer: "zero".into(),
            ..Self::default()
        }
    }

    /// Whether the cost of a network limits its depth. How deep that is cannot be known from the
    /// settings alone.
    pub fn limits_cost(&self) -> bool {
        self.max_macs > 0 || self.max_parameters > 0
    }

    /// Whether a network of this cost may be grown to.
    pub fn allows(&self, macs: u64, parameters: u64) -> bool {
        let is_within = |value: u64, most: u64| most == 0 || value <= most;
        is_within(macs, self.max_macs) && is_within(parameters, self.max_parameters)
    }

    /// Checks the section against the seed's depth.
    ///
    /// # Errors
    /// [`Error::Config`], naming the key.
    pub fn check(&self, seed: &Depth) -> Result<()> {
        for (key, epochs) in
            [("growth.interval", self.interval), ("growth.patience", self.patience)]
        {
            if !(1..=MOST_EPOCHS).contains(&epochs) {
                return Err(Error::config(key, format!("= {epochs} is out of range"))
                    .with_hint(format!("it is from 1 to {MOST_EPOCHS}")));
            }
        }
        if !self.threshold.is_finite() || self.threshold < 0.0 {
            let problem = format!("= {} is out of range", self.threshold);
            return Err(Error::config("growth.threshold", problem).with_hint("it is 0 or more"));
        }
        if !self.price.is_finite() || self.price < 0.0 {
            let problem = format!("= {} is out of range", self.price);
            return Err(Error::config("growth.price", problem).with_hint("it is 0 or more"));
        }
        if let Some(max) = self.max_depth.as_ref().filter(|max| !max.covers(seed)) {
            return Err(Error::config(
                "growth.max_depth",
                format!("= {max} is not as deep as the seed {seed}"),
            )
            .with_hint("give as many numbers as the seed has, each at least as large"));
        }
        if let Mode::Only(index) = self.mode
            && index >= seed.sub_networks()
        {
            return Err(Error::config(
                "growth.mode",
                format!("= {} names a sub-network that {seed} does not have", self.mode),
            )
            .with_hint(format!("sub-networks count from 0 to {}", seed.sub_networks() - 1)));
        }
        if let Mode::Sub(amounts) = &self.mode
            && amounts.sub_networks() != seed.sub_networks()
        {
            let problem = format!("= {} names more or fewer sub-networks than {seed}", self.mode);
            return Err(Error::config("growth.mode", problem)
                .with_hint("give a number for each sub-network of the seed"));
        }
        Ok(())
    }
}
