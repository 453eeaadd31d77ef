//! Everything that a user, a disk or a device can get wrong, as one type with a cause and a hint.
//!
//! Nothing below `main` prints an error; nothing unwraps what can fail outside this program.

use std::path::PathBuf;
use std::time::Duration;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with its cause. [`Error::exit_code`] and [`Error::hint`] are for the command line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A configuration key has a value that makes no sense.
    #[error("`{key}` {problem}{}", from(.origin))]
    Config {
        /// Dotted name of the key, such as `training.batch_size`.
        key: String,
        /// What is wrong, to be read after the key.
        problem: String,
        /// Where the value came from, when the caller knows.
        origin: Option<String>,
        /// What to do.
        hint: Option<String>,
    },
    /// A name or key that nothing is registered under.
    #[error("unknown {kind} `{name}`{}", from(.origin))]
    Unknown {
        /// What the name should have named: "network", "data set", "configuration key".
        kind: String,
        /// Key of the configuration that holds the name; empty where none does.
        key: String,
        /// The name as the user wrote it.
        name: String,
        /// Every valid name.
        known: Vec<String>,
        /// Where the name came from, when the caller knows.
        origin: Option<String>,
    },
    /// Two plugins registered the same name.
    #[error("two {kind} plugins are named `{name}`: one from {}, one from {}", .crates[0], .crates[1])]
    Duplicate {
        /// What was registered.
        kind: &'static str,
        /// The name both claim.
        name: String,
        /// The crates they come from.
        crates: [String; 2],
    },
    /// A data set cannot be read.
    #[error("{}: {problem}", .path.display())]
    Data {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, with the offset or record where that is known.
        problem: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A run folder or model file cannot be used.
    #[error("{}: {problem}", .path.display())]
    Run {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A loss or a gradient is no longer a number. Nothing was updated with it.
    #[error("training diverged in epoch {epoch}, step {step}: {what}")]
    Diverged {
        /// Epoch of the whole run, from 1.
        epoch: usize,
        /// Step within the epoch, from 1.
        step: usize,
        /// What is not finite.
        what: String,
        /// The last good checkpoint.
        checkpoint: Option<PathBuf>,
    },
    /// Somebody asked the process to stop.
    #[error("interrupted; a checkpoint was written")]
    Interrupted {
        /// The signal's number.
        signal: u8,
        /// The run, to go on with.
        run: PathBuf,
    },
    /// A run that nothing was kept of was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The device cannot be used.
    #[error("device `{device}`{}: {problem}", from(.origin))]
    Device {
        /// The device as the user named it.
        device: String,
        /// What is wrong.
        problem: String,
        /// Where the name came from, when the caller knows.
        origin: Option<String>,
        /// What to do.
        hint: Option<String>,
    },
    /// The processes of a run have lost one of them, or no longer agree.
    #[error("{problem}")]
    Ranks {
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Another program that was started for this one has failed.
    #[error("{problem}")]
    Program {
        /// The exit code of its error.
        exit_code: u8,
        /// Its error.
        problem: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Another process of the run has failed, and so all end.
    #[error("rank {rank}: {problem}")]
    Elsewhere {
        /// Which one.
        rank: usize,
        /// The exit code of its error.
        exit_code: u8,
        /// Its error.
        problem: String,
        /// What to do.
        hint: Option<String>,
    },
}

fn from(origin: &Option<String>) -> String {
    origin.as_ref().map(|origin| format!(" (from {origin})")).unwrap_or_default()
}

impl Error {
    /// A configuration error at `key`.
    pub fn config(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Config { key: key.into(), problem: problem.into(), origin: None, hint: None }
    }

    /// A name or key that nothing is registered under. `key` is the configuration key that holds the
    /// name, empty where none does; `known` is every valid name.
    pub fn unknown<S: Into<String>>(
        kind: &str,
        key: &str,
        name: impl Into<String>,
        known: impl IntoIterator<Item = S>,
    ) -> Self {
        let known = known.into_iter().map(Into::into).collect();
        Self::Unknown { kind: kind.into(), key: key.into(), name: name.into(), known, origin: None }
    }

    /// A data error about `path`.
    pub fn data(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Self::Data { path: path.into(), problem: problem.into(), hint: None }
    }

    /// A run-folder error about `path`.
    pub fn run(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Self::Run { path: path.into(), problem: problem.into(), hint: None }
    }

    /// An error of another program that this one has started.
    pub fn program(problem: impl Into<String>) -> Self {
        Self::Program { exit_code: 1, problem: problem.into(), hint: None }
    }

    /// An error of processes that train together.
    pub fn ranks(problem: impl Into<String>) -> Self {
        Self::Ranks { problem: problem.into(), hint: None }
    }

    /// Of a rank that keeps the others waiting.
    pub fn silent_rank(rank: usize, patience: Duration) -> Self {
        let seconds = patience.as_secs_f64();
        Self::ranks(format!("rank {rank} has not answered for {seconds} s")).with_hint(
            "its process or its machine hangs; `autogrow resume` goes on from the last checkpoint, \
             on any number of ranks; run.patience is how long ranks wait for each other",
        )
    }

    /// The same error with advice, for the variants that carry some.
    pub fn with_hint(mut self, advice: impl Into<String>) -> Self {
        if let Self::Config { hint, .. }
        | Self::Data { hint, .. }
        | Self::Run { hint, .. }
        | Self::Device { hint, .. }
        | Self::Ranks { hint, .. } = &mut self
        {
            *hint = Some(advice.into());
        }
        self
    }

    /// The same error with the place its value came from, for the variants that carry one.
    pub fn with_origin(mut self, place: impl Into<String>) -> Self {
        if let Self::Config { origin, .. }
        | Self::Unknown { origin, .. }
        | Self::Device { origin, .. } = &mut self
        {
            *origin = Some(place.into());
        }
        self
    }

    /// The same error with the checkpoint to go back to, if it is one of divergence.
    pub fn with_checkpoint(mut self, path: Option<PathBuf>) -> Self {
        if let Self::Diverged { checkpoint, .. } = &mut self {
            *checkpoint = path;
        }
        self
    }

    /// The exit code of the process: 2 usage or configuration, 3 data, 4 run folder, 5 diverged,
    /// 6 device, 128 + signal interrupted, 1 where processes have lost each other.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config { .. } | Self::Unknown { .. } | Self::Duplicate { .. } => 2,
            Self::Data { .. } => 3,
            Self::Run { .. } => 4,
            Self::Diverged { .. } => 5,
            Self::Device { .. } => 6,
            Self::Interrupted { signal, .. } => 128 + signal,
            Self::Cancelled => 130,
            Self::Ranks { .. } => 1,
            Self::Program { exit_code, .. } | Self::Elsewhere { exit_code, .. } => *exit_code,
        }
    }

    /// What kind of error it is, in a word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Config { .. } => "config",
            Self::Unknown { .. } => "unknown",
            Self::Duplicate { .. } => "duplicate",
            Self::Data { .. } => "data",
            Self::Run { .. } => "run",
            Self::Diverged { .. } => "diverged",
            Self::Interrupted { .. } => "interrupted",
            Self::Cancelled => "cancelled",
            Self::Device { .. } => "device",
            Self::Program { .. } => "program",
            Self::Ranks { .. } | Self::Elsewhere { .. } => "ranks",
        }
    }

    /// The configuration key, or the option, that it is about.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Config { key, .. } => Some(key),
            Self::Unknown { key, .. } => {
                Some(key).filter(|key| !key.is_empty()).map(String::as_str)
            }
            Self::Device { .. } => Some("run.device"),
            _ => None,
        }
    }

    /// What the user can do about it, if that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config { hint, .. }
            | Self::Data { hint, .. }
            | Self::Run { hint, .. }
            | Self::Device { hint, .. }
            | Self::Ranks { hint, .. }
            | Self::Program { hint, .. }
            | Self::Elsewhere { hint, .. } => hint.clone(),
            Self::Unknown { name, known, .. } => Some(match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("valid: {}", known.join(", ")),
            }),
            Self::Cancelled => None,
            Self::Duplicate { .. } => Some("rename one of them, or link only one crate".into()),
            Self::Diverged { checkpoint, .. } => {
                let advice = "a smaller training.learning_rate often helps, and plain networks want \
                              0.01; training.on_divergence = \"rollback\" lowers it by itself";
                Some(match checkpoint {
                    Some(path) => format!("{advice}; last good checkpoint: {}", path.display()),
                    None => advice.into(),
                })
            }
            Self::Interrupted { run, .. } => {
                Some(format!("`autogrow resume {}` goes on where it stopped", run.display()))
            }
        }
    }
}

/// The known name that `name` is most likely a misspelling of. A name without its section counts
/// as well as one with it.
fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let edits = |candidate: &str| {
        let last = candidate.rsplit('.').next().unwrap_or(candidate);
        let whole = strsim::damerau_levenshtein(name, candidate);
        whole.min(strsim::damerau_levenshtein(name, last))
    };
    let tolerated = (name.chars().count() / 3).max(2);
    known
        .iter()
        .map(|candidate| (edits(candidate), candidate.as_str()))
        .min_by_key(|(edits, _)| *edits)
        .filter(|(edits, _)| *edits <= tolerated)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_valid_one() {
        let known = ["basic3resnet", "plain3net", "training.batch_size"].map(String::from).to_vec();
        let hint = |name: &str| Error::unknown("name", "", name, known.clone()).hint();
        assert_eq!(hint("batchsize").unwrap(), "did you mean `training.batch_size`?");
        assert_eq!(hint("basic3resnt").unwrap(), "did you mean `basic3resnet`?");
        assert!(hint("zzzzzz").unwrap().starts_with("valid: "));
    }
}
