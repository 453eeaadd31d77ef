//! Checkpoints: everything from which a run goes on exactly, in one folder that appears by one
//! rename, with a hash of each part, so that a damaged one is never taken for a good one.

use super::Origin;
use super::state::State;
use crate::growth::Place;
use crate::network::{Blueprint, StateDict};
use crate::training::LearnerRecord;
use crate::{Error, Result};
use autogrow_run::validation::{MAGIC, ValidationEpoch, read_validation};
use autogrow_run::{names, storage};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Version of what is written here. A program reads its own and older ones. Up to format 1, sums and
/// scores were those of classes alone (see [`Tally`](crate::training::Tally)).
const FORMAT: u32 = 2;
const MANIFEST: &str = "manifest.json";

/// Files by name.
type Files = Vec<(String, Vec<u8>)>;

/// What a checkpoint holds.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Where the run is.
    pub state: State,
    /// The architecture there.
    pub blueprint: Blueprint,
    /// Weights, optimiser, identities.
    pub learner: LearnerRecord,
    /// The networks that the policy may go back to.
    pub kept: BTreeMap<Place, Kept>,
    /// The best network so far at the found depth.
    pub best: Option<StateDict>,
    /// What every epoch has shown of the validation images. Not part of the folder: the run's
    /// `validation.bin` has it.
    pub validation: Vec<ValidationEpoch>,
    /// What the run was trained on and with.
    pub origin: Origin,
}

/// A network that is kept, with all that is needed to train it on.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its architecture.
    pub blueprint: Blueprint,
    /// Weights, optimiser, identities.
    pub learner: LearnerRecord,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    /// Hash of each file.
    parts: BTreeMap<String, String>,
    /// Length of each log when the checkpoint was taken, bytes.
    logs: BTreeMap<String, u64>,
    origin: Origin,
}

impl Checkpoint {
    /// All of it as one message, for processes that do not see the folder.
    ///
    /// # Errors
    /// [`Error::Run`] where it cannot be written down.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut files = files(self, BTreeMap::new())?;
        let mut validation = MAGIC.to_vec();
        for epoch in &self.validation {
            validation.extend(epoch.to_bytes()?);
        }
        files.push((names::VALIDATION.into(), validation));
        let views = files.iter().map(|(name, bytes)| {
            TensorView::new(Dtype::U8, vec![bytes.len()], bytes).map(|view| (name, view))
        });
        views
            .collect::<Result<Vec<_>, _>>()
            .and_then(|views| safetensors::serialize(views, None))
            .map_err(|error| Error::run("checkpoint", error.to_string()))
    }

    /// What [`Checkpoint::to_bytes`] was asked of.
    ///
    /// # Errors
    /// [`Error::Ranks`] where the message is not whole.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let damaged = |what: String| Error::ranks(format!("a checkpoint has not arrived: {what}"));
        let message =
            SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
        let read = |name: &str| match message.tensor(name) {
            Ok(view) => Ok(view.data().to_vec()),
            Err(error) => Err(damaged(error.to_string())),
        };
        let place = Path::new("checkpoint");
        match decode(place, &read) {
            Ok((checkpoint, _)) => {
                let validation = read_validation(place, &read(names::VALIDATION)?)?;
                Ok(Self { validation, ..checkpoint })
            }
            Err(Failure::Damaged(what)) => Err(damaged(what)),
            Err(Failure::Newer(format)) => Err(damaged(format!("it has format {format}"))),
        }
    }
}

/// The checkpoints of a run folder.
#[derive(Debug)]
pub(super) struct Checkpoints {
    folder: PathBuf,
    keep: usize,
    next: usize,
}

impl Checkpoints {
    /// Those in `run`, of which the last `keep` are kept from now on.
    pub(super) fn of(run: &Path, keep: usize) -> Result<Self> {
        let folder = run.join("checkpoints");
        storage::create_folder(&folder)?;
        // Left by a process that was killed while it wrote or removed one.
        for name in storage::names(&folder)?.iter().filter(|name| name.ends_with(".part")) {
            storage::remove_part(&folder.join(name))?;
        }
        let next = numbers(&folder)?.last().map_or(1, |last| last + 1);
        Ok(Self { folder, keep, next })
    }

    /// Publishes a checkpoint, then removes those that are older than the last `keep`.
    pub(super) fn save(
        &mut self,
        checkpoint: &Checkpoint,
        logs: BTreeMap<String, u64>,
    ) -> Result<()> {
        let path = self.folder.join(self.next.to_string());
        storage::publish_folder(&path, &files(checkpoint, logs)?)?;
        self.next += 1;
        let numbers = numbers(&self.folder)?;
        for number in &numbers[..numbers.len().saturating_sub(self.keep)] {
            storage::remove_folder(&self.folder.join(number.to_string()))?;
        }
        Ok(())
    }

    /// The newest good checkpoint with its log lengths and its folder, and a word on each newer
    /// one that is damaged.
    pub(super) fn newest(&self) -> Result<(Option<Loaded>, Vec<String>)> {
        let mut damaged = Vec::new();
        for number in numbers(&self.folder)?.iter().rev() {
            let path = self.folder.join(number.to_string());
            match load(&path) {
                Ok((checkpoint, logs)) => {
                    return Ok((Some(Loaded { checkpoint, logs, path }), damaged));
                }
                Err(Failure::Damaged(problem)) => {
                    damaged.push(format!("{} is damaged: {problem}", path.display()));
                }
                Err(Failure::Newer(format)) => return Err(newer(&path, format)),
            }
        }
        Ok((None, damaged))
    }
}

/// Writes a checkpoint that is not one of a run's row of them, in place of one that is there.
pub(super) fn save_alone(path: &Path, checkpoint: &Checkpoint) -> Result<()> {
    if path.exists() {
        storage::remove_folder(path)?;
    }
    storage::publish_folder(path, &files(checkpoint, BTreeMap::new())?)
}

/// Reads it.
pub(super) fn load_alone(path: &Path) -> Result<Checkpoint> {
    match load(path) {
        Ok((checkpoint, _)) => Ok(checkpoint),
        Err(Failure::Damaged(problem)) => Err(Error::run(path, format!("is damaged: {problem}"))),
        Err(Failure::Newer(format)) => Err(newer(path, format)),
    }
}

fn newer(path: &Path, format: u32) -> Error {
    Error::run(path, format!("has format {format}; this program reads up to {FORMAT}"))
        .with_hint("resume it with the newer autogrow that wrote it")
}

/// A checkpoint that was read.
pub(super) struct Loaded {
    pub(super) checkpoint: Checkpoint,
    pub(super) logs: BTreeMap<String, u64>,
    pub(super) path: PathBuf,
}

/// Numbers of the published checkpoints, in order.
fn numbers(folder: &Path) -> Result<Vec<usize>> {
    let names = storage::names(folder)?;
    let mut numbers: Vec<usize> = names.iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn files(checkpoint: &Checkpoint, logs: BTreeMap<String, u64>) -> Result<Files> {
    let mut files = vec![("state.toml".to_string(), toml(&checkpoint.state)?)];
    files.extend(learner_files("", &checkpoint.blueprint, &checkpoint.learner)?);
    for (place, Kept { blueprint, learner }) in &checkpoint.kept {
        files.extend(learner_files(&prefix(*place), blueprint, learner)?);
    }
    if let Some(best) = &checkpoint.best {
        files.push(("best.safetensors".into(), best.to_safetensors()?));
    }
    let parts = files.iter().map(|(name, bytes)| (name.clone(), hash(bytes))).collect();
    let manifest = Manifest { format: FORMAT, parts, logs, origin: checkpoint.origin.clone() };
    let body = json(&manifest)?;
    // The manifest vouches for the parts; its first line vouches for itself.
    let signed = [hash(&body).into_bytes(), b"\n".to_vec(), body].concat();
    files.push((MANIFEST.into(), signed));
    Ok(files)
}

/// How the names of files of a network that is kept begin.
fn prefix(place: Place) -> String {
    format!("{}-", place.name())
}

/// A network in training; the names of its files begin with `prefix`.
fn learner_files(prefix: &str, blueprint: &Blueprint, learner: &LearnerRecord) -> Result<Files> {
    let mut files = vec![
        ("network.json", json(blueprint)?),
        ("identities.json", json(&learner.identities)?),
        ("weights.safetensors", learner.weights.to_safetensors()?),
        ("optimizer.bpk", learner.optimizer.clone()),
    ];
    if let Some(aside) = &learner.aside {
        files.push(("aside.bpk", aside.clone()));
    }
    if let Some(average) = &learner.average {
        files.push(("average.safetensors", average.to_safetensors()?));
        files.push(("average.json", json(&learner.averaged_steps)?));
    }
    Ok(files.into_iter().map(|(name, bytes)| (format!("{prefix}{name}"), bytes)).collect())
}

enum Failure {
    Damaged(String),
    Newer(u32),
}

impl<E: std::fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Damaged(error.to_string())
    }
}

fn load(path: &Path) -> Result<(Checkpoint, BTreeMap<String, u64>), Failure> {
    decode(path, &|name| storage::read(&path.join(name)))
}

/// The checkpoint whose parts `read` reads by name; `path` is for errors.
fn decode(
    path: &Path,
    read: &dyn Fn(&str) -> Result<Vec<u8>>,
) -> Result<(Checkpoint, BTreeMap<String, u64>), Failure> {
    let signed = read(MANIFEST)?;
    let end = signed.iter().position(|&byte| byte == b'\n').ok_or("the manifest is cut off")?;
    let (signature, body) = (&signed[..end], &signed[end + 1..]);
    if signature != hash(body).as_bytes() {
        return Err(Failure::Damaged("the manifest has changed".into()));
    }
    // A newer format may have other fields, so its number is read first.
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let version: Version = serde_json::from_slice(body)?;
    if version.format > FORMAT {
        return Err(Failure::Newer(version.format));
    }
    let manifest: Manifest = serde_json::from_slice(body)?;
    let mut parts = BTreeMap::new();
    for (name, expected) in &manifest.parts {
        let bytes = read(name)?;
        if hash(&bytes) != *expected {
            return Err(Failure::Damaged(format!("{name} has changed")));
        }
        parts.insert(name.as_str(), bytes);
    }
    let parts = Parts { path, parts };
    let (blueprint, learner) = parts.learner("")?;
    let mut kept = BTreeMap::new();
    for place in Place::ALL {
        let prefix = prefix(place);
        if parts.has(&format!("{prefix}network.json")) {
            let (blueprint, learner) = parts.learner(&prefix)?;
            kept.insert(place, Kept { blueprint, learner });
        }
    }
    let checkpoint = Checkpoint {
        state: toml::from_slice(parts.part("state.toml")?)?,
        blueprint,
        learner,
        kept,
        best: parts.tensors("best.safetensors")?,
        validation: Vec::new(),
        origin: manifest.origin,
    };
    Ok((checkpoint, manifest.logs))
}

/// The files of a checkpoint at `path`.
struct Parts<'a> {
    path: &'a Path,
    parts: BTreeMap<&'a str, Vec<u8>>,
}

impl Parts<'_> {
    fn has(&self, name: &str) -> bool {
        self.parts.contains_key(name)
    }

    fn part(&self, name: &str) -> Result<&[u8], Failure> {
        let part = self.parts.get(name).map(Vec::as_slice);
        part.ok_or_else(|| Failure::Damaged(format!("{name} is missing")))
    }

    fn tensors(&self, name: &str) -> Result<Option<StateDict>, Failure> {
        let tensors = |bytes: &Vec<u8>| StateDict::from_safetensors(bytes, &self.path.join(name));
        Ok(self.parts.get(name).map(tensors).transpose()?)
    }

    /// What [`learner_files`] wrote.
    fn learner(&self, prefix: &str) -> Result<(Blueprint, LearnerRecord), Failure> {
        let name = |name: &str| format!("{prefix}{name}");
        let weights = name("weights.safetensors");
        let steps = name("average.json");
        let learner = LearnerRecord {
            weights: self.tensors(&weights)?.ok_or(format!("{weights} is missing"))?,
            identities: serde_json::from_slice(self.part(&name("identities.json"))?)?,
            optimizer: self.part(&name("optimizer.bpk"))?.to_vec(),
            aside: self.parts.get(&*name("aside.bpk")).cloned(),
            average: self.tensors(&name("average.safetensors"))?,
            // Averages of format 1 are not corrected for their start.
            averaged_steps: match self.has(&steps) {
                true => serde_json::from_slice(self.part(&steps)?)?,
                false => u64::MAX,
            },
        };
        Ok((serde_json::from_slice(self.part(&name("network.json"))?)?, learner))
    }
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// As TOML, not JSON: what is read is to the last bit what was written, NaN and infinity included.
fn toml(value: &impl Serialize) -> Result<Vec<u8>> {
    let text = toml::to_string(value);
    text.map(String::into_bytes).map_err(|error| Error::run("checkpoint", error.to_string()))
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value).map_err(|error| Error::run("checkpoint", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Compat, Shortcut};
    use crate::growth::Depth;
    use crate::network::TensorEntry;
    use crate::training::Scores;
    use rand::{Rng, SeedableRng};
    use std::fs;

    fn checkpoint(epochs: usize) -> Checkpoint {
        let entry = TensorEntry { shape: vec![3], values: vec![1.0, -2.5, 1e-9] };
        let weights = StateDict([("conv1.weight".to_string(), entry)].into());
        let origin = Origin { data: "d".into(), plugins: BTreeMap::new() };
        Checkpoint {
            state: State { epochs, ..State::start() },
            blueprint: Blueprint {
                network: "n".into(),
                depth: Depth::uniform(3, 1),
                width: 16,
                image: [3, 8, 8],
                classes: 10,
                shortcut: Shortcut::Projection,
                compat: Compat::Paper,
            },
            learner: LearnerRecord {
                weights: weights.clone(),
                identities: [("conv1.weight".to_string(), 7)].into(),
                optimizer: vec![1, 2, 3, 4, 5],
                aside: Some(vec![6, 7]),
                average: Some(weights.clone()),
                averaged_steps: 3,
            },
            kept: BTreeMap::new(),
            best: Some(weights),
            validation: Vec::new(),
            origin,
        }
    }

    /// Two checkpoints, and a way to see what a damage of the second comes to.
    fn two(place: &Path) -> (Checkpoints, PathBuf) {
        let mut checkpoints = Checkpoints::of(place, 2).unwrap();
        for epochs in [1, 2] {
            checkpoints.save(&checkpoint(epochs), BTreeMap::new()).unwrap();
        }
        (checkpoints, place.join("checkpoints/2"))
    }

    fn falls_back(checkpoints: &Checkpoints, what: &str) {
        let (newest, damaged) = checkpoints.newest().unwrap();
        assert_eq!(newest.map(|loaded| loaded.checkpoint.state.epochs), Some(1), "{what}");
        assert_eq!(damaged.len(), 1, "{what}");
    }

    #[test]
    fn numbers_are_read_as_they_were_written() {
        let place = tempfile::tempdir().unwrap();
        let mut checkpoints = Checkpoints::of(place.path(), 2).unwrap();
        let mut saved = checkpoint(3);
        // The first is one that a fast parser reads one bit off.
        saved.state.guiding = vec![2.180_414_438_247_681, 0.1 + 0.2, 1e-310, 100.0 / 14.0];
        let scores = Scores { loss: f64::INFINITY, ..Scores::default() };
        saved.state.last = Some((scores, scores));
        saved.state.adapting = Some(super::super::AdaptingState {
            grown: vec![1],
            accuracy_before: 100.0 / 3.0,
            epochs: 2,
        });
        checkpoints.save(&saved, BTreeMap::new()).unwrap();
        let read = checkpoints.newest().unwrap().0.unwrap().checkpoint;
        assert_eq!(read.state, saved.state);
        let message = saved.to_bytes().unwrap();
        let received = Checkpoint::from_bytes(&message).unwrap();
        assert_eq!(
            (received.state, received.learner.optimizer),
            (saved.state.clone(), vec![1, 2, 3, 4, 5])
        );
        assert!(Checkpoint::from_bytes(&message[..message.len() - 1]).is_err());
        assert_eq!(
            (read.blueprint, read.learner.weights),
            (saved.blueprint, saved.learner.weights)
        );
    }

    #[test]
    fn only_the_last_ones_are_kept() {
        let place = tempfile::tempdir().unwrap();
        let mut checkpoints = Checkpoints::of(place.path(), 2).unwrap();
        for epochs in 1..6 {
            checkpoints.save(&checkpoint(epochs), BTreeMap::new()).unwrap();
        }
        assert_eq!(numbers(&place.path().join("checkpoints")).unwrap(), [4, 5]);
        let (newest, damaged) = checkpoints.newest().unwrap();
        assert_eq!((newest.unwrap().checkpoint.state.epochs, damaged.len()), (5, 0));
    }

    #[test]
    fn a_file_cut_off_anywhere_is_never_accepted() {
        let place = tempfile::tempdir().unwrap();
        let (checkpoints, second) = two(place.path());
        for name in storage::names(&second).unwrap() {
            let file = second.join(&name);
            let whole = fs::read(&file).unwrap();
            for length in 0..whole.len() {
                fs::write(&file, &whole[..length]).unwrap();
                falls_back(&checkpoints, &format!("{name} cut to {length} bytes"));
            }
            fs::remove_file(&file).unwrap();
            falls_back(&checkpoints, &format!("{name} gone"));
            fs::write(&file, whole).unwrap();
        }
        assert!(checkpoints.newest().unwrap().1.is_empty());
    }

    #[test]
    fn a_flipped_bit_is_never_accepted() {
        let place = tempfile::tempdir().unwrap();
        let (checkpoints, second) = two(place.path());
        let names = storage::names(&second).unwrap();
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for _ in 0..10_000 {
            let name = &names[rng.random_range(0..names.len())];
            let file = second.join(name);
            let whole = fs::read(&file).unwrap();
            let mut flipped = whole.clone();
            let (byte, bit) = (rng.random_range(0..whole.len()), rng.random_range(0..8));
            flipped[byte] ^= 1 << bit;
            fs::write(&file, flipped).unwrap();
            falls_back(&checkpoints, &format!("{name}, byte {byte}, bit {bit}"));
            fs::write(&file, whole).unwrap();
        }
    }
}
