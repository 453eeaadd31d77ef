//! What the columns of a training table are, and what is left out of them.

use super::number::{is_missing, number};
use super::sheet::{Sheet, UNNAMED};
use super::wanted::{Found, listed};
use autogrow_core::config::Numbers;
use autogrow_core::data::{Cells, Column, LeftOut, TableInput};
use autogrow_core::{Error, Result};
use std::collections::BTreeSet;

/// Different words of a column at most.
const MOST_WORDS: usize = 32;
/// Pieces of a column of numbers at most.
const PIECES: usize = 8;
/// Rows from which on a column that counts them is taken for an index.
const COUNTED: usize = 10;

/// The columns of a table besides those of the targets, measured on some of its rows.
///
/// # Errors
/// [`Error::Data`] where a column is neither numbers nor a few words, or where none is left.
pub(super) fn measure(
    sheet: &Sheet,
    rows: &[usize],
    targets: &Found,
    seen: Numbers,
) -> Result<TableInput> {
    let name = |column: &usize| sheet.names[*column].clone();
    let notes = sheet.notes.iter().chain(&targets.note).map(|note| note.text.clone());
    let mut table = TableInput {
        targets: targets.columns.iter().map(name).collect(),
        columns: Vec::new(),
        left_out: Vec::new(),
        notes: notes.collect(),
    };
    for column in (0..sheet.names.len()).filter(|column| !targets.columns.contains(column)) {
        let name = name(&column);
        match read(sheet, rows, column, seen)? {
            Kept::Column(cells, missing) => table.columns.push(Column { name, cells, missing }),
            Kept::Not(why) => table.left_out.push(LeftOut { name, why }),
        }
    }
    if table.columns.is_empty() {
        let why = table.left_out.iter().map(|column| format!("`{}` {}", column.name, column.why));
        let problem = format!("has nothing to learn from: {}", listed(&why.collect::<Vec<_>>()));
        return Err(Error::data(&*sheet.origin, problem)
            .with_hint("a table has columns besides that of the classes or targets"));
    }
    Ok(table)
}

/// Whether a column is seen by the network.
enum Kept {
    /// How, and whether values are missing.
    Column(Cells, bool),
    /// Why not, to be read behind its name.
    Not(String),
}

fn read(sheet: &Sheet, rows: &[usize], column: usize, seen: Numbers) -> Result<Kept> {
    if is_unnamed(&sheet.names[column]) {
        return Ok(Kept::Not("has no name, as an index".into()));
    }
    if counts_rows(sheet, column) {
        return Ok(Kept::Not("counts the rows, as an index".into()));
    }
    let cells = rows.iter().map(|&row| &sheet.rows[row][column]);
    let values: Vec<&str> = cells.filter(|cell| !is_missing(cell)).collect();
    let missing = values.len() < rows.len();
    let numbers: Vec<f64> = values.iter().filter_map(|cell| number(cell, sheet.decimal)).collect();
    if values.is_empty() {
        return Ok(Kept::Not("is empty".into()));
    }
    if numbers.len() < values.len() {
        if 2 * numbers.len() > values.len() {
            return Err(first_word(sheet, rows, column));
        }
        let words: BTreeSet<String> = values.into_iter().map(word).collect();
        return words_of(sheet, column, words, missing);
    }
    let (mean, deviation) = mean_and_deviation(&numbers);
    // Rounding may make a deviation of equal numbers.
    let constant = numbers.iter().all(|&number| number == numbers[0]);
    if constant && !missing {
        return Ok(Kept::Not(format!("is {} in all rows", numbers[0])));
    }
    if !(mean.is_finite() && deviation.is_finite()) {
        let problem =
            format!("column `{}` holds numbers too large for a mean", sheet.names[column]);
        return Err(Error::data(&*sheet.origin, problem).with_hint("write it in another unit"));
    }
    let deviation = if constant || deviation == 0.0 { 1.0 } else { deviation };
    let edges = if seen == Numbers::Pieces { edges(numbers) } else { Vec::new() };
    Ok(Kept::Column(Cells::Numbers { mean, deviation, edges }, missing))
}

/// Edges between pieces with as many of the numbers in each, as far as these differ; none where that is
/// one piece.
fn edges(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    let last = numbers.len() - 1;
    let mut edges: Vec<f64> = (0..=PIECES).map(|piece| numbers[piece * last / PIECES]).collect();
    // A width that is no normal number is none to divide by.
    edges.dedup_by(|edge, before| !(*edge - *before).is_normal());
    if edges.len() > 2 { edges } else { Vec::new() }
}

fn words_of(sheet: &Sheet, column: usize, words: BTreeSet<String>, missing: bool) -> Result<Kept> {
    let count = words.len();
    if count > MOST_WORDS {
        let problem = format!(
            "column `{}` holds {count} different words; at most {MOST_WORDS} are told apart",
            sheet.names[column]
        );
        return Err(Error::data(&*sheet.origin, problem)
            .with_hint("take the column out of the table, or write numbers or fewer words"));
    }
    let words: Vec<_> = words.into_iter().collect();
    if count == 1 && !missing {
        return Ok(Kept::Not(format!("is `{}` in all rows", words[0])));
    }
    Ok(Kept::Column(Cells::Words { words }, missing))
}

/// A cell as a word: truth values of pandas and of spreadsheets are the same.
pub(super) fn word(cell: &str) -> String {
    let is_truth = ["true", "false"].iter().any(|word| cell.eq_ignore_ascii_case(word));
    if is_truth { cell.to_ascii_lowercase() } else { cell.into() }
}

/// Whether a name is none, or what pandas calls a column without one.
pub(super) fn is_unnamed(name: &str) -> bool {
    name.is_empty() || name.starts_with("Unnamed: ")
}

/// Whether a column is 0, 1, 2 or 1, 2, 3 and so on, through all rows of the table; in any order where
/// it has the name of an index, or names are not known.
fn counts_rows(sheet: &Sheet, column: usize) -> bool {
    let cells = || sheet.rows.iter().map(|row| number(&row[column], sheet.decimal));
    let counts =
        |first: usize| (first..).zip(cells()).all(|(place, cell)| cell == Some(place as f64));
    let is_permuted = || {
        let mut numbers = cells().collect::<Option<Vec<f64>>>().unwrap_or_default();
        numbers.sort_by(f64::total_cmp);
        let first = numbers.first().copied().unwrap_or(f64::NAN);
        let are_counted =
            numbers.iter().zip(0_u32..).all(|(&number, place)| number == first + f64::from(place));
        (first == 0.0 || first == 1.0) && are_counted
    };
    sheet.rows.len() >= COUNTED
        && (counts(0) || counts(1) || (is_name_of_index(&sheet.names[column]) && is_permuted()))
}

/// Whether a column of this name may be an index whose rows were shuffled.
fn is_name_of_index(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let names = ["id", "idx", "index", "key", "nr", "no", "number", "row", "rownum"];
    names.contains(&name.as_str())
        || name.ends_with("_id")
        || name.ends_with(" id")
        || (name.starts_with(UNNAMED) && name[UNNAMED.len()..].parse::<usize>().is_ok())
}

/// The error of a word in a column that is mostly numbers.
fn first_word(sheet: &Sheet, rows: &[usize], column: usize) -> Error {
    let is_word = |row: &&usize| {
        let cell = &sheet.rows[**row][column];
        !is_missing(cell) && number(cell, sheet.decimal).is_none()
    };
    let row = rows.iter().find(is_word).copied().unwrap_or(0);
    sheet.wrong(row, column, &format!("`{}` is not a number", &sheet.rows[row][column]))
}

/// Mean and standard deviation of some numbers.
pub(super) fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}
