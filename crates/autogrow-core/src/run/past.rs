//! [`Past`]: a run as it was after an epoch of growing, from what its folder has kept on the way.

use super::checkpoint::load_alone;
use super::{Checkpoint, Origin, Phase, Snapshot, snapshots};
use crate::growth::Depth;
use crate::network::{ModelInfo, StateDict};
use crate::{Error, Result};
use autogrow_run::validation::whole_epochs;
use autogrow_run::{names, storage};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A run as it was after an epoch of growing. The run may be going on.
#[derive(Debug)]
pub struct Past {
    /// Its folder.
    pub run: PathBuf,
    /// Epochs trained until then.
    pub epoch: usize,
    /// What there is of it.
    pub kept: PastState,
    /// What the run was trained on and with.
    pub origin: Origin,
}

/// What a run folder has kept of an epoch.
#[derive(Debug)]
pub enum PastState {
    /// All of it.
    Checkpoint(Box<Checkpoint>),
    /// The weights (`run.snapshots`), not the state of the optimiser.
    Weights {
        /// What their file tells.
        info: Box<ModelInfo>,
        /// The weights.
        weights: StateDict,
        /// What step sizes are multiplied by since the run has diverged; else 1.
        rate_scale: f64,
    },
}

impl Past {
    /// The run in the folder `run` as it was after `epoch` epochs; of an epoch after which it grew or went
    /// back, before it did so, but of the last one what growth ended with. Where none is named: that, or else
    /// the last that is kept.
    ///
    /// # Errors
    /// [`Error::Run`] where there is no run, it has not kept that epoch, or growing was over by then.
    pub fn of(run: &Path, epoch: Option<usize>) -> Result<Self> {
        if !run.join(names::CONFIG).is_file() {
            return Err(Error::run(run, "is not a run folder: it holds no config.toml")
                .with_hint("name the folder of a run"));
        }
        let grown = run.join(names::GROWN);
        let loaded = grown.exists().then(|| load_alone(&grown)).transpose();
        let is_wanted = |grown: &Checkpoint| epoch.is_none_or(|it| it == grown.state.epochs);
        match loaded.map(|grown| grown.filter(is_wanted)) {
            Ok(Some(checkpoint)) => {
                let (epoch, origin) = (checkpoint.state.epochs, checkpoint.origin.clone());
                let kept = PastState::Checkpoint(Box::new(checkpoint));
                return Ok(Self { run: run.into(), epoch, kept, origin });
            }
            Err(error) if epoch.is_none() => return Err(error),
            Ok(None) | Err(_) => {}
        }
        let mut checkpoints = Vec::new();
        let mut damaged = None;
        for path in checkpoint_folders(run)? {
            match load_alone(&path) {
                Ok(checkpoint) => checkpoints.push(checkpoint),
                // A run that is going on removes its oldest ones.
                Err(_) if !path.exists() => {}
                Err(error) => damaged = Some(error),
            }
        }
        let newest = checkpoints.last().map(|one| (one.origin.clone(), one.state.rate_scale));
        let Some((origin, rate_scale)) = newest else {
            return Err(damaged.unwrap_or_else(|| {
                Error::run(run, "has no checkpoint yet")
                    .with_hint("a run writes the first one before its first epoch")
            }));
        };
        // Behind the end of growth, step sizes fall already.
        let last = checkpoints.iter().find(|one| one.state.phase == Phase::FineTuning);
        let last = last.map_or(usize::MAX, |one| one.state.growing_epochs);
        let judged = depths(run)?;
        checkpoints.retain(|one| {
            let (state, depth) = (&one.state, &one.blueprint.depth);
            let has_changed =
                state.gone_back || judged.get(&state.epochs).is_some_and(|judged| judged != depth);
            state.step == 0 && state.epochs <= last && !has_changed
        });
        let mut weights = snapshots(run).unwrap_or_default();
        weights.retain(|snapshot| snapshot.epoch <= last);
        let all: BTreeSet<_> = checkpoints
            .iter()
            .map(|checkpoint| checkpoint.state.epochs)
            .chain(weights.iter().map(|snapshot| snapshot.epoch))
            .collect();
        let found = epoch.or(all.last().copied()).filter(|epoch| all.contains(epoch));
        let Some(found) = found else { return Err(not_kept(run, epoch, &all, last)) };
        let checkpoint = checkpoints.into_iter().find(|one| one.state.epochs == found);
        let kept = match (checkpoint, weights.iter().find(|snapshot| snapshot.epoch == found)) {
            (Some(checkpoint), _) => PastState::Checkpoint(Box::new(checkpoint)),
            (None, Some(snapshot)) => weights_of(snapshot, rate_scale)?,
            (None, None) => return Err(not_kept(run, epoch, &all, last)),
        };
        Ok(Self { run: run.into(), epoch: found, kept, origin })
    }
}

/// The depth of the network that each epoch has trained.
fn depths(run: &Path) -> Result<BTreeMap<usize, Depth>> {
    let path = run.join(names::VALIDATION);
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    // Its run may be writing the last one.
    let (epochs, _) = whole_epochs(&storage::read(&path)?);
    Ok(epochs.into_iter().map(|epoch| (epoch.epoch, epoch.depth)).collect())
}

fn weights_of(snapshot: &Snapshot, rate_scale: f64) -> Result<PastState> {
    let (info, weights) = snapshot.read()?;
    Ok(PastState::Weights { info: Box::new(info), weights, rate_scale })
}

/// The end of growth, which stands for its epoch better than what was saved once fine-tuning began, and
/// the checkpoints from the oldest on.
fn checkpoint_folders(run: &Path) -> Result<Vec<PathBuf>> {
    let folder = run.join(names::CHECKPOINTS);
    let names = storage::names(&folder)?;
    let mut numbers: Vec<usize> = names.iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    let grown = Some(run.join(names::GROWN)).filter(|path| path.exists());
    Ok(grown
        .into_iter()
        .chain(numbers.iter().map(|number| folder.join(number.to_string())))
        .collect())
}

fn not_kept(run: &Path, epoch: Option<usize>, all: &BTreeSet<usize>, last: usize) -> Error {
    let kept: Vec<_> = all.iter().map(ToString::to_string).collect();
    let problem = match epoch {
        Some(epoch) if epoch > last => {
            return Error::run(
                run,
                format!("grew for {last} epochs; epoch {epoch} is fine-tuned already"),
            )
            .with_hint(format!("name one of these: {}", kept.join(", ")));
        }
        Some(epoch) => format!("has kept nothing of epoch {epoch}"),
        None => "has kept no epoch of growing".into(),
    };
    let problem = match kept.is_empty() {
        true => problem,
        false => format!("{problem}; of growing it has kept the epochs {}", kept.join(", ")),
    };
    Error::run(run, problem).with_hint(
        "train with --set run.snapshots=N to keep the weights of every N epochs, or a larger run.keep",
    )
}
