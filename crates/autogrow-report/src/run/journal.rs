//! `journal.jsonl`: what happened in a run, an event a line. The last line may be torn, because a
//! process can die in the middle of it; any other bad line is left out and told.

use super::Epoch;
use autogrow_run::Event;

/// The events of a journal in order, and a word on each line that is damaged. Events of newer
/// programs are passed over.
pub(super) fn read(text: &str) -> (Vec<Event>, Vec<String>) {
    let (mut events, mut damaged) = (Vec::new(), Vec::new());
    let whole = text.ends_with('\n');
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let mut left_out = |why: String| {
            damaged.push(format!("journal.jsonl, line {}: {why}; left out", index + 1));
        };
        match Event::read(line) {
            // Epochs count from 1; 0 is the seed before any.
            Ok(Some(Event::Epoch { epoch: 0, .. })) => left_out("an epoch 0".into()),
            Ok(event) => events.extend(event),
            Err(_) if line.trim().is_empty() => {}
            // Torn off: normal where a process was killed.
            Err(_) if index + 1 == lines.len() && !whole => {}
            Err(error) => left_out(error.to_string()),
        }
    }
    (events, damaged)
}

/// The epochs among `events`.
pub(super) fn epochs(events: &[Event]) -> impl Iterator<Item = Epoch> {
    events.iter().filter_map(|event| match event {
        Event::Epoch { epoch, depth, seconds, metrics, .. } => Some(Epoch {
            number: *epoch,
            depth: depth.clone(),
            record: metrics.clone(),
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
    fn epochs_count_from_one() {
        let epoch = |number: usize| {
            format!(
                "{{\"event\":\"epoch\",\"epoch\":{number},\"depth\":\"1-1\",\"seconds\":1,\
                 \"metrics\":{{\"phase\":\"growing\"}}}}\n"
            )
        };
        let (events, damaged) = read(&[0, 1].map(epoch).concat());
        assert_eq!(epochs(&events).map(|epoch| epoch.number).collect::<Vec<_>>(), [1]);
        assert_eq!(damaged, ["journal.jsonl, line 1: an epoch 0; left out"]);
    }
}
