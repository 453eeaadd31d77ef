//! `autogrow resume`.

use super::train::{Ended, Setup, go, report};
use super::{open_data, open_device_of};
use crate::args::ResumeArgs;
use crate::output::Output;
use crate::settings::{Loaded, keys};
use autogrow::config::Config;
use autogrow::data::DataSet;
use autogrow::ranks::Ranks;
use autogrow::run::{Origin, Resumed, RunFolder};
use autogrow::{Error, Job, Resolved, Result};
use burn::tensor::Device;
use std::path::Path;
use std::time::Duration;

/// Keys that do not change what a run computes.
const HARMLESS: [&str; 7] = [
    "run.threads",
    "run.patience",
    "run.keep",
    "run.checkpoint_minutes",
    "run.max_minutes",
    "run.snapshots",
    "data.dir",
];

pub(crate) fn run(args: &ResumeArgs, output: &Output, ranks: &Ranks) -> Result<()> {
    report(go_on(args, output, ranks)?, output)
}

/// Brings a run to its end from where it stopped, if it is not there yet.
pub(super) fn go_on(args: &ResumeArgs, output: &Output, ranks: &Ranks) -> Result<Option<Ended>> {
    go_on_from(args, output, ranks, &mut |place| output.note(place))
}

/// The same; `told` hears where that is.
pub(super) fn go_on_from(
    args: &ResumeArgs,
    output: &Output,
    ranks: &Ranks,
    told: &mut dyn FnMut(&str),
) -> Result<Option<Ended>> {
    let path = &args.run;
    let (loaded, config, device, data) = ranks.agree(prepare(args, ranks))?;
    let outcome = if ranks.is_first() { RunFolder::outcome(path) } else { Ok(None) };
    let outcome = ranks.agree(outcome)?;
    let [finished] = ranks.sums([f64::from(u8::from(outcome.is_some()))])?;
    if let Some(outcome) = outcome {
        told("this run is finished");
        return Ok(Some(Ended::new(path, outcome, &config)));
    }
    if finished > 0.0 {
        return Ok(None);
    }
    let resumed = ranks.is_first().then(|| open(args, (&config, &data), output, told)).transpose();
    let (folder, checkpoint) = match ranks.agree(resumed)? {
        Some(Resumed { folder, checkpoint, .. }) => (Some(folder), checkpoint),
        None => (None, None),
    };
    let job = Job { config: &config, data: &data, device: &device, ranks };
    let setup = Setup { job, loaded: &loaded, path, page: args.page };
    go(&setup, folder.map(|folder| folder.with_info(job.model_info())), checkpoint, output)
}

/// What each rank opens for itself; the run's settings are read from its folder.
fn prepare(args: &ResumeArgs, ranks: &Ranks) -> Result<(Loaded, Resolved, Device, DataSet)> {
    let path = &args.run;
    let file = path.join("config.toml");
    if !file.is_file() {
        return Err(Error::run(path, "is not a run folder: it holds no config.toml")
            .with_hint("`autogrow train` starts a run"));
    }
    let of_run = |error: Error| Error::run(&file, error.to_string());
    let before = crate::settings::Settings::read_run(&file).map_err(of_run)?;
    let before = Resolved::of(before).map_err(of_run)?;
    let loaded = args.settings.load_over_file(&file)?;
    let config = loaded.resolve()?;
    ranks.set_patience(Duration::from_secs_f64(config.run.patience));
    refuse_changes(path, &before, &config, &args.allow)?;
    let device = open_device_of(ranks.rank(), &config, &loaded)?;
    let data = open_data(&config)?;
    Ok((loaded, config, device, data))
}

/// Opens the run folder, and says where the run is.
fn open(
    args: &ResumeArgs,
    (config, data): (&Config, &DataSet),
    output: &Output,
    told: &mut dyn FnMut(&str),
) -> Result<Resumed> {
    let path = &args.run;
    let resumed = RunFolder::resume(path, config)?;
    for damaged in &resumed.damaged {
        output.warn(damaged);
    }
    match &resumed.checkpoint {
        Some(checkpoint) => {
            let now = Origin::of(config, data)?;
            let is_same = now.data == checkpoint.origin.data || checkpoint.origin.is_of(data)?;
            refuse_other_origin(path, (&checkpoint.origin, is_same), &now, &args.allow)?;
            let place = checkpoint.state.describe(&checkpoint.blueprint.depth);
            told(&format!("resuming {}: {place}", path.display()));
        }
        None => told(&format!("resuming {} from its beginning", path.display())),
    }
    Ok(resumed)
}

/// A run goes on as it began: what would change its course must be insisted on.
fn refuse_changes(path: &Path, before: &Config, now: &Config, allow: &[String]) -> Result<()> {
    let (before, now) = (keys(before)?, keys(now)?);
    let text = |value: &figment::value::Value| serde_json::to_string(value).unwrap_or_default();
    let allowed = |key: &String| allow.contains(key) || HARMLESS.contains(&key.as_str());
    for (key, value) in &now {
        let old = before.get(key).map(text).unwrap_or_default();
        if old != text(value) && !allowed(key) {
            return Err(Error::run(
                path,
                format!("was made with {key} = {old}, not {}", text(value)),
            )
            .with_hint(format!("leave it as it was, or insist with --allow {key}")));
        }
    }
    Ok(())
}

/// `is_same`: whether the data are those of before.
fn refuse_other_origin(
    path: &Path,
    (before, is_same): (&Origin, bool),
    now: &Origin,
    allow: &[String],
) -> Result<()> {
    let allowed = |key: &str| allow.iter().any(|allowed| allowed == key);
    if !is_same && !allowed("data") {
        return Err(Error::run(path, "was trained on other images than the data set holds now")
            .with_hint("bring the data back as it was, or insist with --allow data"));
    }
    for (kind, origin) in &now.plugins {
        if before.plugins.get(kind) != Some(origin) && !allowed("plugins") {
            let old = before.plugins.get(kind).map_or("none", String::as_str);
            return Err(Error::run(path, format!("took its {kind} from {old}, now from {origin}"))
                .with_hint("use the binary that began it, or insist with --allow plugins"));
        }
    }
    Ok(())
}
