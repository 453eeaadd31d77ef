//! Which values of a configuration make sense.

use super::Config;
use autogrow_base::{Error, Result};

/// Widest first sub-network, in channels.
const WIDEST: usize = 1 << 14;
/// Most pixels in each direction that pictures are made to.
const LARGEST_SIZE: usize = 1 << 11;
/// Most pixels that images are shifted by.
const LARGEST_SHIFT: usize = 1 << 10;
/// Most epochs of any kind: policies are played through to their end in advance.
const MOST_EPOCHS: usize = 1_000_000;
/// Seconds that a rank is waited for at most.
const LONGEST_PATIENCE: f64 = 1e9;

impl Config {
    /// Checks every value by itself, and those of `[growth]` against the seed's depth.
    ///
    /// # Errors
    /// [`Error::Config`], naming the key.
    pub fn check(&self) -> Result<()> {
        self.check_numbers()?;
        self.growth.check(&self.network.depth)
    }

    fn check_numbers(&self) -> Result<()> {
        let (training, data) = (&self.training, &self.data);
        at_least_one("training.batch_size", training.batch_size)?;
        at_least_one("run.keep", self.run.keep)?;
        at_most("network.width", self.network.width, WIDEST)?;
        at_most("fine_tune.epochs", self.fine_tune.epochs, MOST_EPOCHS)?;
        at_most("training.warmup_epochs", training.warmup_epochs, MOST_EPOCHS)?;
        at_most("data.shift", data.shift.unwrap_or(0), LARGEST_SHIFT)?;
        at_most("data.size", data.size, LARGEST_SIZE)?;
        if i64::try_from(self.run.seed).is_err() {
            // TOML has no larger numbers, and a run that cannot be read again cannot be resumed.
            return Err(Error::config("run.seed", format!("= {} is too large", self.run.seed))
                .with_hint(format!("it is at most {}", i64::MAX)));
        }
        for &milestone in &self.fine_tune.milestones {
            let inside = milestone > 0.0 && milestone < 1.0;
            in_range("fine_tune.milestones", milestone, inside)?;
        }
        let minutes = self.run.checkpoint_minutes;
        in_range("run.checkpoint_minutes", minutes, minutes > 0.0)?;
        in_range("run.max_minutes", self.run.max_minutes, self.run.max_minutes >= 0.0)?;
        let patience = self.run.patience;
        in_range("run.patience", patience, patience > 0.0 && patience <= LONGEST_PATIENCE)?;
        in_range("training.learning_rate", training.learning_rate, training.learning_rate > 0.0)?;
        for &factor in &training.stage_rates {
            in_range("training.stage_rates", factor, factor >= 0.0)?;
        }
        in_range("training.momentum", training.momentum, (0.0..1.0).contains(&training.momentum))?;
        in_range("training.weight_decay", training.weight_decay, training.weight_decay >= 0.0)?;
        in_range("training.clip_norm", training.clip_norm, training.clip_norm >= 0.0)?;
        in_range("training.average", training.average, (0.0..1.0).contains(&training.average))?;
        let smoothing = training.label_smoothing;
        in_range("training.label_smoothing", smoothing, (0.0..1.0).contains(&smoothing))?;
        in_range("training.mixup", training.mixup, training.mixup >= 0.0)?;
        in_range("training.cutmix", training.cutmix, training.cutmix >= 0.0)?;
        let drops = training.drop_path;
        in_range("training.drop_path", drops, (0.0..1.0).contains(&drops))?;
        in_range("training.huber", training.huber, training.huber >= 0.0)?;
        in_range("data.fraction", data.fraction, data.fraction > 0.0 && data.fraction <= 1.0)?;
        in_range("data.erasing", data.erasing, (0.0..=1.0).contains(&data.erasing))?;
        in_range("data.difficulty", data.difficulty, (0.0..=1.0).contains(&data.difficulty))?;
        if training.micro_batch > training.batch_size {
            return Err(Error::config(
                "training.micro_batch",
                format!(
                    "= {} is larger than the batch of {}",
                    training.micro_batch, training.batch_size
                ),
            )
            .with_hint("0 takes the whole batch at once"));
        }
        Ok(())
    }
}

fn at_least_one(key: &str, value: usize) -> Result<()> {
    if value == 0 {
        return Err(Error::config(key, "= 0 makes no sense").with_hint("it is at least 1"));
    }
    Ok(())
}

fn at_most(key: &str, value: usize, most: usize) -> Result<()> {
    if value > most {
        return Err(Error::config(key, format!("= {value} is too large"))
            .with_hint(format!("it is at most {most}")));
    }
    Ok(())
}

fn in_range(key: &str, value: f64, inside: bool) -> Result<()> {
    if inside && value.is_finite() {
        return Ok(());
    }
    let range = match key {
        "data.fraction" => "above 0 and at most 1",
        "data.difficulty" | "data.erasing" => "from 0 to 1",
        "training.momentum"
        | "training.average"
        | "training.label_smoothing"
        | "training.drop_path" => "from 0 to below 1",
        "fine_tune.milestones" => "a part of the epochs, above 0 and below 1",
        "training.learning_rate" => "above 0, or 0 for the network's own",
        "run.patience" => "above 0, at most 1e9",
        "run.checkpoint_minutes" => "above 0",
        _ => "0 or more",
    };
    Err(Error::config(key, format!("= {value} is out of range"))
        .with_hint(format!("it is {range}")))
}
