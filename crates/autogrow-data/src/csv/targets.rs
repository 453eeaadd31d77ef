//! The columns of targets: text as classes, numbers as standardised values, 0 and 1 as labels.

use super::LAYOUT;
use super::fit::Fit;
use super::measure::mean_and_deviation;
use super::number::{Decimal, number};
use super::sheet::Sheet;
use super::wanted::{Looks, listed, looks, regression};
use crate::parts::spread;
use autogrow_core::data::{Outputs, Task, ValueOutput};
use autogrow_core::{Error, Result};
use std::collections::{BTreeMap, HashMap};

/// Classes at most, as many as labels can tell apart.
const MOST_CLASSES: usize = 1 << 16;

/// The targets of all rows.
pub(super) enum RowTargets {
    /// A class each.
    Classes(Vec<u16>),
    /// `[rows, width]`.
    Numbers { width: usize, values: Vec<f32> },
}

/// Training rows and test rows of a table that is one file.
///
/// # Errors
/// [`Error::Data`] where a class has a single row.
pub(super) fn divided(sheet: &Sheet, columns: &[usize], task: Task) -> Result<[Vec<usize>; 2]> {
    let labels: Vec<u16> = match task {
        Task::Classes => {
            refuse_values(sheet, columns[0])?;
            let classes = count_classes(sheet, columns[0])?;
            let single: Vec<_> =
                classes.iter().filter(|&&(_, rows)| rows < 2).map(|(name, _)| name).collect();
            if !single.is_empty() {
                let name = &sheet.names[columns[0]];
                let problem =
                    format!("column `{name}` has classes of a single row: {}", listed(&single));
                let least =
                    "a class has 2 rows at least, one to train on and one to test on, in one file";
                let are_numbers =
                    classes.iter().all(|(name, _)| number(name, sheet.decimal).is_some());
                let hint = match are_numbers {
                    true => format!("{least}; {} learns to tell such numbers", regression(name)),
                    false => least.into(),
                };
                return Err(Error::data(&*sheet.origin, problem).with_hint(hint));
            }
            let numbers: HashMap<_, _> =
                classes.iter().map(|(name, _)| &**name).zip(0..=u16::MAX).collect();
            let number =
                |row: usize| numbers.get(&*class(sheet, row, columns[0])).copied().unwrap_or(0);
            (0..sheet.rows.len()).map(number).collect()
        }
        Task::Values | Task::Labels => vec![0; sheet.rows.len()],
    };
    let is_test = spread(&labels, |rows| rows.div_ceil(5).min(rows - 1));
    Ok([false, true].map(|test| (0..is_test.len()).filter(|&row| is_test[row] == test).collect()))
}

/// What a network is asked for that learns these rows.
///
/// # Errors
/// [`Error::Data`] where the columns do not suit the objective.
pub(super) fn outputs(
    sheet: &Sheet,
    rows: &[usize],
    columns: &[usize],
    task: Task,
) -> Result<Outputs> {
    let name = |column: usize| sheet.names[column].clone();
    Ok(match task {
        Task::Classes => Outputs::Classes(classes(sheet, columns[0])?),
        Task::Labels => Outputs::Labels(columns.iter().map(|&column| name(column)).collect()),
        Task::Values => {
            let value = |&column: &usize| {
                let values = rows.iter().map(|&row| value(sheet, row, column));
                let (mean, deviation) = mean_and_deviation(&values.collect::<Result<Vec<_>>>()?);
                if deviation > 0.0 {
                    return Ok(ValueOutput { name: name(column), mean, deviation });
                }
                let problem = format!("column `{}` is {mean} in all rows", name(column));
                Err(Error::data(&*sheet.origin, problem)
                    .with_hint("data.target names columns of different numbers"))
            };
            Outputs::Values(columns.iter().map(value).collect::<Result<_>>()?)
        }
    })
}

/// The targets of some rows as the network is to give them, in `columns`.
///
/// # Errors
/// [`Error::Data`] where a cell does not suit the objective; that of [`Fit::refused`] where a class
/// is not known.
pub(super) fn read(
    fit: &Fit<'_>,
    sheet: &Sheet,
    rows: &[usize],
    columns: &[usize],
) -> Result<RowTargets> {
    let mut values = Vec::new();
    match fit.outputs {
        Outputs::Classes(names) => {
            let numbers: HashMap<_, _> =
                names.iter().map(String::as_str).zip(0_u16..=u16::MAX).collect();
            let number = |&row: &usize| {
                let class = filled_class(sheet, row, columns[0])?;
                numbers.get(&*class).copied().ok_or_else(|| {
                    let own = count_classes(sheet, columns[0]).unwrap_or_default();
                    let own: Vec<_> = own.into_iter().map(|(name, _)| name).collect();
                    let problem = format!(
                        "line {}, column `{}`: `{class}` is no class of {whose}: the classes here \
                         are {}, those of {whose} {}",
                        sheet.lines[row],
                        sheet.names[columns[0]],
                        listed(&own),
                        listed(names),
                        whose = fit.whose()
                    );
                    fit.refused(sheet, problem)
                })
            };
            return Ok(RowTargets::Classes(rows.iter().map(number).collect::<Result<_>>()?));
        }
        Outputs::Values(outputs) => {
            for &row in rows {
                for (&column, of) in columns.iter().zip(outputs) {
                    let value = value(sheet, row, column)?;
                    values.push(((value - of.mean) / of.deviation) as f32);
                }
            }
        }
        Outputs::Labels(_) => {
            for &row in rows {
                for &column in columns {
                    values.push(match value(sheet, row, column)? {
                        0.0 => 0.0,
                        1.0 => 1.0,
                        _ => {
                            let what = format!("`{}` is neither 0 nor 1", &sheet.rows[row][column]);
                            return Err(sheet.wrong(row, column, &what));
                        }
                    });
                }
            }
        }
    }
    Ok(RowTargets::Numbers { width: columns.len(), values })
}

/// A cell of a target as a number.
fn value(sheet: &Sheet, row: usize, column: usize) -> Result<f64> {
    let cell = &sheet.rows[row][column];
    number(cell, sheet.decimal)
        .ok_or_else(|| sheet.wrong(row, column, &format!("`{cell}` is not a number")))
}

/// The class of a row: whole numbers are written without a fraction, which pandas adds to those of
/// a column where one is missing.
fn class(sheet: &Sheet, row: usize, column: usize) -> String {
    let cell = &sheet.rows[row][column];
    let mark = if sheet.decimal == Decimal::Comma { ',' } else { '.' };
    match cell.split_once(mark) {
        Some((whole, zeros))
            if whole.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit())
                && whole.ends_with(|last: char| last.is_ascii_digit())
                && zeros.bytes().all(|byte| byte == b'0') =>
        {
            whole.into()
        }
        _ => cell.into(),
    }
}

/// The same, which must be there.
fn filled_class(sheet: &Sheet, row: usize, column: usize) -> Result<String> {
    match class(sheet, row, column) {
        class if class.is_empty() => Err(sheet.wrong(row, column, "the class is missing")),
        class => Ok(class),
    }
}

/// Names of classes, numbers by size, text by alphabet, with the rows of each.
fn count_classes(sheet: &Sheet, column: usize) -> Result<Vec<(String, usize)>> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for row in 0..sheet.rows.len() {
        *counts.entry(filled_class(sheet, row, column)?).or_default() += 1;
    }
    let mut classes: Vec<_> = counts.into_iter().collect();
    let size = |(name, _): &(String, usize)| number(name, sheet.decimal);
    if let Some(sizes) = classes.iter().map(size).collect::<Option<Vec<_>>>() {
        let mut pairs: Vec<_> = sizes.into_iter().zip(classes).collect();
        pairs.sort_by(|(one, _), (two, _)| one.total_cmp(two));
        classes = pairs.into_iter().map(|(_, class)| class).collect();
    }
    Ok(classes)
}

fn classes(sheet: &Sheet, column: usize) -> Result<Vec<String>> {
    let name = &sheet.names[column];
    refuse_values(sheet, column)?;
    let names: Vec<_> = count_classes(sheet, column)?.into_iter().map(|(name, _)| name).collect();
    if (2..=MOST_CLASSES).contains(&names.len()) {
        return Ok(names);
    }
    let problem = format!("column `{name}` has {} classes", names.len());
    Err(Error::data(&*sheet.origin, problem).with_hint(format!(
        "data.label names the column of classes; there are 2 to 65536 of them; {LAYOUT}"
    )))
}

/// What is to be said of a column of classes that may as well be amounts.
pub(super) fn doubt(sheet: &Sheet, column: usize) -> Option<String> {
    let Looks::Either(different) = looks(sheet, column) else { return None };
    let name = &sheet.names[column];
    Some(format!(
        "column `{name}` holds {different} different whole numbers, each of which is a class now; if they \
         are amounts, {} learns to tell them",
        regression(name)
    ))
}

/// Refuses numbers to predict where there should be classes.
fn refuse_values(sheet: &Sheet, column: usize) -> Result<()> {
    if looks(sheet, column) != Looks::Values {
        return Ok(());
    }
    let name = &sheet.names[column];
    let problem = format!("column `{name}` holds numbers that do not look like classes");
    Err(Error::data(&*sheet.origin, problem).with_hint(format!(
        "{} learns to tell such numbers; data.label names another column of classes",
        regression(name)
    )))
}
