//! `autogrow evaluate`.

use super::{open_data, open_device};
use crate::args::{EvaluateArgs, SplitName};
use crate::output::{BOLD, Output, RESET};
use autogrow_core::run::load_model;
use autogrow_core::training::{Scores, evaluate};
use autogrow_core::{Error, Result};
use serde::Serialize;

#[derive(Serialize)]
struct Report {
    network: String,
    found: String,
    data: String,
    split: &'static str,
    #[serde(flatten)]
    scores: Scores,
}

pub(crate) fn run(args: &EvaluateArgs, output: &Output) -> Result<()> {
    let settings = &args.settings;
    // The run's own configuration says which data the model was made for.
    let folder = if args.model.is_file() { args.model.parent() } else { Some(&*args.model) };
    let base = folder.map(|folder| folder.join("config.toml")).filter(|file| file.is_file());
    let loaded = match base {
        Some(file) => settings.load_over_file(&file)?,
        None => settings.load()?,
    };
    let config = loaded.resolve()?;
    let device = open_device(&config, &loaded)?;
    let network = load_model(&args.model, &device)?;
    let data = open_data(&config)?;
    let blueprint = network.blueprint();
    if blueprint.image != data.image || blueprint.classes != data.classes.len() {
        let ([c, h, w], [c2, h2, w2]) = (blueprint.image, data.image);
        return Err(Error::run(
            &args.model,
            format!(
                "was made for {} classes of {c}x{h}x{w} images; {} has {} classes of {c2}x{h2}x{w2}",
                blueprint.classes,
                config.data.name,
                data.classes.len()
            ),
        )
        .with_hint("name the data set it was trained on: --data NAME"));
    }
    let (split, name) = match args.split {
        SplitName::Train => (&data.train, "train"),
        SplitName::Val => (&data.validation, "val"),
        SplitName::Test => (&data.test, "test"),
    };
    let scores = evaluate(&network, &**split, &device, &mut || Ok(()))?;
    let report = Report {
        network: blueprint.network.clone(),
        found: blueprint.depth.to_string(),
        data: config.data.name.clone(),
        split: name,
        scores,
    };
    output.result(&report, || {
        format!(
            "{} {} on {} {name} images of {}\ntop-1 {BOLD}{:.2} %{RESET}  top-5 {:.2} %  loss {:.4}",
            report.network, report.found, scores.images, report.data, scores.top1, scores.top5,
            scores.loss
        )
    })
}
