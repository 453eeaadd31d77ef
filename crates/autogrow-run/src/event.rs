//! What happens in a run, as it is written to `journal.jsonl` and shown to who watches.

use autogrow_growth::{Depth, Place};
use serde::{Deserialize, Deserializer, Serialize};

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// One epoch: a row of `metrics.csv`. JSON has no word for what is not finite: it is written as
/// `null` and read as NaN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The part of the run.
    pub phase: Phase,
    /// Step size.
    #[serde(default = "nan", deserialize_with = "or_nan")]
    pub learning_rate: f64,
    /// Mean loss of the training images as they came.
    #[serde(default = "nan", deserialize_with = "or_nan")]
    pub train_loss: f64,
    /// Guiding score of the training images as they came, percent.
    #[serde(default = "nan", deserialize_with = "or_nan")]
    pub train_accuracy: f64,
    /// Mean loss of the validation images after the epoch.
    #[serde(default = "nan", deserialize_with = "or_nan")]
    pub val_loss: f64,
    /// Guiding score of the validation images after the epoch, percent.
    #[serde(default = "nan", deserialize_with = "or_nan")]
    pub val_accuracy: f64,
    /// Time it took, validation included.
    #[serde(default = "nan", deserialize_with = "or_nan")]
    pub epoch_seconds: f64,
}

/// A number, or NaN for `null`.
fn or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// What a number is where nothing is said.
fn nan() -> f64 {
    f64::NAN
}

/// A line of the journal. `epoch` counts the epochs trained so far in the whole run, `seconds` the
/// time since it started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are those of the journal's format")]
pub enum Event {
    /// The seed network is about to be trained.
    Started {
        epoch: usize,
        depth: Depth,
        seconds: f64,
        network: String,
        data: String,
        seed: u64,
        parameters: usize,
        macs: u64,
        floor: Option<Depth>,
    },
    /// An epoch is over.
    Epoch {
        epoch: usize,
        depth: Depth,
        seconds: f64,
        metrics: EpochRecord,
        /// What the policy is waiting for.
        #[serde(default)]
        waiting: String,
        /// Epochs still to come if accuracy never improves again; there may be more. None where the
        /// policy does not let that be known.
        epochs_left: Option<usize>,
    },
    /// Images of the epoch, or of the test behind the last one, that could not be read and were
    /// left out.
    Skipped { epoch: usize, depth: Depth, seconds: f64, images: usize },
    /// A sub-module was stacked; the network's size after it. `macs` is 0 in journals of programs
    /// that did not write it down.
    Grew {
        epoch: usize,
        depth: Depth,
        seconds: f64,
        subnet: usize,
        parameters: usize,
        #[serde(default)]
        macs: u64,
    },
    /// The network is the best one so far: the champion, which the next are compared with.
    Kept {
        epoch: usize,
        depth: Depth,
        seconds: f64,
        /// What the policy decided on.
        why: String,
    },
    /// A network that was kept takes the place of the present one; its size.
    RolledBack {
        epoch: usize,
        depth: Depth,
        seconds: f64,
        /// Where it was kept.
        #[serde(default)]
        place: Option<Place>,
        parameters: usize,
        macs: u64,
        /// What the policy decided on.
        #[serde(default)]
        why: String,
    },
    /// Growth begins anew with a deeper seed, because the one before has learnt nothing; its size.
    Restarted {
        epoch: usize,
        depth: Depth,
        seconds: f64,
        parameters: usize,
        macs: u64,
        /// What the policy decided on.
        why: String,
    },
    /// A sub-network left the list: growing it no longer pays.
    Stopped { epoch: usize, depth: Depth, seconds: f64, subnet: usize },
    /// A sub-network left the list: it is as deep as allowed.
    Capped { epoch: usize, depth: Depth, seconds: f64, subnet: usize },
    /// A sub-network left the list: half of `run.max_minutes` is over.
    OutOfTime { epoch: usize, depth: Depth, seconds: f64, subnet: usize },
    /// The depth is found; it is trained for `epochs` more epochs, or as many as there is time for.
    FineTuning { epoch: usize, depth: Depth, seconds: f64, epochs: usize },
    /// The run goes on from a checkpoint: in another process, or after it went back.
    Resumed { epoch: usize, depth: Depth, seconds: f64, step: usize },
    /// Training diverged; it goes on from the checkpoint before with smaller steps.
    WentBack { epoch: usize, depth: Depth, seconds: f64, rate_scale: f64 },
    /// All is done.
    Finished { epoch: usize, depth: Depth, seconds: f64, val_accuracy: f64, test_accuracy: f64 },
}

/// The names of the events, as [`Event`] has them.
const NAMES: [&str; 13] = [
    "started",
    "epoch",
    "skipped",
    "grew",
    "kept",
    "rolled-back",
    "stopped",
    "capped",
    "out-of-time",
    "fine-tuning",
    "resumed",
    "went-back",
    "finished",
];

impl Event {
    /// Reads a line of a journal; none for an event of a newer program.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn read(line: &str) -> serde_json::Result<Option<Self>> {
        #[derive(Deserialize)]
        struct Named {
            event: String,
        }
        match serde_json::from_str(line) {
            Ok(event) => Ok(Some(event)),
            Err(error) => match serde_json::from_str::<Named>(line) {
                Ok(Named { event }) if !NAMES.contains(&&*event) => Ok(None),
                _ => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> EpochRecord {
        EpochRecord {
            phase: Phase::Growing,
            learning_rate: 0.1,
            train_loss: f64::NAN,
            // One that a fast parser reads one bit off.
            train_accuracy: 99.166_666_666_666_67,
            val_loss: f64::INFINITY,
            val_accuracy: 9.0,
            epoch_seconds: 1e-310,
        }
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let (epoch, seconds, depth) = (3, 0.1 + 0.2, "2-1".parse::<Depth>().unwrap());
        let (waiting, epochs_left) = ("for \"more\"".to_string(), None);
        let event = Event::Epoch { epoch, depth, seconds, metrics: record(), waiting, epochs_left };
        let line = serde_json::to_string(&event).unwrap();
        let Ok(Some(Event::Epoch { metrics, seconds: read, .. })) = Event::read(&line) else {
            panic!("{line}")
        };
        assert_eq!((metrics.train_accuracy, read), (record().train_accuracy, seconds));
        assert_eq!((metrics.epoch_seconds, metrics.phase), (1e-310, Phase::Growing));
        assert!(metrics.train_loss.is_nan() && metrics.val_loss.is_nan());
    }

    #[test]
    fn events_of_other_programs_are_no_damage() {
        let grew =
            r#"{"event":"grew","epoch":2,"depth":"2-1","seconds":1.5,"subnet":0,"parameters":7}"#;
        assert!(matches!(Event::read(grew), Ok(Some(Event::Grew { macs: 0, .. }))));
        assert!(matches!(Event::read(r#"{"event":"pruned","epoch":3}"#), Ok(None)));
        for name in NAMES {
            // Known, and lacking everything.
            assert!(Event::read(&format!("{{\"event\":\"{name}\"}}")).is_err(), "{name}");
        }
    }
}
