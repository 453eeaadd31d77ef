//! What follows from the number of training images or rows, where nobody has set it.

use crate::preset::PRESET;
use crate::settings::{DEFAULT, Loaded};
use autogrow::config::{Config, Preset, Suiting, batch_for};
use autogrow::data::DataSet;
use autogrow::{Resolved, Result};

/// The settings for a data set, unless they are chosen or the paper's: batches are smaller for few
/// training images. Tables are trained as the library trains rows in memory: with more weight decay the
/// fewer they are, and without a preset for some hundred steps; values are trained as in the paper.
pub(super) fn sized(loaded: &Loaded, resolved: Resolved, data: &DataSet) -> Result<Resolved> {
    if resolved.preset == Preset::Paper {
        return Ok(resolved);
    }
    let is_open = |key: &str| {
        let source = loaded.source(key);
        source == DEFAULT || source.starts_with(PRESET)
    };
    let mut config = resolved.config().clone();
    let images = data.train.len();
    if is_open("training.batch_size") {
        let training = &mut config.training;
        let batch = batch_for(images).max(training.micro_batch);
        training.batch_size = training.batch_size.min(batch);
    }
    if config.data.name == "csv" {
        table(&mut config, images, is_open);
    }
    Resolved::of(config)
}

fn table(config: &mut Config, rows: usize, is_open: impl Fn(&str) -> bool) {
    let objective = &config.training.objective;
    let (suiting, papers) = (Suiting::of(rows, objective), Config::default());
    if objective == "values" {
        let (training, fine_tune) = (&mut config.training, &mut config.fine_tune);
        take(&mut training.optimizer, papers.training.optimizer, is_open("training.optimizer"));
        let warmup = is_open("training.warmup_epochs");
        take(&mut training.warmup_epochs, papers.training.warmup_epochs, warmup);
        take(
            &mut training.decay_norms,
            papers.training.decay_norms,
            is_open("training.decay_norms"),
        );
        take(&mut fine_tune.schedule, papers.fine_tune.schedule, is_open("fine_tune.schedule"));
    }
    let decay = config.training.weight_decay.max(suiting.weight_decay);
    take(&mut config.training.weight_decay, decay, is_open("training.weight_decay"));
    if config.preset == Preset::Standard {
        take(&mut config.growth.interval, suiting.interval, is_open("growth.interval"));
        take(&mut config.fine_tune.epochs, suiting.epochs, is_open("fine_tune.epochs"));
    }
}

fn take<T>(own: &mut T, other: T, is_open: bool) {
    if is_open {
        *own = other;
    }
}
