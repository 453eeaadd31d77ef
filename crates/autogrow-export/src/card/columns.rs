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
            Cells::Numbers { mean, deviation } => (
                format!("numbers, standardised by mean {mean} and deviation {deviation}"),
                "the mean",
            ),
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
