//! `autogrow replay`.

use super::unreadable;
use crate::args::ReplayArgs;
use crate::output::{Output, table};
use autogrow::growth::{Evidence, Kind, PolicyKind, replay};
use autogrow::run::Phase;
use autogrow::{Error, Result, registry};
use autogrow_run::names;
use autogrow_run::validation::read_validation;
use std::path::Path;

pub(crate) fn run(args: &ReplayArgs, output: &Output) -> Result<()> {
    // Of a run folder, its own settings are asked about, but for those that are given.
    let own = args.curve.join(names::CONFIG);
    let loaded = match own.is_file() {
        true => args.settings.load_over_file(&own)?,
        false => args.settings.load()?,
    };
    let config = &loaded.config;
    // Any number of sub-networks: the network's own number plays no part.
    registry::find::<PolicyKind>(&config.growth.policy)
        .and_then(|_| config.growth.check(&config.network.depth))
        .map_err(|error| loaded.locate(error))?;
    let replayed = replay(&config.rules(), read_evidence(&args.curve)?)?;
    output.result(&replayed, || {
        let rows = replayed.events.iter().map(|event| {
            let what = match event.kind {
                Kind::Grow => "grow",
                Kind::Stop => "stop",
                Kind::Keep => "keep",
                Kind::RollBack => "roll back",
                Kind::Restart => "begin anew",
                Kind::Cap => "cap",
                Kind::OutOfTime => "out of time",
            };
            let depth = event.depth.as_ref().map(ToString::to_string).unwrap_or_default();
            let subnet = match event.kind {
                Kind::Keep | Kind::RollBack | Kind::Restart => String::new(),
                _ => event.subnet.to_string(),
            };
            [event.epoch.to_string(), what.into(), subnet, depth]
        });
        let end = if replayed.finished {
            format!("found {}", replayed.found)
        } else {
            format!("not finished, {} so far", replayed.found)
        };
        let events = table(["epoch", "event", "sub-network", "depth"], rows.collect());
        format!("{events}\n{end} after {} growing epochs", replayed.growing_epochs)
    })
}

/// What the growing epochs of a run have shown, image by image, where `path` is its folder or its
/// `validation.bin`; else the accuracies of a CSV.
fn read_evidence(path: &Path) -> Result<Vec<Evidence>> {
    let file = if path.is_dir() { path.join(names::VALIDATION) } else { path.to_path_buf() };
    if file.file_name().is_none_or(|name| name != names::VALIDATION) {
        return Ok(read_curve(path)?.into_iter().map(Evidence::of_score).collect());
    }
    let bytes = std::fs::read(&file).map_err(|error| unreadable(&file, &error))?;
    let epochs = read_validation(&file, &bytes)?.into_iter();
    let growing = epochs.filter(|epoch| epoch.phase == Phase::Growing);
    Ok(growing.map(|epoch| epoch.evidence).collect())
}

/// The accuracies of a CSV, in percent: column `accuracy`, or `val_accuracy` of a run's growing
/// epochs.
fn read_curve(path: &Path) -> Result<Vec<f64>> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let header: Vec<_> = lines.next().map(|(_, line)| cells(line)).unwrap_or_default();
    let column = |name: &str| header.iter().position(|cell| cell.eq_ignore_ascii_case(name));
    let (Some(epoch), Some(accuracy)) =
        (column("epoch"), column("accuracy").or_else(|| column("val_accuracy")))
    else {
        return Err(Error::data(path, "line 1 does not name the columns `epoch` and `accuracy`")
            .with_hint("the first line is a header, such as `epoch,accuracy`"));
    };
    let phase = column("phase");
    let mut accuracies = Vec::new();
    let mut last = 0;
    for (index, line) in lines {
        let cells = cells(line);
        let wrong = |what: &str| Error::data(path, format!("line {}: {what}", index + 1));
        let number = |column: usize| cells.get(column).copied().unwrap_or_default();
        let this: usize =
            number(epoch).parse().map_err(|_| wrong("the epoch is not a whole number"))?;
        if this != last + 1 {
            return Err(wrong(&format!("epoch {this} follows epoch {last}"))
                .with_hint("epochs count from 1, none left out, none twice"));
        }
        last = this;
        let value = number(accuracy).parse().map_err(|_| wrong("the accuracy is not a number"))?;
        if phase.is_none_or(|phase| cells.get(phase) == Some(&"growing")) {
            accuracies.push(value);
        }
    }
    Ok(accuracies)
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_start_matches('\u{feff}')
        .split(',')
        .map(|cell| cell.trim().trim_matches('"'))
        .collect()
}
