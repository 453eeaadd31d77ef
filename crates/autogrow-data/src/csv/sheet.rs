//! The content of a table's file as text: its separator, the names of its columns, its rows.

use super::LAYOUT;
use super::number::{Decimal, number};
use crate::error::of_file;
use autogrow_core::{Error, Result};
use autogrow_formats::Input;
use csv::{ReaderBuilder, StringRecord, Trim};
use std::collections::BTreeSet;
use std::path::Path;

/// What columns may be parted by. A comma is also found within numbers and text, so it is tried last.
const SEPARATORS: [(u8, &str); 3] = [(b'\t', "tabs"), (b';', "semicolons"), (b',', "commas")];
/// Rows that tell which one it is.
const TRIED: usize = 100;

/// Something that was decided about a table.
pub(super) struct Note {
    /// What, in words.
    pub(super) text: String,
    /// Whether it may be wrong.
    pub(super) guess: bool,
}

impl Note {
    pub(super) fn sure(text: impl Into<String>) -> Self {
        Self { text: text.into(), guess: false }
    }

    pub(super) fn guess(text: impl Into<String>) -> Self {
        Self { text: text.into(), guess: true }
    }
}

/// What columns without names are called, with their number from 1 behind it.
pub(super) const UNNAMED: &str = "column ";

/// A table's cells.
pub(super) struct Sheet {
    /// The file, for errors.
    pub(super) origin: Box<Path>,
    /// Of the columns; empty where line 1 leaves a name out.
    pub(super) names: Vec<String>,
    /// The rows, each of as many cells.
    pub(super) rows: Vec<StringRecord>,
    /// Line of each row in the file.
    pub(super) lines: Vec<u64>,
    /// How its numbers are written.
    pub(super) decimal: Decimal,
    /// What is unusual about the file.
    pub(super) notes: Vec<Note>,
}

impl Sheet {
    /// Reads a file. Where `known` are names of columns, a first line with one of them names columns.
    ///
    /// # Errors
    /// [`Error::Data`] where it cannot be read or is no table.
    pub(super) fn read(path: &Path, known: &[&str]) -> Result<Self> {
        Self::of(path, Input::open(path).map_err(of_file)?, known)
    }

    /// Reads what is left of a file.
    ///
    /// # Errors
    /// As [`Sheet::read`].
    pub(super) fn of(path: &Path, mut input: Input<'_>, known: &[&str]) -> Result<Self> {
        Self::parse(path, &input.rest(u64::MAX).map_err(of_file)?, known)
    }

    /// Takes a file's bytes apart.
    pub(super) fn parse(path: &Path, bytes: &[u8], known: &[&str]) -> Result<Self> {
        let problem = |problem: String| Error::data(path, problem).with_hint(LAYOUT);
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(problem("is UTF-16".into()).with_hint("save the table as UTF-8"));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let (separator, plural) = separator(bytes);
        let mut reader = reader(separator).flexible(false).from_reader(bytes);
        let records = reader.records().collect::<Result<Vec<_>, _>>();
        let mut rows = records.map_err(|error| match error.kind() {
            csv::ErrorKind::Utf8 { .. } => {
                problem(error.to_string()).with_hint("save the table as UTF-8")
            }
            _ => problem(error.to_string()),
        })?;
        let mut notes = Vec::new();
        if separator != b',' {
            notes.push(Note::sure(format!("columns are parted by {plural}")));
        }
        let whole = rows.len();
        rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
        if rows.len() < whole {
            let count = whole - rows.len();
            notes.push(Note::sure(format!("{count} rows without any value are left out")));
        }
        let decimal = Decimal::of(rows.iter().flat_map(StringRecord::iter), separator);
        if decimal == Decimal::Comma {
            notes.push(Note::sure("numbers have decimal commas"));
        }
        let Some((first, rest)) = rows.split_first() else {
            return Err(problem("is empty".into()));
        };
        if first.len() < 2 && known.is_empty() {
            return Err(problem(format!("line 1 does not name columns: {}", &first[0]))
                .with_hint("columns are parted by commas, semicolons or tabs"));
        }
        let names: Vec<String> = if first.iter().any(|name| known.contains(&name))
            || names_columns(first, rest, decimal)
        {
            rows.remove(0).iter().map(Into::into).collect()
        } else {
            let names = (1..=first.len()).map(|place| format!("{UNNAMED}{place}")).collect();
            notes.push(Note::guess("line 1 is a row: columns are called by their place"));
            names
        };
        if let Some(twice) = first_twice(names.iter().filter(|name| !name.is_empty())) {
            return Err(problem(format!("line 1 names two columns `{twice}`"))
                .with_hint("give each column a name of its own"));
        }
        if rows.is_empty() {
            return Err(problem("has no rows".into()));
        }
        let lines = rows.iter().map(|row| line(row, bytes)).collect();
        Ok(Self { origin: path.into(), names, rows, lines, decimal, notes })
    }

    /// An error about a cell.
    pub(super) fn wrong(&self, row: usize, column: usize, what: &str) -> Error {
        let problem = format!("line {}, column `{}`: {what}", self.lines[row], self.names[column]);
        Error::data(&*self.origin, problem).with_hint(LAYOUT)
    }
}

fn reader(separator: u8) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).delimiter(separator).trim(Trim::All);
    builder
}

/// The line of a row. Its position is that behind the row before, so blank lines, and the second half
/// of a line's end in Windows, may come first.
fn line(row: &StringRecord, bytes: &[u8]) -> u64 {
    let Some(position) = row.position() else { return 0 };
    let rest = bytes.get(position.byte() as usize..).unwrap_or_default();
    let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + ends.filter(|&&byte| byte == b'\n').count() as u64
}

/// What parts the same number of columns in each row; if nothing does, what parts line 1 most often.
fn separator(bytes: &[u8]) -> (u8, &'static str) {
    let counts = SEPARATORS.map(|(separator, _)| {
        let reader = reader(separator).flexible(true).from_reader(bytes);
        let rows = reader.into_byte_records().take(TRIED);
        rows.filter_map(Result::ok).map(|row| row.len()).collect::<Vec<_>>()
    });
    let parts = |counts: &Vec<usize>| {
        counts.first().is_some_and(|&first| first > 1 && counts.iter().all(|&own| own == first))
    };
    let first = |place: &usize| counts[*place].first().copied().unwrap_or(0);
    let place = counts.iter().position(parts);
    let place = place.or_else(|| (0..SEPARATORS.len()).max_by_key(first));
    SEPARATORS[place.unwrap_or(SEPARATORS.len() - 1)]
}

/// Whether the first line names columns. It is a row where its words occur in the rows below, and
/// where it holds numbers that are not names: pandas names columns 0, 1, 2 and so on.
fn names_columns(first: &StringRecord, rest: &[StringRecord], decimal: Decimal) -> bool {
    let below = |column: usize| rest.iter().filter_map(move |row| row.get(column));
    let (mut words, mut repeated, mut above_numbers) = (0, 0, false);
    let mut numbers = Vec::new();
    for (column, name) in first.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        if let Some(number) = number(name, decimal) {
            numbers.push(number);
            continue;
        }
        words += 1;
        repeated += usize::from(below(column).any(|cell| cell == name));
        above_numbers |= below(column).any(|cell| number(cell, decimal).is_some());
    }
    if words > 0 && 2 * repeated >= words {
        return false;
    }
    // Two numbers alone are as well a row of zeros and ones.
    let counts = (0..).zip(&numbers).all(|(place, &number)| number == f64::from(place));
    if counts && (words > 0 || numbers.len() > 2) {
        return true;
    }
    let whole = numbers.iter().all(|number| number.fract() == 0.0);
    let ascends = words > 0 && numbers.len() > 1 && numbers.is_sorted_by(|a, b| a < b);
    whole && (above_numbers || ascends)
}

/// The first of some names that is there twice.
pub(super) fn first_twice<'a>(mut names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = BTreeSet::new();
    names.find(|name| !seen.insert(*name))
}
