//! `csv`: a user's own table. A row is a vector, `[features, 1, 1]`; one or several columns of it are
//! what the network is asked for.
//!
//! `data.dir` names a file, or a folder with `train.csv` and `test.csv`; a file alone is divided:
//! a fifth of each class, or of all rows where there are no classes, is set aside for tests, the
//! same for every seed. What the objective asks for lies in
//!
//! - the column `data.label`, whose values may be any text, for classes;
//! - the columns `data.target`, separated by commas, for values (numbers) and labels (0 or 1).
//!
//! All other columns hold numbers, which are standardised with the training part's mean and
//! deviation, as values are, or a few words. What was found about them is a [`TableInput`], which
//! goes into the model file; further tables are read by it ([`Table`], [`open_table`]).

mod fit;
mod measure;
mod number;
mod rows;
mod sheet;
mod targets;
mod wanted;

pub use rows::Table;

use crate::images::Source;
use crate::parts::Parts;
use autogrow_core::data::{DataRequest, DataSet, DataSetKind, Outputs, TableInput};
use autogrow_core::{Error, Result};
use fit::{Fit, Whose};
use measure::measure;
use rows::Rows;
use sheet::Sheet;
use std::sync::Arc;
use wanted::Wanted;

autogrow_core::register! {
    DataSetKind {
        name: "csv",
        origin: env!("CARGO_PKG_NAME"),
        summary: "your own table: data.dir is a CSV file, data.label its column of classes, or \
                  data.target its columns of values or labels",
        open,
    }
}

/// What to do about a table that cannot be used.
const LAYOUT: &str = "the first line names the columns, each other line is a row: a class in the \
                      column data.label, or values in the columns data.target, numbers or a few \
                      words in all others";

/// The tables of a data set, and which of their rows are trained on and tested on.
struct Divided {
    train: Arc<Sheet>,
    test: Arc<Sheet>,
    train_rows: Vec<usize>,
    test_rows: Vec<usize>,
}

impl Divided {
    /// Reads what `data.dir` names. Where `known` are names of columns, they are expected.
    fn read(request: &DataRequest<'_>, wanted: &Wanted, known: &[&str]) -> Result<Self> {
        let dir = &request.config.dir;
        if dir.as_os_str().is_empty() {
            let problem = "is empty: the data set `csv` has no file of its own";
            return Err(Error::config("data.dir", problem)
                .with_hint("--dir FILE, or a folder with train.csv and test.csv"));
        }
        if dir.is_dir() {
            if !dir.join("train.csv").exists() {
                return Err(Error::data(dir, "holds no train.csv").with_hint(
                    "--dir FILE for one table, or a folder with train.csv and test.csv; pictures are read \
                     with --data folder",
                ));
            }
            let train = Sheet::read(&dir.join("train.csv"), known)?;
            let names: Vec<_> = train.names.iter().filter(|name| !name.is_empty()).collect();
            let names: Vec<_> = names.into_iter().map(|name| &**name).collect();
            let test = Sheet::read(&dir.join("test.csv"), &names)?;
            let [train_rows, test_rows] =
                [&train, &test].map(|sheet| (0..sheet.rows.len()).collect());
            return Ok(Self { train: train.into(), test: test.into(), train_rows, test_rows });
        }
        let sheet = Arc::new(Sheet::read(dir, known)?);
        let found = wanted.find(&sheet).map_err(|problem| unusable(&sheet, problem))?;
        let [train_rows, test_rows] = targets::divided(&sheet, &found.columns, request.task)?;
        Ok(Self { train: sheet.clone(), test: sheet, train_rows, test_rows })
    }

    /// As the data set that is asked for.
    fn open(&self, request: &DataRequest<'_>, fit: Fit<'_>) -> Result<DataSet> {
        let source = |sheet: &Sheet, rows: &[usize]| -> Result<Arc<dyn Source>> {
            Ok(Arc::new(Rows::labelled(&fit, sheet, rows)?))
        };
        let train = source(&self.train, &self.train_rows)?;
        let test = source(&self.test, &self.test_rows)?;
        let parts = Parts { outputs: fit.outputs.clone(), train, validation: None, test };
        Ok(DataSet { table: Some(fit.table.clone()), ..parts.open(request) })
    }
}

fn open(request: &DataRequest<'_>) -> Result<DataSet> {
    let wanted = Wanted::of(request)?;
    let divided = Divided::read(request, &wanted, &[])?;
    let (sheet, rows) = (&divided.train, &divided.train_rows);
    let found = wanted.find(sheet).map_err(|problem| unusable(sheet, problem))?;
    let outputs = &targets::outputs(sheet, rows, &found.columns, request.task)?;
    let table = &measure(sheet, rows, &found, request.config.numbers)?;
    for note in sheet.notes.iter().chain(&found.note) {
        let (path, text) = (sheet.origin.display(), &note.text);
        match note.guess {
            true => tracing::warn!("{path}: {text}"),
            false => tracing::info!("{path}: {text}"),
        }
    }
    if let Outputs::Classes(_) = outputs
        && let Some(doubt) = targets::doubt(sheet, found.columns[0])
    {
        tracing::warn!("{}: {doubt}", sheet.origin.display());
    }
    for column in &table.left_out {
        let (path, name, why) = (sheet.origin.display(), &column.name, &column.why);
        tracing::warn!("{path}: column `{name}` {why}; it is left out");
    }
    divided.open(request, Fit { table, outputs, whose: Whose::TrainingPart })
}

/// Opens the data set `csv` for a model that was trained on tables like `table`, with `outputs`: the
/// same split as when it was trained, and nothing is measured anew.
///
/// # Errors
/// [`Error::Run`] where columns or classes are not those of the model, [`Error::Data`] where a
/// table is damaged or too small to be divided.
pub fn open_table(
    request: &DataRequest<'_>,
    table: &TableInput,
    outputs: &Outputs,
) -> Result<DataSet> {
    let wanted = Wanted::named(&table.targets, request.task);
    let divided = Divided::read(request, &wanted, &Fit::known(table))?;
    let set = divided.open(request, Fit { table, outputs, whose: Whose::Model })?;
    set.refuse_empty(request)?;
    Ok(set)
}

/// The error of a table that has not the columns that are asked for.
fn unusable(sheet: &Sheet, problem: String) -> Error {
    Error::data(&*sheet.origin, problem).with_hint(LAYOUT)
}

#[cfg(test)]
mod kinds;
#[cfg(test)]
mod tests;
