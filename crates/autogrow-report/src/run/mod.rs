//! A run as its folder tells it: finished, running, interrupted, or damaged. Whatever is whole is
//! read; what is damaged is left out, and [`Run::damage`] says so.

mod cost;
mod evaluation;
mod files;
mod journal;
mod measures;
mod metrics;
mod settings;
pub(crate) mod start;

pub use evaluation::{Bin, Class, Evaluation, Mistake};
pub use measures::{Measures, Table};
pub use settings::Settings;

use crate::Words;
use autogrow_base::{Result, registry};
use autogrow_growth::{Depth, Evidence, Policy, PolicyKind};
use autogrow_run::certificate::Certificate;
use autogrow_run::{Config, EpochRecord, Event, Outcome, is_locked, names};
use files::Folder;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Most sub-networks that are drawn; the paper's nets have four.
pub(crate) const MOST_SUB_NETWORKS: usize = 64;

/// One epoch. What was not finite in training is NaN or infinite here.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// From 1.
    pub number: usize,
    /// The network that was trained.
    pub depth: Depth,
    /// Its numbers. Those of validation are on the images that guide the run ([`Words::guide`]).
    pub record: EpochRecord,
    /// Time since the run started, at its end.
    pub elapsed: f64,
}

/// The architecture, as far as a page shows it: `network.json`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Architecture {
    /// Sub-modules of each sub-network.
    pub depth: Depth,
    /// Channels, height, width.
    pub image: [u64; 3],
    /// Number of outputs.
    pub classes: u64,
}

/// What a checkpoint says of where a run comes from.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// Hash of the data.
    pub data: String,
    /// The crate that each named thing comes from.
    pub plugins: BTreeMap<String, String>,
}

/// Whether a run is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has a result.
    Finished,
    /// A process is training.
    Training,
    /// It has no result and is not running.
    Interrupted,
}

/// Everything a report tells of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its folder.
    pub path: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// Every key of the file with the configuration, those that this program does not know included.
    pub settings: Settings,
    /// Its epochs in order, each number once.
    pub epochs: Vec<Epoch>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Its result.
    pub outcome: Option<Outcome>,
    /// The network now.
    pub architecture: Option<Architecture>,
    /// The best model class by class.
    pub evaluation: Option<Evaluation>,
    /// The best model in numbers, where it does not tell classes apart.
    pub measures: Option<Measures>,
    /// What each epoch, by its number, has shown of the images that guide the run; as far as
    /// `validation.bin` tells.
    pub evidence: BTreeMap<usize, Evidence>,
    /// What its depth is worth, once `autogrow certify` has asked.
    pub certificate: Option<Certificate>,
    /// Where its data and plugins come from.
    pub origin: Option<Origin>,
    /// Whether it is running.
    pub status: Status,
    /// When it started, whole seconds since 1970; 0 where that is not known.
    pub started: f64,
    /// What is damaged and was left out, in words.
    pub damage: Vec<String>,
}

impl Run {
    /// Reads a run folder.
    ///
    /// # Errors
    /// [`autogrow_base::Error::Run`] without a `config.toml` or where that is no TOML, and for any
    /// file that cannot be read or is larger than a run makes it.
    pub fn read(path: &Path) -> Result<Self> {
        let mut folder = Folder::of(path);
        let table = folder.configuration()?;
        let (config, mut damage) = settings::typed(&table);
        let journal = folder.text(names::JOURNAL)?.unwrap_or_default();
        let (events, damaged) = journal::read(&journal);
        damage.extend(damaged);
        let metrics = folder.text(names::METRICS)?.unwrap_or_default();
        let (rows, damaged) = metrics::read(&metrics);
        damage.extend(damaged);
        let outcome: Option<Outcome> = folder.json(names::RESULT)?;
        let found = outcome.as_ref().map(|outcome| &outcome.found);
        let (evaluation, measures) = folder.evaluation(found)?;
        let status = match outcome {
            Some(_) => Status::Finished,
            None if is_locked(path) => Status::Training,
            None => Status::Interrupted,
        };
        let architecture = folder.json(names::NETWORK)?;
        let origin = folder.origin()?;
        let evidence = folder.evidence()?;
        let certificate = folder.json(names::CERTIFICATE)?;
        damage.extend(folder.damage);
        Ok(Self {
            config,
            settings: Settings::of(&table),
            epochs: merge(rows, &events),
            outcome,
            architecture,
            evaluation,
            measures,
            evidence,
            certificate,
            origin,
            status,
            started: start::of(path),
            events,
            damage,
            path: path.into(),
        })
    }

    /// The folder's own name.
    pub fn name(&self) -> String {
        let full = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        full.file_name().unwrap_or(full.as_os_str()).to_string_lossy().into_owned()
    }

    /// The name of the seed network.
    pub fn network(&self) -> &str {
        &self.config.network.name
    }

    /// The name of the data set.
    pub fn data(&self) -> &str {
        &self.config.data.name
    }

    /// What its scores are called.
    pub fn words(&self) -> Words {
        let objective = self.settings.text("training.objective");
        Words::of(objective.as_deref(), self.config.data.select_on)
    }

    /// The policy that decides, where it is linked and takes these settings.
    pub fn policy(&self) -> Option<Box<dyn Policy>> {
        let kind = registry::find::<PolicyKind>(&self.config.growth.policy).ok()?;
        (kind.build)(&self.config.growth, &self.config.plugin).ok()
    }

    /// Whether its policy lets the network grow at all.
    pub fn grows(&self) -> bool {
        self.policy().is_none_or(|policy| policy.grows())
    }

    /// The depth that was found, or that is trained now.
    pub fn depth(&self) -> Option<&Depth> {
        let grown = self.events.iter().rev().find_map(|event| match event {
            Event::Grew { depth, .. }
            | Event::RolledBack { depth, .. }
            | Event::Restarted { depth, .. }
            | Event::Started { depth, .. } => Some(depth),
            _ => None,
        });
        self.outcome
            .as_ref()
            .map(|outcome| &outcome.found)
            .or(grown)
            .or(self.epochs.last().map(|epoch| &epoch.depth))
            .or(self.architecture.as_ref().map(|architecture| &architecture.depth))
    }

    /// The shallowest depth that the configuration can return, where its policy has one.
    pub fn floor(&self) -> Option<&Depth> {
        let told = self.events.iter().find_map(|event| match event {
            Event::Started { floor, .. } => floor.as_ref(),
            _ => None,
        });
        let floor = self.outcome.as_ref().and_then(|outcome| outcome.floor.as_ref()).or(told)?;
        self.policy().is_none_or(|policy| policy.has_floor()).then_some(floor)
    }
}

/// The rows of `metrics.csv`, with those that the journal alone has, each number once: the journal
/// knows the time since the start as well, so its word counts.
fn merge(rows: Vec<Epoch>, events: &[Event]) -> Vec<Epoch> {
    let by_number = |epoch: Epoch| (epoch.number, epoch);
    let mut epochs: BTreeMap<usize, Epoch> = rows.into_iter().map(by_number).collect();
    epochs.extend(journal::epochs(events).map(by_number));
    let mut elapsed = 0.0;
    let mut epochs: Vec<Epoch> = epochs.into_values().collect();
    for epoch in &mut epochs {
        if !epoch.elapsed.is_finite() {
            let seconds = epoch.record.epoch_seconds;
            epoch.elapsed = elapsed + if seconds.is_finite() { seconds } else { 0.0 };
        }
        elapsed = epoch.elapsed;
    }
    epochs
}
