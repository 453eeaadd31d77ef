//! The part of a model card on the columns of tables.

use super::plain;
use autogrow_core::data::{Cells, Column, TableInput};
use std::fmt::Write;

/// The columns of the tables that a network takes, as a table of Markdown.
pub(super) fn columns(table: &TableInput, text: &mut String) {
    line!(text, "A row has these columns, in any order; they are known by their names.\n");
    line!(text, "| column | holds | where missing |");
    line!(text, "|---|---|---|");
    for Column { name, cells, missing } in &table.columns {
        let (holds, filled) = match cells {
            Cells::Numbers { mean, deviation, edges } => {
                let mut holds =
                    format!("numbers, standardised by mean {mean} and deviation {deviation}");
                if !edges.is_empty() {
                    let edges: Vec<_> = edges.iter().map(ToString::to_string).collect();
                    holds += &format!(", and in pieces between {}", edges.join(", "));
                }
                (holds, "the mean")
            }
            Cells::Words { words } => {
                let words: Vec<_> = words.iter().map(|word| format!("`{}`", plain(word))).collect();
                (format!("one of {}", words.join(", ")), "no word")
            }
        };
        let seen = if *missing { ", and marked by a feature" } else { "; never in training" };
        line!(text, "| `{}` | {holds} | {filled}{seen} |", plain(name));
    }
    for column in &table.left_out {
        line!(text, "\nColumn `{}` {}; it is left out.", plain(&column.name), plain(&column.why));
    }
}

/// Names of features whose values lie so far from 0, for their deviation, that float32 rounds them by
/// more than a thousandth of it.
pub(super) fn rounded_by_float32(table: &TableInput) -> Vec<String> {
    let step = |mean: f64| mean.abs() * f64::from(f32::EPSILON);
    let features = table.features().into_iter().filter(|of| !of.is_piece);
    features.filter(|of| step(of.mean) > 1e-3 * of.deviation).map(|of| of.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_and_those_that_float32_rounds_are_named() {
        let column = |name: &str, mean| {
            let cells = Cells::Numbers { mean, deviation: 20.0, edges: vec![0.0, 1.5, mean] };
            Column { name: name.into(), cells, missing: true }
        };
        let table = TableInput {
            targets: vec!["label".into()],
            columns: vec![column("year", 2_000.0), column("time", 1.7e9)],
            left_out: Vec::new(),
            notes: Vec::new(),
        };
        assert_eq!(rounded_by_float32(&table), ["time"]);
        let mut text = String::new();
        columns(&table, &mut text);
        assert!(text.contains("| `year` | numbers, standardised by mean 2000 and deviation 20, "));
        assert!(text.contains(", and in pieces between 0, 1.5, 2000 |"), "{text}");
        assert!(text.contains("the mean, and marked by a feature"), "{text}");
    }
}
