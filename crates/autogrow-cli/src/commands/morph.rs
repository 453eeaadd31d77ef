//! `autogrow morph`: Network Morphism, which the paper sets AutoGrow against (section 3.2, Table 2): a
//! shallow net is trained to its end, all its sub-networks are deepened, and it is trained on.

use super::objective_of;
use super::resume;
use super::train::{self, Ended};
use crate::args::{MorphArgs, ResumeArgs, TrainArgs};
use crate::output::{BOLD, Output, RESET, duration};
use autogrow::config::Config;
use autogrow::growth::Depth;
use autogrow::ranks::Ranks;
use autogrow::run::RunFolder;
use autogrow::training::Objective;
use autogrow::{Error, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The step size while nothing but the depth is to change.
const STANDSTILL: &str = "1e-9";

#[derive(Serialize)]
struct Report {
    run: PathBuf,
    network: String,
    from: Depth,
    to: Depth,
    initializer: String,
    shallow: Ended,
    deep: Ended,
}

/// What all stages share.
struct Stages<'a> {
    args: &'a MorphArgs,
    output: &'a Output,
    ranks: &'a Ranks,
    folder: PathBuf,
}

pub(crate) fn run(args: &MorphArgs, output: &Output, ranks: &Ranks) -> Result<()> {
    // As the shallow net is trained; how the next one grows is decided below.
    let config = args.settings.decide(&[("growth.policy", "none")]).load()?.resolve()?;
    let (from, to) = (config.network.depth.clone(), deeper(&args.to, &config)?);
    let stem = format!("{}-{}-morph", config.data.name, config.network.name);
    let folder = args.run.clone().unwrap_or_else(|| RunFolder::numbered(Path::new("runs"), &stem));
    // Kept in the configurations of the stages, which may be resumed from anywhere.
    let folder = std::path::absolute(&folder)
        .map_err(|error| Error::run(&folder, format!("has no absolute path ({error})")))?;
    // By the time another rank looks, the first may have made the folder of that number.
    let folder = ranks.broadcast(folder.to_string_lossy().into_owned().into_bytes())?;
    let folder = PathBuf::from(String::from_utf8_lossy(&folder).into_owned());
    let stages = Stages { args, output, ranks, folder };
    let trained = stages.run(&to).inspect_err(|error| {
        if let Error::Interrupted { .. } = error {
            output.note("`autogrow morph` with the same options goes on with all of it");
        }
    })?;
    let Some((shallow, deep)) = trained else { return Ok(()) };
    let (network, initializer) = (config.network.name.clone(), config.growth.initializer.clone());
    let run = stages.folder;
    let report = Report { run, network, from, to, initializer, shallow, deep };
    let objective = objective_of(&config)?;
    output.result(&report, || text(&report, &*objective))
}

/// The depth `text`, which has to be at least that of the shallow net everywhere, and no more where that is
/// frozen.
fn deeper(text: &str, config: &Config) -> Result<Depth> {
    let from = &config.network.depth;
    let to: Depth = text.parse().map_err(|error: String| Error::config("--to", error))?;
    if to.clone().with_first_of(from, config.training.frozen_sub_networks()) != to {
        let problem = format!("= {to} deepens a sub-network that training.stage_rates freezes");
        return Err(Error::config("--to", problem)
            .with_hint("what is frozen stays as deep as --depth says"));
    }
    let pairs = to.as_slice().iter().zip(from.as_slice());
    if to.sub_networks() == from.sub_networks() && to != *from && pairs.clone().all(|(a, b)| a >= b)
    {
        return Ok(to);
    }
    Err(Error::config("--to", format!("= {to} is not deeper than {from}"))
        .with_hint("--depth is the shallow net, --to the deep one, with as many sub-networks"))
}

impl Stages<'_> {
    /// The shallow and the deep net, trained; the first rank has them.
    fn run(&self, to: &Depth) -> Result<Option<(Ended, Ended)>> {
        let to_text = to.to_string();
        let shallow = self.stage("shallow", &[("growth.policy", "none")])?;
        // The depth allowed ends it, long before patience would.
        let patience = (10 * to.sub_modules()).to_string();
        self.stage(
            "deepening",
            &[
                ("growth.policy", "periodic"),
                ("growth.mode", "all"),
                ("growth.interval", "1"),
                ("growth.patience", &patience),
                ("growth.max_depth", &to_text),
                ("training.learning_rate", STANDSTILL),
                ("training.schedule", "constant"),
                ("training.init_from", &self.model("shallow")),
                ("fine_tune.epochs", "0"),
            ],
        )?;
        let deep = self.stage(
            "deep",
            &[
                ("growth.policy", "none"),
                ("network.depth", &to_text),
                ("training.init_from", &self.model("deepening")),
            ],
        )?;
        Ok(shallow.zip(deep))
    }

    fn model(&self, stage: &str) -> String {
        self.folder.join(stage).join("model.safetensors").display().to_string()
    }

    /// Brings a stage to its end, from wherever it is.
    fn stage(&self, name: &str, keys: &[(&'static str, &str)]) -> Result<Option<Ended>> {
        let Self { output, ranks, .. } = self;
        let (run, settings) = (self.folder.join(name), self.args.settings.decide(keys));
        let is_begun = ranks.is_first() && run.join("config.toml").is_file();
        let [begun] = ranks.sums([f64::from(u8::from(is_begun))])?;
        if begun > 0.0 {
            let args = ResumeArgs { run, allow: Vec::new(), page: false, settings };
            return resume::go_on(&args, output, ranks);
        }
        output.note(&format!("{name}:"));
        train::begin(&TrainArgs { run: Some(run), page: false, settings }, output, ranks)
    }
}

fn text(report: &Report, objective: &dyn Objective) -> String {
    let Report { run, network, from, to, initializer, shallow, deep } = report;
    let (shallow, deep) = (&shallow.outcome, &deep.outcome);
    let stage = |depth: &Depth, outcome: &autogrow::run::Outcome| {
        format!(
            "{BOLD}{depth}{RESET}  test {BOLD}{}{RESET} (validation {}) after {} epochs, {}",
            objective.score_words(outcome.test_accuracy),
            objective.score_text(outcome.val_accuracy),
            outcome.fine_tuning_epochs,
            duration(outcome.fine_tuning_seconds),
        )
    };
    format!(
        "\n{network}, deepened by `{initializer}` once it was trained\n  {}\n  {}\n  \
         run folders {}/shallow, deepening, deep",
        stage(from, shallow),
        stage(to, deep),
        run.display()
    )
}
