//! `autogrow train`, and what it shares with `resume`.

use super::{open_data, open_device};
use crate::args::TrainArgs;
use crate::output::{BOLD, Output, RESET, duration, si};
use crate::progress::Progress;
use crate::reporter::Reporter;
use crate::settings::Loaded;
use crate::signals::Signals;
use autogrow_core::Result;
use autogrow_core::config::Config;
use autogrow_core::data::DataSet;
use autogrow_core::network::{Blueprint, ModelInfo};
use autogrow_core::run::{Checkpoint, Outcome, RunFolder, Watch, publish};
use autogrow_export::{Facts, card};
use burn::tensor::Device;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Report<'a> {
    run: &'a Path,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

/// What a run needs beside its folder.
pub(super) struct Setup<'a> {
    pub(super) config: &'a Config,
    pub(super) data: &'a DataSet,
    pub(super) device: &'a Device,
    pub(super) loaded: &'a Loaded,
}

pub(crate) fn run(args: &TrainArgs, output: &Output) -> Result<()> {
    let loaded = args.settings.load_or_quick()?;
    let config = loaded.resolve()?;
    let device = open_device(&config, &loaded)?;
    let data = open_data(&config)?;
    // Whatever the images rule out is told before a folder is made.
    autogrow_core::seed_network(&config, &data, &device).map_err(|error| loaded.locate(error))?;

    let path = args.run.clone().unwrap_or_else(|| {
        let stem = format!("{}-{}", config.data.name, config.network.name);
        RunFolder::numbered(&PathBuf::from("runs"), &stem)
    });
    let folder = RunFolder::create(&path, &config)?.of_data(&config, &data);
    if loaded.quick {
        output.note("quick settings; `autogrow config --quick` shows them, --set changes them");
    }
    output.note(&format!(
        "{} training, {} validation, {} test images; run folder {}",
        data.train.len(),
        data.validation.len(),
        data.test.len(),
        path.display()
    ));
    let setup = Setup { config: &config, data: &data, device: &device, loaded: &loaded };
    go(&setup, folder, None, output)
}

/// Runs to the end, from a checkpoint where there is one, and reports.
pub(super) fn go(
    setup: &Setup<'_>,
    mut folder: RunFolder,
    checkpoint: Option<Checkpoint>,
    output: &Output,
) -> Result<()> {
    let path = folder.path().to_path_buf();
    let mut signals = Signals::listen(path.clone());
    let mut progress = Progress::new(*output);
    let mut reporter = Reporter::new(path.clone(), *output);
    // The reporter reads what the folder has written, so it comes after it.
    let mut watchers: Vec<&mut dyn Watch> =
        vec![&mut folder, &mut progress, &mut signals, &mut reporter];
    let Setup { config, data, device, loaded } = setup;
    let outcome = autogrow_core::autogrow(config, data, device, &mut watchers, checkpoint)
        .map_err(|error| loaded.locate(error));
    drop(progress);
    let outcome = outcome.and_then(|outcome| {
        write_card(setup, &path, &outcome)?;
        folder.finish(&outcome).map(|()| outcome)
    });
    // However the run ended: the last page says so, once nobody holds the folder.
    drop(folder);
    reporter.write();
    report(&outcome?, &path, output)
}

/// Writes the model card. Before the result, so that a finished run has one.
fn write_card(setup: &Setup<'_>, path: &Path, outcome: &Outcome) -> Result<()> {
    let Setup { config, data, .. } = setup;
    let (image, classes) = (data.image, data.classes.len());
    let seed = Blueprint::seed(&config.network, config.compat, image, classes);
    let architecture = Blueprint { depth: outcome.found.clone(), ..seed };
    let info = ModelInfo::new(architecture, &config.data.name, data);
    let (parameters, macs) = (outcome.parameters, outcome.macs);
    let (file, run) = ("model.safetensors", Some((*config, outcome)));
    let facts = Facts { info: &info, parameters, macs, file, run };
    publish(&path.join("README.md"), card(&facts).as_bytes())
}

/// Prints what a run came to.
pub(super) fn report(outcome: &Outcome, path: &Path, output: &Output) -> Result<()> {
    output.result(&Report { run: path, outcome }, || text(outcome, path))
}

fn text(outcome: &Outcome, path: &Path) -> String {
    let floor = match (&outcome.floor, outcome.at_floor) {
        (Some(floor), true) => format!(
            "\n  the depth floor is {floor}: growth stopped as early as it could, so a shallower\n  \
             net may do as well; a smaller growth.patience lowers the floor"
        ),
        _ => String::new(),
    };
    format!(
        "\n{BOLD}found {} {}{RESET} for {}: test accuracy {BOLD}{:.2} %{RESET} \
         (validation {:.2} %)\n  \
         {} parameters, {} MACs an image\n  \
         growing {} epochs, {}; fine-tuning {} epochs, {}{floor}\n  \
         run folder {}",
        outcome.network,
        outcome.found,
        outcome.data,
        outcome.test_accuracy,
        outcome.val_accuracy,
        si(outcome.parameters as u64),
        si(outcome.macs),
        outcome.growing_epochs,
        duration(outcome.growing_seconds),
        outcome.fine_tuning_epochs,
        duration(outcome.fine_tuning_seconds),
        path.display()
    )
}
