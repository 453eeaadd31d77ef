//! The content of a table's file: numbers, and the text of the columns that hold the targets.

use super::LAYOUT;
use crate::error::of_file;
use autogrow_core::{Error, Result};
use autogrow_formats::Input;
use csv::{Reader, ReaderBuilder, StringRecord, Trim};
use std::collections::BTreeSet;
use std::path::Path;

/// Which columns hold the targets.
pub(super) struct Wanted {
    /// Their names, in order; empty: that of the usual name, or else the last one.
    pub(super) names: Vec<String>,
    pub(super) usual: &'static str,
}

impl Wanted {
    /// The same columns as those of a table that was read already.
    pub(super) fn found(&self, table: &Table) -> Self {
        Self { names: table.targets.clone(), usual: self.usual }
    }

    /// Where they are among `names`.
    fn positions(&self, names: &[String]) -> Result<Vec<usize>, String> {
        let position = |wanted: &str| names.iter().position(|name| name == wanted);
        if self.names.is_empty() {
            return Ok(vec![position(self.usual).unwrap_or(names.len() - 1)]);
        }
        if let Some(twice) = first_twice(&self.names) {
            return Err(format!("has one column `{twice}`, which is named twice"));
        }
        let known = |name: &String| {
            position(name).ok_or_else(|| {
                format!("has no column `{name}`; its columns are {}", names.join(", "))
            })
        };
        let positions = self.names.iter().map(known).collect::<Result<Vec<_>, _>>()?;
        if positions.len() == names.len() {
            return Err("has no column besides those of the targets".into());
        }
        Ok(positions)
    }
}

/// A file's content.
pub(super) struct Table {
    pub(super) origin: Box<Path>,
    /// Names of the columns of targets.
    pub(super) targets: Vec<String>,
    /// Names of the others.
    pub(super) columns: Vec<String>,
    /// `[rows, columns]`.
    pub(super) values: Vec<f32>,
    /// `[rows, targets]`.
    pub(super) cells: Vec<String>,
    /// Each row's line in the file.
    pub(super) lines: Vec<u64>,
}

impl Table {
    pub(super) fn read(path: &Path, wanted: &Wanted) -> Result<Self> {
        let bytes =
            Input::open(path).and_then(|mut input| input.rest(u64::MAX)).map_err(of_file)?;
        Self::parse(path, &bytes, wanted)
    }

    /// Takes a file's bytes apart.
    pub(super) fn parse(path: &Path, bytes: &[u8], wanted: &Wanted) -> Result<Self> {
        let problem = |problem: String| Error::data(path, problem).with_hint(LAYOUT);
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
        let names: Vec<String> = reader
            .headers()
            .map_err(|error| problem(error.to_string()))?
            .iter()
            .map(Into::into)
            .collect();
        if names.len() < 2 || names.iter().all(|name| name.parse::<f32>().is_ok()) {
            return Err(problem(format!("line 1 does not name columns: {}", names.join(","))));
        }
        if let Some(twice) = first_twice(&names) {
            return Err(problem(format!("line 1 names two columns `{twice}`")));
        }
        let positions = wanted.positions(&names).map_err(problem)?;
        let targets: Vec<_> = positions.iter().map(|&column| names[column].clone()).collect();
        let mut table = Self {
            origin: path.into(),
            columns: names.iter().filter(|name| !targets.contains(name)).cloned().collect(),
            targets,
            values: Vec::new(),
            cells: Vec::new(),
            lines: Vec::new(),
        };
        table.read_rows(&mut reader, &names, &positions).map_err(problem)?;
        if table.lines.is_empty() {
            return Err(problem("has no rows".into()));
        }
        Ok(table)
    }

    fn read_rows(
        &mut self,
        reader: &mut Reader<&[u8]>,
        names: &[String],
        targets: &[usize],
    ) -> Result<(), String> {
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(|error| error.to_string())? {
            let line = record.position().map_or(0, csv::Position::line);
            for (column, (field, name)) in record.iter().zip(names).enumerate() {
                let wrong = |what: &str| Err(format!("line {line}, column `{name}`: {what}"));
                match field.parse::<f32>() {
                    _ if field.is_empty() => return wrong("the value is missing"),
                    _ if targets.contains(&column) => {}
                    Ok(value) if value.is_finite() => self.values.push(value),
                    _ => return wrong(&format!("`{field}` is not a number")),
                }
            }
            self.cells.extend(targets.iter().map(|&column| record[column].to_string()));
            self.lines.push(line);
        }
        Ok(())
    }

    /// Some of the rows.
    pub(super) fn part(&self, rows: &[usize]) -> Self {
        fn taken<T: Clone>(all: &[T], rows: &[usize], width: usize) -> Vec<T> {
            rows.iter().flat_map(|row| &all[row * width..(row + 1) * width]).cloned().collect()
        }
        Self {
            origin: self.origin.clone(),
            targets: self.targets.clone(),
            columns: self.columns.clone(),
            values: taken(&self.values, rows, self.columns.len()),
            cells: taken(&self.cells, rows, self.targets.len()),
            lines: taken(&self.lines, rows, 1),
        }
    }

    /// The same rows with columns in the order of another table.
    pub(super) fn with_columns_of(mut self, other: &Self) -> Result<Self> {
        let order: Option<Vec<usize>> = other
            .columns
            .iter()
            .map(|name| self.columns.iter().position(|own| own == name))
            .collect();
        let Some(order) = order.filter(|order| order.len() == self.columns.len()) else {
            let differs = |name: &&String| !other.columns.contains(name);
            let missing = other.columns.iter().find(|name| !self.columns.contains(name));
            let problem = match (missing, self.columns.iter().find(differs)) {
                (Some(name), _) => format!("has no column `{name}`, which the training part has"),
                (None, name) => format!(
                    "has a column `{}`, which the training part has not",
                    name.map_or("", String::as_str)
                ),
            };
            return Err(Error::data(&*self.origin, problem)
                .with_hint("both files have the same columns, in any order"));
        };
        let rows = self.values.chunks(order.len().max(1));
        self.values = rows.flat_map(|row| order.iter().map(|&column| row[column])).collect();
        self.columns.clone_from(&other.columns);
        Ok(self)
    }

    /// Mean and deviation of each column; a column that never changes is only moved.
    pub(super) fn scales(&self) -> Vec<(f64, f64)> {
        let width = self.columns.len();
        let scale = |column: usize| {
            let values = self.values.iter().skip(column).step_by(width).map(|&v| f64::from(v));
            let (mean, deviation) = mean_and_deviation(&values.collect::<Vec<_>>());
            (mean, if deviation > 0.0 { deviation } else { 1.0 })
        };
        (0..width).map(scale).collect()
    }

    /// The numbers `[rows, columns]`, each column with the mean and deviation of `scales` taken off.
    pub(super) fn standardised(mut self, scales: &[(f64, f64)]) -> Vec<f32> {
        for row in self.values.chunks_mut(scales.len().max(1)) {
            for (value, (mean, deviation)) in row.iter_mut().zip(scales) {
                *value = ((f64::from(*value) - mean) / deviation) as f32;
            }
        }
        self.values
    }
}

/// Mean and standard deviation of some numbers.
pub(super) fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

fn first_twice(names: &[String]) -> Option<&String> {
    let mut seen = BTreeSet::new();
    names.iter().find(|name| !seen.insert(*name))
}
