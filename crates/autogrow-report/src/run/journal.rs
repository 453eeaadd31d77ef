//! `journal.jsonl`: what happened in a run, an event a line. The last line may be torn, because a
//! process can die in the middle of it; any other bad line is left out and told.

use super::number::{self, float, float_or_nan, nan};
use super::{Depth, Epoch, Phase};
use serde::Deserialize;

/// Something that happened, as far as a report tells of it. `epoch` counts the epochs trained so
/// far in the whole run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are those of the journal's format")]
pub enum Event {
    /// The seed network is about to be trained.
    Started {
        depth: Depth,
        network: String,
        data: String,
        seed: u64,
        parameters: u64,
        macs: u64,
        floor: Option<Depth>,
    },
    /// An epoch is over.
    Epoch {
        epoch: usize,
        depth: Depth,
        #[serde(default = "nan", deserialize_with = "float_or_nan")]
        seconds: f64,
        metrics: Metrics,
        #[serde(default)]
        waiting: String,
        #[serde(default)]
        epochs_left: usize,
    },
    /// A sub-module was stacked. `macs` of one image, where the journal tells them.
    Grew { epoch: usize, depth: Depth, subnet: usize, parameters: u64, macs: Option<u64> },
    /// A sub-network left the list: growing it no longer pays.
    Stopped { epoch: usize, depth: Depth, subnet: usize },
    /// A sub-network left the list: it is as deep as allowed.
    Capped { epoch: usize, depth: Depth, subnet: usize },
    /// The depth is found; it is trained for `epochs` more epochs.
    FineTuning { epoch: usize, depth: Depth, epochs: usize },
    /// Another process went on with the run.
    Resumed { epoch: usize },
    /// Training diverged; it went on from the checkpoint before with smaller steps.
    WentBack {
        epoch: usize,
        #[serde(deserialize_with = "float")]
        rate_scale: f64,
    },
    /// All is done.
    Finished { epoch: usize },
    /// An event of a newer program.
    #[serde(other)]
    Unknown,
}

/// The numbers of an epoch; JSON has no NaN, so what is not a number comes as `null`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[expect(missing_docs, reason = "as in metrics.csv")]
pub struct Metrics {
    pub phase: Phase,
    #[serde(default = "nan", deserialize_with = "float_or_nan")]
    pub learning_rate: f64,
    #[serde(default = "nan", deserialize_with = "float_or_nan")]
    pub train_loss: f64,
    #[serde(default = "nan", deserialize_with = "float_or_nan")]
    pub train_accuracy: f64,
    #[serde(default = "nan", deserialize_with = "float_or_nan")]
    pub val_loss: f64,
    #[serde(default = "nan", deserialize_with = "float_or_nan")]
    pub val_accuracy: f64,
    #[serde(default = "nan", deserialize_with = "float_or_nan")]
    pub epoch_seconds: f64,
}

/// The events of a journal in order, and a word on each line that is damaged.
pub(super) fn read(text: &str) -> (Vec<Event>, Vec<String>) {
    let (mut events, mut damaged) = (Vec::new(), Vec::new());
    let whole = text.ends_with('\n');
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        match number::read(line) {
            Ok(Event::Epoch { epoch: 0, .. }) => {
                let number = index + 1;
                damaged.push(format!("journal.jsonl, line {number}: an epoch 0; left out"));
            }
            Ok(event) => events.push(event),
            Err(_) if line.trim().is_empty() => {}
            // Torn off: normal where a process was killed.
            Err(_) if index + 1 == lines.len() && !whole => {}
            Err(error) => {
                damaged.push(format!("journal.jsonl, line {}: {error}; left out", index + 1));
            }
        }
    }
    (events, damaged)
}

/// The epochs among `events`.
pub(super) fn epochs(events: &[Event]) -> impl Iterator<Item = Epoch> {
    events.iter().filter_map(|event| match event {
        Event::Epoch { epoch, depth, seconds, metrics, .. } => Some(Epoch {
            number: *epoch,
            phase: metrics.phase,
            depth: depth.clone(),
            learning_rate: metrics.learning_rate,
            train_loss: metrics.train_loss,
            train_accuracy: metrics.train_accuracy,
            val_loss: metrics.val_loss,
            val_accuracy: metrics.val_accuracy,
            seconds: metrics.epoch_seconds,
            elapsed: *seconds,
        }),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOPPED: &str =
        r#"{"event":"stopped","epoch":9,"depth":"3-2-2","seconds":1.5,"subnet":1}"#;

    #[test]
    fn a_torn_last_line_is_normal_and_any_other_is_told() {
        let whole = format!("{STOPPED}\n{STOPPED}\n");
        assert_eq!(read(&whole).0.len(), 2);
        for cut in STOPPED.len() + 1..whole.len() - 2 {
            let (events, damaged) = read(&whole[..cut]);
            assert_eq!((events.len(), damaged.len()), (1, 0), "cut to {cut} bytes");
        }
        let (events, damaged) = read(&format!("{STOPPED}\n{{\"event\"\n{STOPPED}\n"));
        assert_eq!((events.len(), damaged.len()), (2, 1));
        assert!(damaged[0].contains("line 2"), "{damaged:?}");
    }

    #[test]
    fn what_is_no_number_comes_as_null() {
        let line = r#"{"event":"epoch","epoch":1,"depth":"1-1","seconds":1.0,"metrics":{"phase":
            "growing","learning_rate":0.1,"train_loss":null,"train_accuracy":10.0,"val_loss":null,
            "val_accuracy":9.0,"epoch_seconds":1.0}}"#
            .replace('\n', "");
        let (events, damaged) = read(&line);
        assert!(damaged.is_empty(), "{damaged:?}");
        let epoch = epochs(&events).next().unwrap();
        assert!(epoch.train_loss.is_nan());
        assert_eq!(epoch.val_accuracy, 9.0);
    }

    #[test]
    fn epochs_count_from_one() {
        let epoch = |number: usize| {
            format!(
                "{{\"event\":\"epoch\",\"epoch\":{number},\"depth\":\"1-1\",\"metrics\":\
                 {{\"phase\":\"growing\"}}}}\n"
            )
        };
        let (events, damaged) = read(&[0, 1].map(epoch).concat());
        assert_eq!(epochs(&events).map(|epoch| epoch.number).collect::<Vec<_>>(), [1]);
        assert_eq!(damaged, ["journal.jsonl, line 1: an epoch 0; left out"]);
    }

    #[test]
    fn events_of_newer_programs_are_passed_over() {
        assert_eq!(read("{\"event\":\"pruned\",\"epoch\":3}\n").0, [Event::Unknown]);
    }
}
