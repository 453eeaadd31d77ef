//! A run as its folder tells it: finished, still going on, interrupted, or damaged. Whatever is
//! whole is read; what is damaged is left out, and [`Run::damage`] says so.

mod depth;
mod evaluation;
mod guide;
mod journal;
mod metrics;
mod number;
mod settings;
pub(crate) mod start;

pub use depth::Depth;
pub use evaluation::{Bin, Evaluation, Mistake};
pub use guide::Guide;
pub use journal::{Event, Metrics};
pub use settings::Settings;

use crate::{Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The most that is read of a file, bytes: a hundred thousand epochs.
const MAX_FILE: u64 = 64 << 20;

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Training between growths.
    Growing,
    /// AdamInit: the newest batch norm alone is trained.
    Adapting,
    /// Training the network that was found.
    FineTuning,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Growing, Self::Adapting, Self::FineTuning];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Growing => "growing",
            Self::Adapting => "adapting",
            Self::FineTuning => "fine-tuning",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

/// One epoch. What was not a number in training is NaN or infinite here.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// From 1.
    pub number: usize,
    /// The part of the run.
    pub phase: Phase,
    /// The network that was trained.
    pub depth: Depth,
    /// Step size.
    pub learning_rate: f64,
    /// Mean cross entropy of the training images.
    pub train_loss: f64,
    /// Percent of the training images.
    pub train_accuracy: f64,
    /// Mean cross entropy of the images that guide the run ([`Guide`]).
    pub val_loss: f64,
    /// Percent of the images that guide the run.
    pub val_accuracy: f64,
    /// Time it took.
    pub seconds: f64,
    /// Time since the run started, at its end.
    pub elapsed: f64,
}

/// What a run came to: `result.json`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the file")]
pub struct Outcome {
    pub found: Depth,
    pub network: String,
    pub data: String,
    #[serde(deserialize_with = "number::float")]
    pub val_accuracy: f64,
    #[serde(deserialize_with = "number::float")]
    pub test_accuracy: f64,
    pub growing_epochs: usize,
    pub fine_tuning_epochs: usize,
    #[serde(deserialize_with = "number::float")]
    pub growing_seconds: f64,
    #[serde(deserialize_with = "number::float")]
    pub fine_tuning_seconds: f64,
    pub parameters: u64,
    pub macs: u64,
    pub floor: Option<Depth>,
    pub at_floor: bool,
}

/// The architecture: `network.json`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the file")]
pub struct Architecture {
    pub network: String,
    pub depth: Depth,
    pub width: u64,
    /// Channels, height, width.
    pub image: [u64; 3],
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

/// Whether a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has a result.
    Finished,
    /// A process is at it.
    Training,
    /// It has no result, and nobody is at it.
    Interrupted,
}

/// Everything a report tells of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its folder.
    pub path: PathBuf,
    /// Its configuration.
    pub settings: Settings,
    /// Its epochs in order, each number once.
    pub epochs: Vec<Epoch>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What it came to.
    pub outcome: Option<Outcome>,
    /// The network now.
    pub architecture: Option<Architecture>,
    /// Class by class.
    pub evaluation: Option<Evaluation>,
    /// Where its data and plugins come from.
    pub origin: Option<Origin>,
    /// Whether it goes on.
    pub status: Status,
    /// When it started, whole seconds since 1970; 0 where nobody knows.
    pub started: f64,
    /// What is damaged and was left out, in words.
    pub damage: Vec<String>,
}

impl Run {
    /// Reads a run folder.
    ///
    /// # Errors
    /// [`Error::NotARun`] without a `config.toml`, [`Error::Damaged`] where that makes no sense,
    /// [`Error::Unreadable`] and [`Error::TooLarge`] for any file.
    pub fn read(path: &Path) -> Result<Self> {
        let file = path.join("config.toml");
        let text = text(&file)?.ok_or_else(|| Error::NotARun { path: path.into() })?;
        let settings = Settings::parse(&text)
            .map_err(|problem| Error::Damaged { path: file.clone(), problem })?;
        let mut damage = Vec::new();
        let journal = self::text(&path.join("journal.jsonl"))?.unwrap_or_default();
        let (events, damaged) = journal::read(&journal);
        damage.extend(damaged);
        let metrics = self::text(&path.join("metrics.csv"))?.unwrap_or_default();
        let (rows, damaged) = metrics::read(&metrics);
        damage.extend(damaged);
        let outcome = json::<Outcome>(&path.join("result.json"), &mut damage)?;
        let found = outcome.as_ref().map(|outcome| &outcome.found);
        let evaluation = self::text(&path.join("evaluation.json"))?.and_then(|text| {
            let read = Evaluation::parse(&text).and_then(|read| match read {
                Some(read) => read.of_depth(found).map(Some),
                None => Ok(None),
            });
            read.unwrap_or_else(|problem| {
                damage.push(format!("evaluation.json {problem}; left out"));
                None
            })
        });
        let status = match outcome {
            Some(_) => Status::Finished,
            None if is_locked(path) => Status::Training,
            None => Status::Interrupted,
        };
        Ok(Self {
            settings,
            epochs: merge(rows, &events),
            outcome,
            architecture: json(&path.join("network.json"), &mut damage)?,
            evaluation,
            origin: origin(path)?,
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
    pub fn network(&self) -> String {
        self.settings.text("network.name").unwrap_or_default()
    }

    /// The name of the data set.
    pub fn data(&self) -> String {
        self.settings.text("data.name").unwrap_or_default()
    }

    /// The images by which growth is guided and the model chosen.
    pub fn guide(&self) -> Guide {
        Guide::named(self.settings.text("data.select_on").as_deref())
    }

    /// The depth that was found, or that is trained now.
    pub fn depth(&self) -> Option<&Depth> {
        let grown = self.events.iter().rev().find_map(|event| match event {
            Event::Grew { depth, .. } | Event::Started { depth, .. } => Some(depth),
            _ => None,
        });
        self.outcome
            .as_ref()
            .map(|outcome| &outcome.found)
            .or(grown)
            .or(self.epochs.last().map(|epoch| &epoch.depth))
            .or(self.architecture.as_ref().map(|architecture| &architecture.depth))
    }

    /// The shallowest depth that the configuration can return, where there is one.
    pub fn floor(&self) -> Option<&Depth> {
        let told = self.events.iter().find_map(|event| match event {
            Event::Started { floor, .. } => floor.as_ref(),
            _ => None,
        });
        self.outcome.as_ref().and_then(|outcome| outcome.floor.as_ref()).or(told)
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
            epoch.elapsed = elapsed + if epoch.seconds.is_finite() { epoch.seconds } else { 0.0 };
        }
        elapsed = epoch.elapsed;
    }
    epochs
}

/// A file's text, bytes that are no text replaced; none where there is no file.
fn text(path: &Path) -> Result<Option<String>> {
    let unreadable = |source| Error::Unreadable { path: path.into(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Error::TooLarge { path: path.into(), limit: MAX_FILE });
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// A file of JSON; none where there is none, or none that makes sense, which is told.
fn json<T: DeserializeOwned>(path: &Path, damage: &mut Vec<String>) -> Result<Option<T>> {
    let Some(text) = text(path)? else { return Ok(None) };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let read = number::read(&text)
        .map_err(|error| damage.push(format!("{name} is damaged ({error}); left out")));
    Ok(read.ok())
}

/// What the newest checkpoint says of the run's origin. Its manifest is signed on the first line.
fn origin(path: &Path) -> Result<Option<Origin>> {
    #[derive(Deserialize)]
    struct Manifest {
        origin: Origin,
    }
    let Ok(folder) = fs::read_dir(path.join("checkpoints")) else { return Ok(None) };
    let names = folder.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let Some(newest) = names.max().map(|number: u64| number.to_string()) else { return Ok(None) };
    let manifest = text(&path.join("checkpoints").join(newest).join("manifest.json"))?;
    let body = manifest.as_deref().and_then(|text| text.split_once('\n')).map(|(_, body)| body);
    let read = body.and_then(|body| serde_json::from_str::<Manifest>(body).ok());
    Ok(read.map(|manifest| manifest.origin))
}

/// Whether a process holds the folder. Shared and let go at once, so that it is nobody's way.
fn is_locked(path: &Path) -> bool {
    File::open(path.join("lock"))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
