//! `autogrow train`.

use super::{open_data, open_device};
use crate::args::TrainArgs;
use crate::output::{BOLD, Output, RESET, duration, si};
use crate::progress::Progress;
use autogrow_core::Result;
use autogrow_core::run::{Outcome, RunFolder, Watch};
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Report<'a> {
    run: &'a Path,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

pub(crate) fn run(args: &TrainArgs, output: &Output) -> Result<()> {
    let loaded = args.settings.load_or_quick()?;
    let config = loaded.resolve()?;
    let device = open_device(&config.run, &loaded)?;
    let data = open_data(&config)?;
    // Whatever the images rule out is told before a folder is made.
    autogrow_core::seed_network(&config, &data, &device).map_err(|error| loaded.locate(error))?;

    let path = args.run.clone().unwrap_or_else(|| {
        let stem = format!("{}-{}", config.data.name, config.network.name);
        RunFolder::numbered(&PathBuf::from("runs"), &stem)
    });
    let mut folder = RunFolder::create(&path, &config)?;
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
    let mut progress = Progress::new(*output);
    let mut watchers: Vec<&mut dyn Watch> = vec![&mut folder, &mut progress];
    let outcome = autogrow_core::autogrow(&config, &data, &device, &mut watchers)
        .map_err(|error| loaded.locate(error))?;
    drop(progress);
    folder.finish(&outcome)?;
    output.result(&Report { run: &path, outcome: &outcome }, || text(&outcome, &path))
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
        "\n{BOLD}found {} {}{RESET} for {}: test accuracy {BOLD}{:.2} %{RESET} (validation {:.2} %)\n  \
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
