//! `autogrow train`, and what it shares with `resume`.

use super::no_better::{baselines_of, no_better};
use super::sized::sized;
use super::{
    evaluate, listing, macs_of_one, objective_of, open_data, open_device_of, plan, samples_of,
};
use crate::args::TrainArgs;
use crate::live_page::LivePage;
use crate::output::{BOLD, Output, RESET, YELLOW, duration, si};
use crate::progress::Progress;
use crate::reporter::Reporter;
use crate::run_folders::FOLDER;
use crate::settings::Loaded;
use crate::signals::Signals;
use crate::suited::RECIPE;
use autogrow::config::{Config, SelectOn};
use autogrow::data::{Baselines, DataSet};
use autogrow::network::Blueprint;
use autogrow::ranks::Ranks;
use autogrow::run::{Checkpoint, Outcome, RunFolder, Watch, publish};
use autogrow::training::Objective;
use autogrow::{Error, Job, Resolved, Result};
use autogrow_export::{Facts, card};
use burn::tensor::Device;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A run at its end.
#[derive(Serialize)]
pub(super) struct Ended {
    pub(super) run: PathBuf,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
    #[serde(skip)]
    config: Config,
}

impl Ended {
    pub(super) fn new(run: &Path, outcome: Outcome, config: &Config) -> Self {
        Self { run: run.into(), outcome, config: config.clone() }
    }
}

/// What a run needs beside its folder, and where that is.
pub(super) struct Setup<'a> {
    pub(super) job: Job<'a>,
    pub(super) loaded: &'a Loaded,
    pub(super) path: &'a Path,
    /// Whether its page is shown to browsers.
    pub(super) page: bool,
}

pub(crate) fn run(args: &TrainArgs, output: &Output, ranks: &Ranks) -> Result<()> {
    report(begin(args, output, ranks)?, output)
}

/// Begins a run and brings it to its end.
pub(super) fn begin(args: &TrainArgs, output: &Output, ranks: &Ranks) -> Result<Option<Ended>> {
    let (loaded, config, device, data) = ranks.agree(prepare(args, ranks))?;
    let (parent, stem) = (FOLDER.as_ref(), format!("{}-{}", config.data.name, config.network.name));
    let path = match &args.run {
        Some(run) => Ok(run.clone()),
        None if ranks.is_first() => RunFolder::claim(parent, &stem),
        None => Ok(RunFolder::numbered(parent, &stem)),
    };
    let path = ranks.agree(path)?;
    if config.data.name == "folder" {
        refuse_among_pictures(&path, &config.data.dir)?;
    }
    // The first rank alone has a folder.
    let folder = ranks.is_first().then(|| RunFolder::create(&path, &config)).transpose();
    let job = Job { config: &config, data: &data, device: &device, ranks };
    let folder = ranks.agree(folder)?.map(|folder| folder.with_info(job.model_info()));
    let is_listed = ranks.is_first() && config.data.name == "folder";
    ranks.agree(is_listed.then(|| listing::keep(&data, &path)).transpose())?;
    output.note(&format!(
        "preset {}, policy {}; `autogrow config` shows all settings, --set changes them",
        config.preset.name(),
        config.growth.policy
    ));
    if let Some(unusual) = unusual(&loaded, &config) {
        output.note(&unusual);
    }
    output.note(&format!(
        "{} training, {} validation, {} test {}; run folder {}",
        data.train.len(),
        data.validation.len(),
        data.test.len(),
        samples_of(data.table.is_some()),
        path.display()
    ));
    if let Some(few) = few(&config, data.validation.len()).filter(|_| ranks.is_first()) {
        tracing::warn!("{few}");
    }
    if let Some(note) = loaded.note.as_ref().filter(|_| ranks.is_first()) {
        output.note(note);
        if !ranks.are_several() && !output.quiet {
            output.note(&plan::time(&plan::plan(&config, &data, &device)?));
        }
    }
    let setup = Setup { job, loaded: &loaded, path: &path, page: args.page };
    go(&setup, folder, None, output)
}

/// Validation images below which half a point cannot be told from nothing, with room to spare: one image
/// of them is half a point.
const FEW: usize = 200;

/// That the images are too few to judge growth by, where they are.
fn few(config: &Resolved, images: usize) -> Option<String> {
    (config.growth.policy == "worth" && images < FEW).then(|| {
        format!(
            "{images} validation images are too few to see a gain of {} points: the network stays \
             shallow unless a growth brings very much",
            config.growth.price
        )
    })
}

/// Refuses a run among the pictures that it is trained on: its folders would be classes.
fn refuse_among_pictures(run: &Path, pictures: &Path) -> Result<()> {
    let Ok(pictures) = pictures.canonicalize() else { return Ok(()) };
    let absolute = std::path::absolute(run).unwrap_or_else(|_| run.into());
    let there = absolute.ancestors().find_map(|place| place.canonicalize().ok());
    if there.is_some_and(|place| place.starts_with(&pictures)) {
        let problem =
            format!("= {} lies among the pictures in {}", run.display(), pictures.display());
        return Err(Error::config("RUN", problem).with_hint("name a folder elsewhere"));
    }
    Ok(())
}

/// What is trained with that nobody has chosen and that is not the preset's, where there is any.
fn unusual(loaded: &Loaded, config: &Resolved) -> Option<String> {
    let training = &config.training;
    let mut told = Vec::new();
    if loaded.source("training.optimizer").starts_with(RECIPE) {
        let (optimizer, rate) = (&training.optimizer, training.learning_rate);
        told.push(format!("{optimizer} at {rate}, the recipe of {}", config.network.name));
    }
    let Config { training: usual, fine_tune, .. } = &loaded.config;
    let mut few = Vec::new();
    if training.batch_size != usual.batch_size {
        few.push(format!("batches of {}", training.batch_size));
    }
    if config.fine_tune.epochs != fine_tune.epochs {
        few.push(format!("{} epochs of fine-tuning", config.fine_tune.epochs));
    }
    if training.weight_decay != usual.weight_decay {
        few.push(format!("a weight decay of {:.3}", training.weight_decay));
    }
    if !few.is_empty() {
        let samples = samples_of(config.data.name == "csv");
        told.push(format!("{}, as there are few {samples}", few.join(", ")));
    }
    (!told.is_empty()).then(|| format!("trained with {}", told.join("; ")))
}

/// What each rank opens for itself.
fn prepare(args: &TrainArgs, ranks: &Ranks) -> Result<(Loaded, Resolved, Device, DataSet)> {
    let loaded = args.settings.load_or_quick()?;
    let config = loaded.resolve()?;
    ranks.set_patience(Duration::from_secs_f64(config.run.patience));
    let device = open_device_of(ranks.rank(), &config, &loaded)?;
    let data = open_data(&config)?;
    let config = sized(&loaded, config, &data)?;
    // Whatever the images rule out is told before a folder is made.
    let job = Job { config: &config, data: &data, device: &device, ranks };
    job.seed_network(&device).map_err(|error| loaded.locate(error))?;
    Ok((loaded, config, device, data))
}

/// Runs to the end, from a checkpoint where there is one. Ranks without a folder
/// compute and listen for signals, nothing else, and come to nothing.
pub(super) fn go(
    setup: &Setup<'_>,
    mut folder: Option<RunFolder>,
    checkpoint: Option<Checkpoint>,
    output: &Output,
) -> Result<Option<Ended>> {
    let Setup { job, loaded, path, page } = setup;
    let page = (*page && folder.is_some()).then(|| LivePage::serve(path)).transpose()?;
    if let Some(page) = &page {
        output.note(&format!("page {}", page.address()));
    }
    let mut signals = Signals::listen(path.to_path_buf());
    let mut progress = Progress::new(*output, job.objective()?);
    let mut reporter = Reporter::new(path.to_path_buf(), *output);
    // The reporter reads what the folder has written, so it comes after it.
    let mut watchers: Vec<&mut dyn Watch> = match &mut folder {
        Some(folder) => vec![folder, &mut progress, &mut signals, &mut reporter],
        None => vec![&mut signals],
    };
    let outcome = autogrow::autogrow(*job, &mut watchers, checkpoint)
        .map(|found| found.outcome)
        .map_err(|error| loaded.locate(error));
    drop(progress);
    let Some(mut folder) = folder else { return outcome.map(|_| None) };
    let outcome = outcome.and_then(|outcome| {
        // Before the result, so that a finished run has all that its folder is to have.
        let baselines = evaluate::keep(path, job.data, job.device)?;
        write_card(job, path, &outcome, &baselines)?;
        folder.finish(&outcome).map(|()| outcome)
    });
    // However the run ended: the last page says so, once nobody holds the folder.
    drop(folder);
    reporter.write();
    if let Some(page) = page {
        page.finish();
    }
    Ok(Some(Ended::new(path, outcome?, job.config)))
}

/// Writes the model card.
fn write_card(job: &Job<'_>, path: &Path, outcome: &Outcome, baselines: &Baselines) -> Result<()> {
    let info = job.model_info().of(Blueprint { depth: outcome.found.clone(), ..job.blueprint() });
    let (parameters, macs) = (outcome.parameters, outcome.macs);
    let (file, format) = ("model.safetensors", "safetensors");
    let run = Some((job.config.config(), outcome));
    let baselines = Some(baselines);
    let facts = Facts { info: &info, parameters, macs, file, format, run, baselines };
    publish(&path.join("README.md"), card(&facts).as_bytes())
}

/// Prints what a run came to.
pub(super) fn report(ended: Option<Ended>, output: &Output) -> Result<()> {
    let Some(ended) = ended else { return Ok(()) };
    let objective = objective_of(&ended.config)?;
    output.result(&ended, || text(&ended, &*objective))
}

fn text(Ended { run, outcome, config }: &Ended, objective: &dyn Objective) -> String {
    let floor = match (&outcome.floor, outcome.at_floor) {
        (Some(floor), true) => {
            // The convergent policy looks back K epochs, the periodic one J.
            let key = match config.growth.policy.as_str() {
                "periodic" => "; a smaller growth.patience lowers the floor",
                _ => "",
            };
            format!(
                "\n  the depth floor is {floor}: growth stopped as early as it could, so a shallower\n  \
                 net may do as well{key}"
            )
        }
        _ => String::new(),
    };
    let peak = outcome.peak.as_ref().map_or(String::new(), |peak| {
        format!(
            "\n  better while growing: {} after epoch {}, {} of those images; it is in peak.safetensors",
            peak.depth,
            peak.epoch,
            objective.score_text(peak.val_accuracy)
        )
    });
    let baselines = baselines_of(run);
    let score = outcome.test_accuracy;
    let nothing = baselines.and_then(|baselines| no_better(score, &baselines, objective));
    let nothing =
        nothing.map_or_else(String::new, |nothing| format!("\n  {YELLOW}{nothing}{RESET}"));
    let guide = match config.data.select_on {
        SelectOn::Val => format!("validation {}", objective.score_text(outcome.val_accuracy)),
        SelectOn::Test => "the test images guided it".into(),
    };
    format!(
        "\n{BOLD}found {} {}{RESET} for {}: test {BOLD}{}{RESET} \
         ({guide}){nothing}\n  \
         {} parameters, {} {}\n  \
         growing {} epochs, {}; fine-tuning {} epochs, {}{floor}{peak}\n  \
         run folder {}",
        outcome.network,
        outcome.found,
        outcome.data,
        objective.score_words(outcome.test_accuracy),
        si(outcome.parameters as u64),
        si(outcome.macs),
        macs_of_one(config.data.name == "csv"),
        outcome.growing_epochs,
        duration(outcome.growing_seconds),
        outcome.fine_tuning_epochs,
        duration(outcome.fine_tuning_seconds),
        run.display()
    )
}
