//! Rows of a table as the numbers that a network takes: columns by name, whatever their order, with
//! the means, deviations and words of the rows that it was trained on.

use super::measure::{is_unnamed, word};
use super::number::{is_missing, number};
use super::sheet::Sheet;
use super::wanted::listed;
use autogrow_core::data::{Cells, Outputs, TableInput};
use autogrow_core::{Error, Result};
use std::collections::BTreeMap;

/// What rows are to fit.
#[derive(Clone, Copy)]
pub(super) struct Fit<'a> {
    pub(super) table: &'a TableInput,
    pub(super) outputs: &'a Outputs,
    /// Who asks for it: `the model`, or `the training part` of a data set.
    pub(super) whose: Whose,
}

/// Who asks for columns and classes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Model,
    TrainingPart,
}

impl<'a> Fit<'a> {
    /// Names of all columns that may be in a table.
    pub(super) fn known(table: &'a TableInput) -> Vec<&'a str> {
        let columns = table.columns.iter().map(|column| &*column.name);
        let left_out = table.left_out.iter().map(|column| &*column.name);
        let known = columns.chain(table.targets.iter().map(|name| &**name)).chain(left_out);
        known.filter(|name| !name.is_empty()).collect()
    }

    /// The error where a table has other columns or classes.
    pub(super) fn refused(&self, sheet: &Sheet, problem: String) -> Error {
        match self.whose {
            Whose::Model => Error::run(&*sheet.origin, problem).with_hint(
                "a table for a model has its columns and classes, by name, in any order",
            ),
            Whose::TrainingPart => Error::data(&*sheet.origin, problem)
                .with_hint("both files have the same columns and classes, in any order"),
        }
    }

    /// "the model", "the training part".
    pub(super) fn whose(&self) -> &'static str {
        match self.whose {
            Whose::Model => "the model",
            Whose::TrainingPart => "the training part",
        }
    }

    /// The features `[rows, features]` of all rows of a table.
    ///
    /// # Errors
    /// [`Error::Run`] of a model, [`Error::Data`] of a training part, where the table has other
    /// columns; [`Error::Data`] where a cell is not a number.
    pub(super) fn features(&self, sheet: &Sheet, rows: &[usize]) -> Result<Vec<f32>> {
        let places = self.places(sheet)?;
        let made = self.table.features();
        let mut features = Vec::with_capacity(rows.len() * made.len());
        let (mut inputs, mut unknown) = (Vec::new(), Unknown::default());
        for &row in rows {
            inputs.clear();
            for (column, &place) in self.table.columns.iter().zip(&places) {
                let cell = &sheet.rows[row][place];
                let missing = is_missing(cell);
                match &column.cells {
                    Cells::Numbers { mean, .. } if missing => inputs.push(*mean),
                    Cells::Numbers { mean, deviation, .. } => {
                        let wrong = |what| sheet.wrong(row, place, &format!("`{cell}` is {what}"));
                        let number =
                            number(cell, sheet.decimal).ok_or_else(|| wrong("not a number"))?;
                        if !(((number - mean) / deviation) as f32).is_finite() {
                            return Err(wrong("too large for float32 once it is standardised"));
                        }
                        inputs.push(number);
                    }
                    Cells::Words { words } => {
                        let own = word(cell);
                        inputs.extend(words.iter().map(|word| f64::from(u8::from(*word == own))));
                        if !missing && !words.contains(&own) {
                            unknown.add(&column.name, format!("`{own}`"));
                        }
                    }
                }
                if column.missing {
                    inputs.push(f64::from(u8::from(missing)));
                } else if missing {
                    unknown.add(&column.name, "a missing value".into());
                }
            }
            features.extend(made.iter().map(|feature| feature.of(inputs[feature.input]) as f32));
        }
        unknown.warn(sheet, self.whose());
        Ok(features)
    }

    /// Where the columns are in a table.
    fn places(&self, sheet: &Sheet) -> Result<Vec<usize>> {
        let wanted: Vec<&str> = self.table.columns.iter().map(|column| &*column.name).collect();
        let place = |name: &&str| sheet.names.iter().position(|own| own == name);
        let places: Option<Vec<usize>> = wanted.iter().map(place).collect();
        let known = Self::known(self.table);
        let unknown =
            sheet.names.iter().find(|name| !is_unnamed(name) && !known.contains(&&***name));
        let difference = match (&places, unknown) {
            (Some(places), None) => return Ok(places.clone()),
            (_, Some(name)) if places.is_some() => format!("has a column `{name}` too many"),
            _ => {
                let missing = wanted.iter().find(|name| place(name).is_none());
                format!("has no column `{}`", missing.unwrap_or(&""))
            }
        };
        let problem = format!(
            "{difference}: its columns are {}; {} takes {}",
            listed(&sheet.names),
            self.whose(),
            listed(&wanted)
        );
        Err(self.refused(sheet, problem))
    }
}

/// Cells that were not seen in training, counted by column and content.
#[derive(Default)]
struct Unknown(BTreeMap<(String, String), usize>);

impl Unknown {
    fn add(&mut self, column: &str, what: String) {
        *self.0.entry((column.into(), what)).or_default() += 1;
    }

    /// Says which they are: they are taken for no word, and for the mean.
    fn warn(&self, sheet: &Sheet, whose: &str) {
        let path = sheet.origin.display();
        for ((column, what), count) in self.0.iter().take(10) {
            tracing::warn!(
                "{path}: column `{column}` holds {what} in {count} rows, which {whose} does not know"
            );
        }
        if self.0.len() > 10 {
            tracing::warn!("{path}: and {} more such words", self.0.len() - 10);
        }
    }
}
