//! Checkpoints: everything from which a run goes on exactly, in one folder that appears by one
//! rename, with a hash of each part, so that a damaged one is never taken for a good one.

use super::state::State;
use super::storage;
use crate::network::{Blueprint, StateDict};
use crate::training::LearnerRecord;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Version of what is written here. A program reads its own and older ones.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";

/// What a checkpoint holds.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Where the run is.
    pub state: State,
    /// The architecture there.
    pub blueprint: Blueprint,
    /// Weights, optimiser, identities.
    pub learner: LearnerRecord,
    /// The best network so far at the found depth.
    pub best: Option<StateDict>,
    /// What the run was trained on and with.
    pub origin: Origin,
}

/// What must be the same for a run to go on: a hash of the data, and the crates of what is named
/// in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Hash of sizes, classes and first images.
    pub data: String,
    /// Crate that each named thing comes from.
    pub plugins: BTreeMap<String, String>,
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
                Err(Failure::Newer(format)) => {
                    return Err(Error::run(
                        path,
                        format!("has format {format}; this program reads up to {FORMAT}"),
                    )
                    .with_hint("resume it with the newer autogrow that wrote it"));
                }
            }
        }
        Ok((None, damaged))
    }
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

fn files(
    checkpoint: &Checkpoint,
    logs: BTreeMap<String, u64>,
) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let learner = &checkpoint.learner;
    let mut files = vec![
        ("state.json", json(&checkpoint.state)?),
        ("network.json", json(&checkpoint.blueprint)?),
        ("identities.json", json(&learner.identities)?),
        ("weights.safetensors", learner.weights.to_safetensors()?),
        ("optimizer.bpk", learner.optimizer.clone()),
    ];
    if let Some(aside) = &learner.aside {
        files.push(("aside.bpk", aside.clone()));
    }
    if let Some(average) = &learner.average {
        files.push(("average.safetensors", average.to_safetensors()?));
    }
    if let Some(best) = &checkpoint.best {
        files.push(("best.safetensors", best.to_safetensors()?));
    }
    let parts = files.iter().map(|(name, bytes)| (name.to_string(), hash(bytes))).collect();
    let manifest = Manifest { format: FORMAT, parts, logs, origin: checkpoint.origin.clone() };
    let body = json(&manifest)?;
    // The manifest vouches for the parts; its first line vouches for itself.
    let signed = [hash(&body).into_bytes(), b"\n".to_vec(), body].concat();
    files.push((MANIFEST, signed));
    Ok(files)
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
    let signed = storage::read(&path.join(MANIFEST))?;
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
        let bytes = storage::read(&path.join(name))?;
        if hash(&bytes) != *expected {
            return Err(Failure::Damaged(format!("{name} has changed")));
        }
        parts.insert(name.as_str(), bytes);
    }
    let part = |name: &str| parts.get(name).ok_or(format!("{name} is missing"));
    let tensors = |name: &str| match parts.get(name) {
        Some(bytes) => StateDict::from_safetensors(bytes, &path.join(name)).map(Some),
        None => Ok(None),
    };
    let checkpoint = Checkpoint {
        state: serde_json::from_slice(part("state.json")?)?,
        blueprint: serde_json::from_slice(part("network.json")?)?,
        learner: LearnerRecord {
            weights: tensors("weights.safetensors")?.ok_or("weights.safetensors is missing")?,
            identities: serde_json::from_slice(part("identities.json")?)?,
            optimizer: part("optimizer.bpk")?.clone(),
            aside: parts.get("aside.bpk").cloned(),
            average: tensors("average.safetensors")?,
        },
        best: tensors("best.safetensors")?,
        origin: manifest.origin,
    };
    Ok((checkpoint, manifest.logs))
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value).map_err(|error| Error::run("checkpoint", error.to_string()))
}
