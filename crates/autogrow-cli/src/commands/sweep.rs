//! `autogrow sweep`: what growth has to beat. Networks of fixed depths are trained from scratch, by
//! successive halving: all of them for some epochs, the better half for longer, until one is left.

use super::sized::sized;
use super::train::{self, Ended};
use super::{objective_of, open_data, open_device, resume};
use crate::args::{ResumeArgs, SweepArgs, TrainArgs};
use crate::output::{BOLD, Output, RESET, si, table};
use crate::run_folders::FOLDER;
use crate::settings::Settings;
use autogrow::config::Config;
use autogrow::growth::Depth;
use autogrow::network::{Blueprint, Size};
use autogrow::ranks::Ranks;
use autogrow::run::{RunFolder, publish};
use autogrow::training::Objective;
use autogrow::{Error, Job, Result};
use autogrow_run::names;
use autogrow_run::validation::read_validation;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Sub-modules of each sub-network, where no depths are named.
const LADDER: [usize; 6] = [1, 2, 3, 5, 8, 12];

/// A network of the sweep, and what it costs.
#[derive(Clone)]
struct Candidate {
    depth: Depth,
    macs: u64,
}

/// A network, trained.
#[derive(Serialize)]
struct Trained {
    depth: Depth,
    macs: u64,
    epochs: usize,
    /// Guiding scores of its best model, percent.
    validation_percent: f64,
    test_percent: f64,
    /// The validation score less what its cost asks for, by `growth.price`.
    worth: f64,
    run: PathBuf,
}

#[derive(Serialize)]
struct Report {
    schema: u32,
    price: f64,
    /// Multiply-accumulate operations of an image, times epochs, of all networks together.
    compute: u64,
    /// The networks of each round, the best one first.
    rounds: Vec<Vec<Trained>>,
}

struct Sweep<'a> {
    settings: &'a Settings,
    config: &'a Config,
    folder: &'a Path,
    output: &'a Output,
    /// What all of it may cost, where a run says so.
    compute: Option<u64>,
}

pub(crate) fn run(args: &SweepArgs, output: &Output) -> Result<()> {
    let settings = match &args.like {
        Some(run) => args.settings.or_file(run.join(names::CONFIG)),
        None => args.settings.clone(),
    };
    let loaded = settings.load()?;
    let config = loaded.resolve()?;
    let device = open_device(&config, &loaded)?;
    let data = open_data(&config)?;
    let config = sized(&loaded, config, &data)?;
    let ranks = Ranks::single();
    let seed = Job { config: &config, data: &data, device: &device, ranks: &ranks }.blueprint();
    let mut candidates = Vec::new();
    for depth in depths(args, &config.network.depth)? {
        let size = Size::of(Blueprint { depth: depth.clone(), ..seed.clone() }, &device)
            .map_err(|error| loaded.locate(error))?;
        if config.growth.allows(size.macs, size.parameters as u64) {
            candidates.push(Candidate { depth, macs: size.macs });
        }
    }
    if candidates.is_empty() {
        return Err(Error::config("--depths", "leave no network that may cost what it costs")
            .with_hint("a larger growth.max_macs or growth.max_parameters allows more"));
    }
    let stem = format!("{}-{}-sweep", config.data.name, config.network.name);
    let folder =
        args.folder.clone().unwrap_or_else(|| RunFolder::numbered(Path::new(FOLDER), &stem));
    let compute = args.like.as_deref().map(compute_of).transpose()?;
    let sweep = Sweep { settings: &settings, config: &config, folder: &folder, output, compute };
    let report = sweep.rounds(candidates)?;
    let path = folder.join("sweep.json");
    let json = serde_json::to_string_pretty(&report)
        .map_err(|error| Error::run(&path, error.to_string()))?;
    publish(&path, (json + "\n").as_bytes())?;
    let objective = objective_of(&config)?;
    output.result(&report, || text(&report, &*objective))
}

/// The depths to try.
fn depths(args: &SweepArgs, seed: &Depth) -> Result<Vec<Depth>> {
    if args.depths.is_empty() {
        let ladder = LADDER.into_iter().map(|depth| Depth::uniform(seed.sub_networks(), depth));
        return Ok(ladder.collect());
    }
    if let Some(other) =
        args.depths.iter().find(|depth| depth.sub_networks() != seed.sub_networks())
    {
        let problem = format!("= {other} has not as many sub-networks as {seed}");
        return Err(Error::config("--depths", problem)
            .with_hint("give a number for each sub-network of the network"));
    }
    Ok(args.depths.clone())
}

/// What a run has cost: the operations of an image, times epochs.
fn compute_of(run: &Path) -> Result<u64> {
    let path = run.join(names::VALIDATION);
    let bytes = std::fs::read(&path).map_err(|error| {
        Error::run(&path, format!("cannot be read ({error})"))
            .with_hint("--like takes the folder of a run")
    })?;
    Ok(read_validation(&path, &bytes)?.iter().map(|epoch| epoch.evidence.macs).sum())
}

impl Sweep<'_> {
    fn rounds(&self, mut candidates: Vec<Candidate>) -> Result<Report> {
        let cheapest = candidates.iter().map(|candidate| candidate.macs).min().unwrap_or(1);
        // Each halves what is left, and the last has one.
        let count = candidates.len().next_power_of_two().trailing_zeros() as usize + 1;
        let mut rounds = Vec::new();
        for round in 1..=count {
            let epochs = self.epochs(&candidates, count, round);
            let train = |candidate| self.trained(candidate, round, epochs, cheapest);
            let mut trained = candidates.iter().map(train).collect::<Result<Vec<_>>>()?;
            trained.sort_by(|one, other| other.worth.total_cmp(&one.worth));
            let better = &trained[..candidates.len().div_ceil(2)];
            candidates = better
                .iter()
                .map(|trained| Candidate { depth: trained.depth.clone(), macs: trained.macs })
                .collect();
            rounds.push(trained);
        }
        let all = rounds.iter().flatten();
        let compute = all.map(|trained| trained.macs * trained.epochs as u64).sum();
        Ok(Report { schema: 1, price: self.config.growth.price, compute, rounds })
    }

    /// Epochs of a round: N in the last one and half as many in each before it, or what an equal share
    /// of the compute is enough for.
    fn epochs(&self, candidates: &[Candidate], rounds: usize, round: usize) -> usize {
        let epochs = match self.compute {
            None => self.config.fine_tune.epochs >> (rounds - round),
            Some(compute) => {
                let an_epoch: u64 = candidates.iter().map(|candidate| candidate.macs).sum();
                (compute / rounds as u64 / an_epoch.max(1)) as usize
            }
        };
        epochs.max(1)
    }

    /// The network, trained from scratch where it is not yet.
    fn trained(
        &self,
        candidate: &Candidate,
        round: usize,
        epochs: usize,
        cheapest: u64,
    ) -> Result<Trained> {
        let Candidate { depth, macs } = candidate;
        let run = self.folder.join(format!("{round}-{depth}"));
        let (depth_text, epochs_text) = (depth.to_string(), epochs.to_string());
        let guide = format!("{:?}", self.config.growth.guide).to_lowercase();
        let settings = self.settings.decide(&[
            ("growth.policy", "none"),
            ("growth.guide", &guide),
            ("network.depth", &depth_text),
            ("fine_tune.epochs", &epochs_text),
            // All begin alike, whatever a run like this one began with.
            ("training.init_from", ""),
            ("training.stage_rates", "[]"),
        ]);
        self.output.note(&format!("round {round}, {depth}, {epochs} epochs:"));
        let ranks = &Ranks::single();
        let ended: Option<Ended> = match run.join(names::CONFIG).is_file() {
            true => {
                let args =
                    ResumeArgs { run: run.clone(), allow: Vec::new(), page: false, settings };
                resume::go_on(&args, self.output, ranks)?
            }
            false => {
                let args = TrainArgs { run: Some(run.clone()), page: false, settings };
                train::begin(&args, self.output, ranks)?
            }
        };
        let outcome = ended.ok_or_else(|| Error::run(&run, "has no result"))?.outcome;
        let doublings = (*macs as f64 / cheapest as f64).log2();
        Ok(Trained {
            depth: depth.clone(),
            macs: *macs,
            epochs,
            validation_percent: outcome.val_accuracy,
            test_percent: outcome.test_accuracy,
            worth: outcome.val_accuracy - self.config.growth.price * doublings,
            run,
        })
    }
}

fn text(report: &Report, objective: &dyn Objective) -> String {
    let row = |(round, trained): (usize, &Trained)| {
        [
            round.to_string(),
            trained.depth.to_string(),
            si(trained.macs),
            trained.epochs.to_string(),
            objective.score_text(trained.validation_percent),
            format!("{:.2}", trained.worth),
            objective.score_text(trained.test_percent),
        ]
    };
    let rounds = report.rounds.iter().zip(1..);
    let rows = rounds.flat_map(|(trained, round)| trained.iter().map(move |one| (round, one)));
    let header = ["round", "depth", "MACs", "epochs", "validation", "less its price", "test"];
    let rows = table(header, rows.map(row).collect());
    let Some(best) = report.rounds.last().and_then(|round| round.first()) else { return rows };
    format!(
        "{rows}\n{BOLD}{}{RESET} is left, at a price of {} points for a doubling of the cost: test \
         {BOLD}{}{RESET}\n  {} operations of an image times epochs in all\n  run folder {}",
        best.depth,
        report.price,
        objective.score_words(best.test_percent),
        si(report.compute),
        best.run.display()
    )
}
