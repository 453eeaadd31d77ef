//! Which columns hold the targets: those that are named, else that with a usual name, else the last.

use super::number::number;
use super::sheet::{Note, Sheet, first_twice};
use autogrow_core::data::{DataRequest, Task};
use autogrow_core::{Error, Result};

/// What columns of classes are called, most usual first.
const CLASSES: [&str; 9] =
    ["label", "class", "target", "species", "y", "category", "variety", "outcome", "diagnosis"];
/// What columns of numbers to predict are called.
const NUMBERS: [&str; 3] = ["target", "y", "label"];
/// Different numbers up to which they may be classes: with fractions, and whole ones.
const MOST_CLASSES: [usize; 2] = [10, 32];
/// Different whole numbers from which on they may as well be amounts.
const AMOUNTS: usize = 20;

/// The columns that an objective asks for.
pub(super) struct Wanted {
    /// Their names, in order; empty where the table is to tell.
    names: Vec<String>,
    task: Task,
}

/// Where they are.
pub(super) struct Found {
    /// Places of the columns, in order.
    pub(super) columns: Vec<usize>,
    /// How they were found, where nobody has named them.
    pub(super) note: Option<Note>,
}

impl Wanted {
    /// What the configuration names.
    ///
    /// # Errors
    /// [`Error::Config`] where it names columns that the objective does not ask for.
    pub(super) fn of(request: &DataRequest<'_>) -> Result<Self> {
        let (config, task) = (request.config, request.task);
        let unused = |key: &str, value: &str, other: &str| {
            let problem = format!(
                "= {value} names columns that an objective for {} does not ask for",
                task.name()
            );
            Err(Error::config(key, problem).with_hint(other))
        };
        let names = match task {
            Task::Classes if !config.target.is_empty() => {
                return unused(
                    "data.target",
                    &config.target,
                    "--set training.objective=values for regression, or =labels for columns of 0 and 1",
                );
            }
            Task::Values | Task::Labels if !config.label.is_empty() => {
                return unused("data.label", &config.label, "name the columns in data.target");
            }
            Task::Classes => vec![config.label.trim()],
            Task::Values | Task::Labels => config.target.split(',').map(str::trim).collect(),
        };
        let names = names.into_iter().filter(|name| !name.is_empty()).map(Into::into).collect();
        Ok(Self { names, task })
    }

    /// The columns of these names.
    pub(super) fn named(names: &[String], task: Task) -> Self {
        Self { names: names.to_vec(), task }
    }

    /// Where they are in a table.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn find(&self, sheet: &Sheet) -> Result<Found, String> {
        if self.names.is_empty() {
            return self.usual(sheet);
        }
        if let Some(twice) = first_twice(self.names.iter()) {
            return Err(format!("has one column `{twice}`, which is named twice"));
        }
        let known = |name: &String| {
            sheet.names.iter().position(|own| own == name).ok_or_else(|| {
                format!("has no column `{name}`; its columns are {}", listed(&sheet.names))
            })
        };
        let columns = self.names.iter().map(known).collect::<Result<Vec<_>, _>>()?;
        if columns.len() == sheet.names.len() {
            return Err("has no column besides those of the targets".into());
        }
        Ok(Found { columns, note: None })
    }

    fn usual(&self, sheet: &Sheet) -> Result<Found, String> {
        let (usual, what): (&[&str], _) = match self.task {
            Task::Classes => (&CLASSES, "classes are"),
            Task::Values => (&NUMBERS, "the value is"),
            Task::Labels => (&NUMBERS, "the label is"),
        };
        let named =
            |wanted: &str| sheet.names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        // Beside an x, y is a coordinate.
        let of_name = usual.iter().filter(|&&name| name != "y" || named("x").is_none());
        if let Some(column) = of_name.filter_map(|name| named(name)).next() {
            let note = format!("{what} those of column `{}`, by its name", sheet.names[column]);
            return Ok(Found { columns: vec![column], note: Some(Note::sure(note)) });
        }
        let Some(column) = sheet.names.iter().rposition(|name| !name.is_empty()) else {
            return Err("has no column with a name".into());
        };
        let key = if self.task == Task::Classes { "data.label" } else { "data.target" };
        let name = &sheet.names[column];
        let note = format!("{what} those of the last column, `{name}`; {key} names another");
        Ok(Found { columns: vec![column], note: Some(Note::guess(note)) })
    }
}

/// What the numbers of a column of classes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// Classes, or no numbers at all.
    Classes,
    /// So many different whole numbers, with several rows each: classes, or ages, counts, prices.
    Either(usize),
    /// Numbers to predict.
    Values,
}

/// What a column of classes looks like.
pub(super) fn looks(sheet: &Sheet, column: usize) -> Looks {
    let numbers = sheet.rows.iter().map(|row| number(&row[column], sheet.decimal));
    let Some(mut numbers) = numbers.collect::<Option<Vec<_>>>() else { return Looks::Classes };
    let rows = numbers.len();
    let whole = numbers.iter().all(|number| number.fract() == 0.0);
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    let different = numbers.len();
    let are_values = match whole {
        // Of many classes there are several rows each, and of some at least two.
        true => {
            (different > MOST_CLASSES[1] && rows < 5 * different)
                || (different > MOST_CLASSES[0] && rows < 2 * different)
        }
        false => different > MOST_CLASSES[0] || rows < 2 * different,
    };
    match are_values {
        true => Looks::Values,
        false if whole && different > AMOUNTS => Looks::Either(different),
        false => Looks::Classes,
    }
}

/// How numbers of this column are predicted.
pub(super) fn regression(name: &str) -> String {
    format!("--set training.objective=values --set data.target=\"{name}\"")
}

/// Names of columns or classes for an error, the first ones where they are many.
pub(super) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    const LISTED: usize = 30;
    let shown: Vec<_> = names.iter().take(LISTED).map(AsRef::as_ref).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
