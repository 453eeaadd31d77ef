//! `csv`: a user's own table. A row is a vector, `[columns, 1, 1]`, one column of it the class.
//!
//! `data.dir` names a file, or a folder with `train.csv` and `test.csv`; a file alone is divided:
//! a fifth of each class is set aside for tests, the same for every seed. The first line names the
//! columns. `data.label` names that of the class, whose values may be any text; where it is empty,
//! that is the column `label` or else the last one. All other columns hold numbers, none missing,
//! and are standardised with the training part's mean and deviation.

use crate::error::of_file;
use crate::images::Source;
use crate::parts::{Parts, spread};
use crate::random::Draws;
use autogrow_core::data::{DataRequest, DataSet, DataSetKind};
use autogrow_core::{Error, Result};
use autogrow_formats::Input;
use csv::{Reader, ReaderBuilder, StringRecord, Trim};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

autogrow_core::register! {
    DataSetKind {
        name: "csv",
        origin: env!("CARGO_PKG_NAME"),
        summary: "your own table: data.dir is a CSV file, data.label its column of classes",
        open,
    }
}

/// What to do about a table that cannot be used.
const LAYOUT: &str = "the first line names the columns, each other line is a row: a class in the \
                      column data.label, numbers in all others";
/// Classes at most, as many as labels can tell apart.
const MOST_CLASSES: usize = 1 << 16;

fn open(request: &DataRequest<'_>) -> Result<DataSet> {
    let dir = &request.config.dir;
    if dir.as_os_str().is_empty() {
        let problem = "is empty: the data set `csv` has no file of its own";
        return Err(Error::config("data.dir", problem)
            .with_hint("--dir FILE, or a folder with train.csv and test.csv"));
    }
    let label = &request.config.label;
    let (train, test) = if dir.is_dir() {
        let train = Table::read(&dir.join("train.csv"), label)?;
        // The label of the training part, by name: columns may stand in another order.
        let test = Table::read(&dir.join("test.csv"), &train.label)?;
        (train, test)
    } else {
        Table::read(dir, label)?.divided()
    };
    let test = test.with_columns_of(&train)?;
    let classes = train.classes()?;
    let scales = train.scales();
    Ok(Parts {
        train: Arc::new(train.rows(&classes, &scales)?),
        validation: None,
        test: Arc::new(test.rows(&classes, &scales)?),
        classes,
    }
    .open(request))
}

/// A file's content.
struct Table {
    origin: Box<Path>,
    /// Name of the column of classes.
    label: String,
    /// Names of the others.
    columns: Vec<String>,
    /// `[rows, columns]`.
    values: Vec<f32>,
    /// Each row's class and its line in the file.
    classes: Vec<(String, u64)>,
}

impl Table {
    fn read(path: &Path, label: &str) -> Result<Self> {
        let bytes =
            Input::open(path).and_then(|mut input| input.rest(u64::MAX)).map_err(of_file)?;
        Self::parse(path, &bytes, label)
    }

    /// Takes a file's bytes apart. An empty `label` asks for the column `label`, or the last one.
    fn parse(path: &Path, bytes: &[u8], label: &str) -> Result<Self> {
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
        let position = |wanted: &str| names.iter().position(|name| name == wanted);
        let at = match label {
            "" => position("label").unwrap_or(names.len() - 1),
            label => position(label).ok_or_else(|| {
                problem(format!("has no column `{label}`; its columns are {}", names.join(", ")))
            })?,
        };
        let mut table = Self {
            origin: path.into(),
            label: names[at].clone(),
            columns: names.iter().filter(|name| **name != names[at]).cloned().collect(),
            values: Vec::new(),
            classes: Vec::new(),
        };
        table.read_rows(&mut reader, &names, at).map_err(problem)?;
        if table.classes.is_empty() {
            return Err(problem("has no rows".into()));
        }
        Ok(table)
    }

    fn read_rows(
        &mut self,
        reader: &mut Reader<&[u8]>,
        names: &[String],
        label: usize,
    ) -> Result<(), String> {
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(|error| error.to_string())? {
            let line = record.position().map_or(0, csv::Position::line);
            for (column, (field, name)) in record.iter().zip(names).enumerate() {
                let wrong = |what: &str| Err(format!("line {line}, column `{name}`: {what}"));
                match field.parse::<f32>() {
                    _ if field.is_empty() => return wrong("the value is missing"),
                    _ if column == label => self.classes.push((field.into(), line)),
                    Ok(value) if value.is_finite() => self.values.push(value),
                    _ => return wrong(&format!("`{field}` is not a number")),
                }
            }
        }
        Ok(())
    }

    /// Training rows and test rows of a table that nobody divided.
    fn divided(self) -> (Self, Self) {
        let numbers: HashMap<_, _> = self.class_names().into_iter().zip(0..=u16::MAX).collect();
        let labels: Vec<_> =
            self.classes.iter().map(|(class, _)| numbers.get(class.as_str()).copied()).collect();
        let labels: Vec<u16> = labels.into_iter().map(|label| label.unwrap_or(0)).collect();
        let is_test = spread(&labels, |rows| rows.div_ceil(5).min(rows - 1));
        let part = |wanted: bool| {
            let chosen = |&(row, _): &(usize, &bool)| is_test[row] == wanted;
            let rows: Vec<_> =
                is_test.iter().enumerate().filter(chosen).map(|(row, _)| row).collect();
            let width = self.columns.len();
            let values = rows.iter().flat_map(|row| &self.values[row * width..(row + 1) * width]);
            Self {
                origin: self.origin.clone(),
                label: self.label.clone(),
                columns: self.columns.clone(),
                values: values.copied().collect(),
                classes: rows.iter().map(|&row| self.classes[row].clone()).collect(),
            }
        };
        (part(false), part(true))
    }

    /// The same rows with columns in the order of another table.
    fn with_columns_of(mut self, other: &Self) -> Result<Self> {
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

    /// Names of classes, numbers by size, text by alphabet.
    fn class_names(&self) -> Vec<&str> {
        let names: BTreeSet<&str> = self.classes.iter().map(|(class, _)| class.as_str()).collect();
        let mut names: Vec<_> = names.into_iter().collect();
        if let Some(numbers) =
            names.iter().map(|name| name.parse::<f64>().ok()).collect::<Option<Vec<_>>>()
        {
            let mut pairs: Vec<_> = numbers.into_iter().zip(names).collect();
            pairs.sort_by(|(one, _), (two, _)| one.total_cmp(two));
            names = pairs.into_iter().map(|(_, name)| name).collect();
        }
        names
    }

    fn classes(&self) -> Result<Vec<String>> {
        let names = self.class_names();
        if (2..=MOST_CLASSES).contains(&names.len()) {
            return Ok(names.into_iter().map(Into::into).collect());
        }
        let problem = format!("column `{}` has {} classes", self.label, names.len());
        Err(Error::data(&*self.origin, problem)
            .with_hint("data.label names the column of classes; there are 2 to 65536 of them"))
    }

    /// Mean and deviation of each column; a column that never changes is only moved.
    fn scales(&self) -> Vec<(f64, f64)> {
        let (width, rows) = (self.columns.len(), self.classes.len() as f64);
        let scale = |column: usize| {
            let values = || self.values.iter().skip(column).step_by(width).map(|&v| f64::from(v));
            let mean = values().sum::<f64>() / rows;
            let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / rows;
            let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
            (mean, deviation)
        };
        (0..width).map(scale).collect()
    }

    /// The rows as a split reads them.
    fn rows(mut self, classes: &[String], scales: &[(f64, f64)]) -> Result<Rows> {
        let numbers: HashMap<_, _> =
            classes.iter().map(String::as_str).zip(0_u16..=u16::MAX).collect();
        let mut labels = Vec::with_capacity(self.classes.len());
        for (class, line) in &self.classes {
            let Some(&number) = numbers.get(class.as_str()) else {
                let problem = format!(
                    "line {line}, column `{}`: `{class}` is no class of the training part",
                    self.label
                );
                return Err(Error::data(&*self.origin, problem).with_hint(LAYOUT));
            };
            labels.push(number);
        }
        for row in self.values.chunks_mut(scales.len().max(1)) {
            for (value, (mean, deviation)) in row.iter_mut().zip(scales) {
                *value = ((f64::from(*value) - mean) / deviation) as f32;
            }
        }
        Ok(Rows { width: scales.len(), values: self.values, labels })
    }
}

fn first_twice(names: &[String]) -> Option<&String> {
    let mut seen = BTreeSet::new();
    names.iter().find(|name| !seen.insert(*name))
}

/// Standardised rows in memory.
struct Rows {
    width: usize,
    values: Vec<f32>,
    labels: Vec<u16>,
}

impl Source for Rows {
    fn image(&self) -> [usize; 3] {
        [self.width, 1, 1]
    }

    fn labels(&self) -> &[u16] {
        &self.labels
    }

    fn stored_size(&self, _: usize) -> Result<[usize; 2]> {
        Ok([1, 1])
    }

    fn fill(&self, index: usize, _: Option<&mut Draws>, out: &mut [f32]) -> Result<()> {
        out.copy_from_slice(&self.values[index * self.width..(index + 1) * self.width]);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
