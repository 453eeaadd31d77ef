//! The columns of targets: text as classes, numbers as standardised values, 0 and 1 as labels.

use super::LAYOUT;
use super::table::{Table, mean_and_deviation};
use crate::parts::spread;
use autogrow_core::data::{Outputs, Task, ValueOutput};
use autogrow_core::{Error, Result};
use std::collections::{BTreeSet, HashMap};

/// Classes at most, as many as labels can tell apart.
const MOST_CLASSES: usize = 1 << 16;

/// The targets of all rows.
pub(super) enum RowTargets {
    /// A class each.
    Classes(Vec<u16>),
    /// `[rows, width]`.
    Numbers { width: usize, values: Vec<f32> },
}

/// Training rows and test rows of a table that nobody divided.
pub(super) fn divided(table: &Table, task: Task) -> (Table, Table) {
    let labels: Vec<u16> = match task {
        Task::Classes => {
            let names = class_names(table);
            let numbers: HashMap<_, _> = names.into_iter().zip(0..=u16::MAX).collect();
            let number = |class: &String| numbers.get(class.as_str()).copied().unwrap_or(0);
            table.cells.iter().map(number).collect()
        }
        Task::Values | Task::Labels => vec![0; table.lines.len()],
    };
    let is_test = spread(&labels, |rows| rows.div_ceil(5).min(rows - 1));
    let part = |wanted: bool| {
        let rows = (0..is_test.len()).filter(|&row| is_test[row] == wanted);
        table.part(&rows.collect::<Vec<_>>())
    };
    (part(false), part(true))
}

/// What a network is asked for that learns the training part.
pub(super) fn outputs(train: &Table, task: Task) -> Result<Outputs> {
    Ok(match task {
        Task::Classes => Outputs::Classes(classes(train)?),
        Task::Labels => Outputs::Labels(train.targets.clone()),
        Task::Values => {
            let width = train.targets.len();
            let numbers = numbers(train)?;
            let value = |(column, name): (usize, &String)| {
                let values: Vec<f64> =
                    numbers.iter().skip(column).step_by(width).copied().collect();
                let (mean, deviation) = mean_and_deviation(&values);
                if deviation > 0.0 {
                    return Ok(ValueOutput { name: name.clone(), mean, deviation });
                }
                let problem = format!("column `{name}` is {mean} in all rows");
                Err(Error::data(&*train.origin, problem)
                    .with_hint("data.target names columns of different numbers"))
            };
            Outputs::Values(train.targets.iter().enumerate().map(value).collect::<Result<_>>()?)
        }
    })
}

/// The targets of a table as the network is to give them.
pub(super) fn read(table: &Table, outputs: &Outputs) -> Result<RowTargets> {
    let width = outputs.len();
    match outputs {
        Outputs::Classes(names) => {
            let numbers: HashMap<_, _> =
                names.iter().map(String::as_str).zip(0_u16..=u16::MAX).collect();
            let number = |(class, line): (&String, &u64)| {
                numbers.get(class.as_str()).copied().ok_or_else(|| {
                    wrong(table, *line, 0, &format!("`{class}` is no class of the training part"))
                })
            };
            let classes = table.cells.iter().zip(&table.lines).map(number);
            Ok(RowTargets::Classes(classes.collect::<Result<_>>()?))
        }
        Outputs::Values(outputs) => {
            let numbers = numbers(table)?;
            let standardised = numbers.chunks_exact(width).flat_map(|row| {
                row.iter().zip(outputs).map(|(value, of)| ((value - of.mean) / of.deviation) as f32)
            });
            Ok(RowTargets::Numbers { width, values: standardised.collect() })
        }
        Outputs::Labels(_) => {
            let numbers = numbers(table)?;
            if let Some(place) = numbers.iter().position(|&value| value != 0.0 && value != 1.0) {
                let what = format!("`{}` is neither 0 nor 1", table.cells[place]);
                return Err(wrong(table, table.lines[place / width], place % width, &what));
            }
            let values = numbers.into_iter().map(|value| value as f32).collect();
            Ok(RowTargets::Numbers { width, values })
        }
    }
}

/// The cells as numbers, `[rows, targets]`.
fn numbers(table: &Table) -> Result<Vec<f64>> {
    let width = table.targets.len();
    let number = |(place, cell): (usize, &String)| match cell.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => {
            let what = format!("`{cell}` is not a number");
            Err(wrong(table, table.lines[place / width], place % width, &what))
        }
    };
    table.cells.iter().enumerate().map(number).collect()
}

/// Names of classes, numbers by size, text by alphabet.
fn class_names(table: &Table) -> Vec<&str> {
    let names: BTreeSet<&str> = table.cells.iter().map(String::as_str).collect();
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

fn classes(table: &Table) -> Result<Vec<String>> {
    let names = class_names(table);
    if (2..=MOST_CLASSES).contains(&names.len()) {
        return Ok(names.into_iter().map(Into::into).collect());
    }
    let problem = format!("column `{}` has {} classes", table.targets[0], names.len());
    Err(Error::data(&*table.origin, problem).with_hint(
        "data.label names the column of classes; there are 2 to 65536 of them; for numbers, \
         --set training.objective=values",
    ))
}

/// An error about a cell of a target.
fn wrong(table: &Table, line: u64, target: usize, what: &str) -> Error {
    let problem = format!("line {line}, column `{}`: {what}", table.targets[target]);
    Error::data(&*table.origin, problem).with_hint(LAYOUT)
}
