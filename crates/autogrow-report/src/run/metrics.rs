//! `metrics.csv`: a row an epoch. Columns are found by name, so that a newer program may add some.

use super::Epoch;
use autogrow_run::{EpochRecord, Phase, names};

/// The epochs of the file in order, and a word on each row that is damaged. The last row may be
/// torn.
pub(super) fn read(text: &str) -> (Vec<Epoch>, Vec<String>) {
    let whole = text.ends_with('\n');
    let mut lines = text.lines().enumerate().peekable();
    let Some((_, header)) = lines.next() else { return (Vec::new(), Vec::new()) };
    let header: Vec<&str> = header.split(',').map(str::trim).collect();
    let mut places = Vec::new();
    for name in names::METRICS_HEADER.split(',') {
        match header.iter().position(|own| *own == name) {
            Some(found) => places.push(found),
            None => return (Vec::new(), vec![format!("metrics.csv has no column {name}")]),
        }
    }
    let (mut epochs, mut damaged) = (Vec::new(), Vec::new());
    while let Some((index, line)) = lines.next() {
        let torn = lines.peek().is_none() && !whole;
        match row(line, &places) {
            // A number may be cut in the middle and still be a number.
            _ if torn || line.is_empty() => {}
            Some(epoch) => epochs.push(epoch),
            None => damaged.push(format!("metrics.csv, line {} is damaged; left out", index + 1)),
        }
    }
    (epochs, damaged)
}

/// A row, whose cells in the order of [`names::METRICS_HEADER`] are at `places`.
fn row(line: &str, places: &[usize]) -> Option<Epoch> {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    let mut cells = places.iter().map(|place| cells.get(*place).copied());
    let mut cell = || cells.next().flatten();
    // Epochs count from 1; 0 is the seed before any.
    let number = cell()?.parse().ok().filter(|number| *number > 0)?;
    let phase = cell()?;
    let phase = Phase::ALL.into_iter().find(|own| own.name() == phase)?;
    let depth = cell()?.parse().ok()?;
    let mut value = || cell()?.parse::<f64>().ok();
    let record = EpochRecord {
        phase,
        learning_rate: value()?,
        train_loss: value()?,
        train_accuracy: value()?,
        val_loss: value()?,
        val_accuracy: value()?,
        epoch_seconds: value()?,
    };
    Some(Epoch { number, depth, record, elapsed: f64::NAN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_and_bad_ones_told() {
        let text = format!(
            "{}\n1,growing,1-1,0.1,NaN,10,inf,9.5,1.5\n2,growing,1-1,0.1\n\
             3,fine-tuning,2-1,0.1,0.5,80,0.6,79,2\n0,fine-tuning,2-1,0.1,0.5,80,0.6,79,2\n\
             4,growing,1-1,0.1,1,10,1,9.5,1",
            names::METRICS_HEADER
        );
        let (epochs, damaged) = read(&text);
        assert_eq!(epochs.iter().map(|epoch| epoch.number).collect::<Vec<_>>(), [1, 3]);
        let record = &epochs[0].record;
        assert!(record.train_loss.is_nan() && record.val_loss.is_infinite());
        assert_eq!((record.val_accuracy, record.epoch_seconds), (9.5, 1.5));
        let told = [3, 5].map(|line| format!("metrics.csv, line {line} is damaged; left out"));
        assert_eq!(damaged, told);
    }

    #[test]
    fn columns_are_found_by_name() {
        let columns: Vec<&str> = names::METRICS_HEADER.split(',').rev().collect();
        let text = format!("newer,{}\n7,2,79,0.6,80,0.5,0.1,2-1,growing,3\n", columns.join(","));
        let (epochs, damaged) = read(&text);
        assert_eq!(damaged, [""; 0]);
        assert_eq!((epochs[0].number, epochs[0].record.val_accuracy), (3, 79.0));
    }

    #[test]
    fn a_file_without_a_column_or_without_anything() {
        assert_eq!(read("epoch,phase\n1,growing\n").1, ["metrics.csv has no column depth"]);
        assert_eq!(read(""), (Vec::new(), Vec::new()));
    }
}
