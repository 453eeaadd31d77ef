//! `autogrow cooldown`: what a growing network would be worth now. A branch of its run that grows no
//! further and anneals, while the run goes on.

use super::train::Ended;
use super::{objective_of, open_data, open_device, resume};
use crate::args::{CooldownArgs, ResumeArgs};
use crate::output::{BOLD, Output, RESET};
use crate::settings::Settings;
use autogrow::growth::Depth;
use autogrow::ranks::Ranks;
use autogrow::run::{Origin, Outcome, Past, RunFolder, publish, read, validation};
use autogrow::training::Objective;
use autogrow::{Error, Job, Result};
use autogrow_run::names;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// In the branch's folder: where it comes from.
const BRANCH: &str = "branch.json";

/// Where a branch comes from.
#[derive(PartialEq, Serialize, Deserialize)]
struct Branch {
    /// The epoch that it began after.
    epoch: usize,
    /// How many it anneals for.
    epochs: usize,
    /// Of the run.
    origin: Origin,
}

/// A branch at its end.
#[derive(Serialize)]
struct Cooled {
    /// The epoch that it began after.
    at: usize,
    /// Guiding score of the network there, percent; none where the run is older than `validation.bin`.
    before_percent: Option<f64>,
    #[serde(flatten)]
    ended: Ended,
}

pub(crate) fn run(args: &CooldownArgs, output: &Output) -> Result<()> {
    let (run, epochs) = (&args.run, args.epochs.get());
    let past = Past::of(run, args.at)?;
    let at = past.epoch;
    let folder = args.out.clone().unwrap_or_else(|| run.join(format!("cooldown-{at}")));
    let loaded = Settings::from(&args.settings).load_over_file(&run.join(names::CONFIG))?;
    let config = loaded.resolve()?;
    let branch = Branch { epoch: at, epochs, origin: past.origin.clone() };
    if folder.join(names::CONFIG).is_file() {
        refuse_another(&folder, &branch)?;
    } else {
        let (device, data) = (&open_device(&config, &loaded)?, &open_data(&config)?);
        let job = Job { config: &config, data, device, ranks: &Ranks::single() };
        let (config, checkpoint) = autogrow::cooldown(job, past, epochs)?;
        RunFolder::branch(&folder, &config, &checkpoint)?;
        let branch =
            serde_json::to_vec(&branch).map_err(|error| Error::run(&folder, error.to_string()))?;
        publish(&folder.join(BRANCH), &branch)?;
    }
    let branch =
        ResumeArgs { run: folder, allow: Vec::new(), page: false, settings: Default::default() };
    let ended = resume::go_on(&branch, output, &Ranks::single())?;
    let ended = ended.ok_or_else(|| Error::run(run, "has no result"))?;
    let before_percent = score_of(&ended.outcome.found, run, at)?;
    let cooled = Cooled { at, before_percent, ended };
    let objective = objective_of(&config)?;
    output.result(&cooled, || text(&cooled, run, &*objective))
}

/// Refuses a folder that holds another run than this branch.
fn refuse_another(folder: &Path, branch: &Branch) -> Result<()> {
    let file = folder.join(BRANCH);
    let own = file.is_file().then(|| read(&file)).transpose()?;
    let own: Option<Branch> = own.and_then(|own| serde_json::from_slice(&own).ok());
    let problem = match own {
        Some(own) if own == *branch => return Ok(()),
        Some(Branch { epoch, epochs, .. }) if epoch != branch.epoch || epochs != branch.epochs => {
            format!("holds a branch after epoch {epoch}, of {epochs} epochs")
        }
        _ => "holds another run".into(),
    };
    Err(Error::run(folder, problem).with_hint("name another folder behind RUN"))
}

/// The guiding score that a network of this depth had last in the first `epochs` epochs of a run; what growth
/// went back to is older than the last of them.
fn score_of(depth: &Depth, run: &Path, epochs: usize) -> Result<Option<f64>> {
    let path = run.join(names::VALIDATION);
    if !path.exists() {
        return Ok(None);
    }
    // The run may be writing the last one.
    let (judged, _) = validation::whole_epochs(&read(&path)?);
    let own = judged.into_iter().filter(|one| one.epoch <= epochs && one.depth == *depth);
    Ok(own.last().map(|one| one.evidence.score))
}

fn text(cooled: &Cooled, run: &Path, objective: &dyn Objective) -> String {
    let Cooled { at, before_percent, ended } = cooled;
    let Outcome { found, val_accuracy, test_accuracy, fine_tuning_epochs, .. } = &ended.outcome;
    let score = |percent| objective.score_text(percent);
    let before =
        before_percent.map_or(String::new(), |before| format!("{} before, ", score(before)));
    format!(
        "\n{BOLD}{found}{RESET} after epoch {at} of {}, annealed for {fine_tuning_epochs} epochs: test \
         {BOLD}{}{RESET}\n  validation {before}{} now\n  run folder {}",
        run.display(),
        objective.score_words(*test_accuracy),
        score(*val_accuracy),
        ended.run.display()
    )
}
