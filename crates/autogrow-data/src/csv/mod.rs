//! `csv`: a user's own table. A row is a vector, `[columns, 1, 1]`; one or several columns of it are
//! what the network is asked for.
//!
//! `data.dir` names a file, or a folder with `train.csv` and `test.csv`; a file alone is divided:
//! a fifth of each class, or of all rows where there are no classes, is set aside for tests, the
//! same for every seed. The first line names the columns. What the objective asks for lies in
//!
//! - the column `data.label`, whose values may be any text, for classes;
//! - the columns `data.target`, separated by commas, for values (numbers) and labels (0 or 1).
//!
//! All other columns hold numbers, none missing, and are standardised with the training part's mean
//! and deviation, as values are.

mod table;
mod targets;

use crate::images::{Source, SourceTargets};
use crate::parts::Parts;
use crate::random::Draws;
use autogrow_core::data::{DataRequest, DataSet, DataSetKind, Task};
use autogrow_core::{Error, Result};
use std::sync::Arc;
use table::{Table, Wanted};
use targets::RowTargets;

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
                      column data.label, or values in the columns data.target, numbers in all others";

fn open(request: &DataRequest<'_>) -> Result<DataSet> {
    let dir = &request.config.dir;
    if dir.as_os_str().is_empty() {
        let problem = "is empty: the data set `csv` has no file of its own";
        return Err(Error::config("data.dir", problem)
            .with_hint("--dir FILE, or a folder with train.csv and test.csv"));
    }
    let wanted = wanted(request)?;
    let (train, test) = if dir.is_dir() {
        let train = Table::read(&dir.join("train.csv"), &wanted)?;
        // The target columns of the training part, by name: they may stand in another order.
        let test = Table::read(&dir.join("test.csv"), &wanted.found(&train))?;
        (train, test)
    } else {
        targets::divided(&Table::read(dir, &wanted)?, request.task)
    };
    let test = test.with_columns_of(&train)?;
    let outputs = targets::outputs(&train, request.task)?;
    let scales = train.scales();
    let rows = |table: Table| -> Result<Arc<dyn Source>> {
        let targets = targets::read(&table, &outputs)?;
        let (width, values) = (scales.len(), table.standardised(&scales));
        Ok(Arc::new(Rows { width, values, targets }))
    };
    let (train, test) = (rows(train)?, rows(test)?);
    Ok(Parts { outputs, train, validation: None, test }.open(request))
}

/// The columns that the objective asks for.
fn wanted(request: &DataRequest<'_>) -> Result<Wanted> {
    let (config, task) = (request.config, request.task);
    let unused = |key: &str, value: &str, other: &str| {
        let problem = format!(
            "= {value} names columns that an objective for {} does not ask for",
            task.name()
        );
        Err(Error::config(key, problem).with_hint(other))
    };
    match task {
        Task::Classes if !config.target.is_empty() => unused(
            "data.target",
            &config.target,
            "--set training.objective=values for regression, or =labels for columns of 0 and 1",
        ),
        Task::Values | Task::Labels if !config.label.is_empty() => {
            unused("data.label", &config.label, "name the columns in data.target")
        }
        Task::Classes => {
            let names = Some(config.label.clone()).filter(|name| !name.is_empty());
            Ok(Wanted { names: names.into_iter().collect(), usual: "label" })
        }
        Task::Values | Task::Labels => {
            let names = config.target.split(',').map(str::trim).filter(|name| !name.is_empty());
            Ok(Wanted { names: names.map(Into::into).collect(), usual: "target" })
        }
    }
}

/// Standardised rows in memory.
struct Rows {
    width: usize,
    values: Vec<f32>,
    targets: RowTargets,
}

impl Source for Rows {
    fn image(&self) -> [usize; 3] {
        [self.width, 1, 1]
    }

    fn targets(&self) -> SourceTargets<'_> {
        match &self.targets {
            RowTargets::Classes(classes) => SourceTargets::Classes(classes),
            RowTargets::Numbers { width, values } => {
                SourceTargets::Numbers { width: *width, values }
            }
        }
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
