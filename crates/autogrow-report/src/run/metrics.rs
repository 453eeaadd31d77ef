//! `metrics.csv`: a row an epoch. Columns are found by name, so that a newer program may add some.

use super::{Depth, Epoch, Phase};

/// Its columns.
const COLUMNS: [&str; 9] = [
    "epoch",
    "phase",
    "depth",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "seconds",
];

/// The epochs of the file in order, and a word on each row that is damaged. The last row may be
/// torn.
pub(super) fn read(text: &str) -> (Vec<Epoch>, Vec<String>) {
    let whole = text.ends_with('\n');
    let mut lines = text.lines().enumerate().peekable();
    let Some((_, header)) = lines.next() else { return (Vec::new(), Vec::new()) };
    let header: Vec<&str> = header.split(',').map(str::trim).collect();
    let mut places = [0; COLUMNS.len()];
    for (place, name) in places.iter_mut().zip(COLUMNS) {
        match header.iter().position(|own| *own == name) {
            Some(found) => *place = found,
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

fn row(line: &str, places: &[usize; COLUMNS.len()]) -> Option<Epoch> {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    let cell = |column: usize| cells.get(places[column]).copied();
    let number = |column: usize| cell(column)?.parse::<f64>().ok();
    Some(Epoch {
        // Epochs count from 1; 0 is the seed before any.
        number: cell(0)?.parse::<usize>().ok().filter(|number| *number > 0)?,
        phase: Phase::named(cell(1)?)?,
        depth: cell(2)?.parse::<Depth>().ok()?,
        learning_rate: number(3)?,
        train_loss: number(4)?,
        train_accuracy: number(5)?,
        val_loss: number(6)?,
        val_accuracy: number(7)?,
        seconds: number(8)?,
        elapsed: f64::NAN,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "epoch,phase,depth,learning_rate,train_loss,train_accuracy,val_loss,\
                          val_accuracy,seconds";

    #[test]
    fn rows_are_read_and_bad_ones_told() {
        let text = format!(
            "{HEADER}\n1,growing,1-1,0.1,NaN,10,inf,9.5,1.5\n2,growing,1-1,0.1\n\
             3,fine-tuning,2-1,0.1,0.5,80,0.6,79,2\n0,fine-tuning,2-1,0.1,0.5,80,0.6,79,2\n\
             4,growing,1-1,0.1,1,10,1,9.5,1"
        );
        let (epochs, damaged) = read(&text);
        assert_eq!(epochs.iter().map(|epoch| epoch.number).collect::<Vec<_>>(), [1, 3]);
        assert!(epochs[0].train_loss.is_nan() && epochs[0].val_loss.is_infinite());
        let told = [3, 5].map(|line| format!("metrics.csv, line {line} is damaged; left out"));
        assert_eq!(damaged, told);
    }

    #[test]
    fn a_file_without_a_column_or_without_anything() {
        assert_eq!(read("epoch,phase\n1,growing\n").1, ["metrics.csv has no column depth"]);
        assert_eq!(read(""), (Vec::new(), Vec::new()));
    }
}
