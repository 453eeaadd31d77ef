//! The file of a suite (docs/suites.md): which settings its rows have, what each is compared with,
//! what the paper prints for it, and which figure shows it.

use crate::keys::{flat, merge, satisfies, set};
use autogrow_base::{Error, Result};
use autogrow_growth::Depth;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// Settings that `base = "paper"` begins with.
const PAPER: &str = include_str!("../suites/paper.toml");

/// A suite as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// What its tables are called.
    pub(crate) title: String,
    /// A paragraph above its tables.
    #[serde(default)]
    pub(crate) note: String,
    /// `paper`: every row begins with the paper's settings.
    pub(crate) base: Option<String>,
    /// Runs of each row, with seeds from `run.seed` on.
    #[serde(default = "one")]
    pub(crate) seeds: u64,
    /// What is drawn of its runs.
    pub(crate) figure: Option<Figure>,
    /// Settings of a second run of each row, which the first is compared with. The depth `found` is
    /// that which the first finds.
    baseline: Option<Table>,
    /// Settings of all rows.
    #[serde(default)]
    set: Table,
    /// Settings of rows that have other settings.
    #[serde(default)]
    when: Vec<When>,
    /// Lists of values; every combination is a row.
    #[serde(default)]
    axes: Table,
    /// Rows, each combined with `axes`.
    #[serde(default, rename = "row")]
    rows: Vec<Row>,
    /// Built-in suites of which the rows are taken.
    #[serde(default)]
    pub(crate) rows_of: Vec<String>,
    /// Which of those rows.
    #[serde(default)]
    pub(crate) only: Table,
}

/// Settings that come with others, such as a data set's batch size.
#[derive(Debug, Deserialize)]
struct When {
    set: Table,
    /// The keys that a row has to have, each with a value or a list of values.
    #[serde(flatten)]
    is: Table,
}

/// What a suite draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Figure {
    /// The way of training through the weights, over the loss; a figure a row.
    Trajectory,
    /// The loss around a row's baseline and around its own net; a figure a row.
    Surfaces,
    /// Accuracy and loss with growths; a row's figures.
    Curves,
    /// Accuracy by parameters; a figure a network.
    Parameters,
    /// Accuracy by multiply-accumulates; one figure.
    Macs,
    /// The same, and accuracy by what all training has cost.
    Compute,
}

/// Network Morphism: the row's net is not trained from scratch but from a shallower one that has
/// converged and was then deepened.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Morph {
    /// Depth of the shallower net.
    pub(crate) from: Depth,
    /// Of the sub-modules that are added.
    pub(crate) initializer: String,
}

/// What the paper prints.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Printed {
    pub(crate) found: Option<Depth>,
    /// Top-1, percent.
    pub(crate) accuracy: Option<f64>,
    /// Against training from scratch, percentage points.
    pub(crate) delta: Option<f64>,
    /// Top-5, percent.
    pub(crate) top5: Option<f64>,
    /// What is not certain about these.
    pub(crate) uncertain: Option<String>,
}

/// A row of a suite.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// The suite that it is of.
    #[serde(skip)]
    pub(crate) of: String,
    /// What to call it, in place of its settings.
    pub(crate) label: Option<String>,
    /// The settings that are its own.
    #[serde(default, rename = "set")]
    pub(crate) own: Table,
    /// All that the file gives it.
    #[serde(skip)]
    pub(crate) settings: Table,
    pub(crate) morph: Option<Morph>,
    /// Settings of the run that it is compared with, on top of its own.
    #[serde(skip)]
    pub(crate) baseline: Option<Table>,
    #[serde(default)]
    pub(crate) paper: Printed,
    /// The same as `paper.uncertain`, on a line of its own.
    uncertain: Option<String>,
}

fn one() -> u64 {
    1
}

impl File {
    /// Reads the text of a suite.
    ///
    /// # Errors
    /// [`Error::Config`] with the line, `name` being the file.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self> {
        let file: Self = toml::from_str(text).map_err(|error| damaged(name, &error))?;
        if file.seeds == 0 {
            let error = Error::config("seeds", "= 0 makes no sense").with_origin(name);
            return Err(error.with_hint("it is at least 1"));
        }
        Ok(file)
    }

    /// The rows that the file itself writes, for the suite `name`.
    ///
    /// # Errors
    /// [`Error::Config`] for an axis that is no list; [`Error::Unknown`] for a base that there is
    /// not.
    pub(crate) fn rows(&self, name: &str) -> Result<Vec<Row>> {
        let (base, combinations) = (self.base()?, self.combinations(name)?);
        let implied = Row::default();
        let written = match self.rows.as_slice() {
            [] if !self.axes.is_empty() => std::slice::from_ref(&implied),
            written => written,
        };
        let mut rows = Vec::new();
        for (row, axes) in
            written.iter().flat_map(|row| combinations.iter().map(move |it| (row, it)))
        {
            let (mut row, mut own) = (row.clone(), axes.clone());
            merge(&mut own, &row.own);
            row.settings = self.settings(base.as_ref(), &own);
            row.paper.uncertain = row.uncertain.take().or(row.paper.uncertain);
            (row.of, row.own, row.baseline) = (name.into(), own, self.baseline.clone());
            rows.push(row);
        }
        Ok(rows)
    }

    fn base(&self) -> Result<Option<Self>> {
        match self.base.as_deref() {
            None => Ok(None),
            Some("paper") => Self::parse("paper.toml", PAPER).map(Some),
            Some(other) => Err(Error::unknown("base of a suite", "base", other, ["paper"])),
        }
    }

    /// The base, the file, the row, each on top of the one before. What holds only for some rows is
    /// chosen by what the row says in the end.
    fn settings(&self, base: Option<&Self>, own: &Table) -> Table {
        let (mut written, mut settings) = (Table::new(), Table::new());
        let files = || base.into_iter().chain([self]);
        files().map(|file| &file.set).chain([own]).for_each(|set| merge(&mut written, set));
        for file in files() {
            let when = file.when.iter().filter(|when| satisfies(&written, &when.is));
            let sets = std::iter::once(&file.set).chain(when.map(|when| &when.set));
            sets.for_each(|set| merge(&mut settings, set));
        }
        merge(&mut settings, own);
        settings
    }

    /// Every combination of the axes' values, the first axis changing slowest.
    fn combinations(&self, name: &str) -> Result<Vec<Table>> {
        let mut combinations = vec![Table::new()];
        for (key, values) in flat(&self.axes) {
            let values =
                values.as_array().filter(|values| !values.is_empty()).ok_or_else(|| {
                    Error::config(format!("axes.{key}"), "is not a list of values")
                        .with_origin(name)
                        .with_hint(format!("axes.{key} = [ONE, OTHER]"))
                })?;
            let with = |combination: &Table, value: &Value| {
                let mut combination = combination.clone();
                set(&mut combination, &key, value.clone());
                combination
            };
            combinations = combinations
                .iter()
                .flat_map(|combination| values.iter().map(move |value| with(combination, value)))
                .collect();
        }
        Ok(combinations)
    }
}

fn damaged(name: &str, error: &toml::de::Error) -> Error {
    Error::config(name, format!("is no suite: {error}"))
        .with_hint("docs/suites.md has every key of a suite")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<Row>> {
        File::parse("my.toml", text)?.rows("my")
    }

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn rows_are_combined_with_axes() {
        let rows = rows(
            "title = 't'\nset.growth.interval = 1\n[axes]\ngrowth.initializer = ['zero', 'adam']\n\
             data = [{ name = 'digits', fraction = 0.5 }, { name = 'synthetic' }]\n\
             [[row]]\nlabel = 'one'\n[[row]]\nset.growth.interval = 2\nset.data.name = 'svhn'",
        )
        .unwrap();
        assert_eq!(rows.len(), 2 * 4);
        assert_eq!(
            rows[0].settings,
            table(
                "data = { name = 'digits', fraction = 0.5 }\n\
                   growth = { interval = 1, initializer = 'zero' }"
            )
        );
        // The first key, in order of their names, changes slowest.
        assert_eq!(
            rows[1].own,
            table("data = { name = 'digits', fraction = 0.5 }\ngrowth.initializer = 'adam'")
        );
        assert_eq!(rows[0].label.as_deref(), Some("one"));
        assert_eq!(
            rows[4].settings,
            table(
                "data = { name = 'svhn', fraction = 0.5 }\n\
                   growth = { interval = 2, initializer = 'zero' }"
            )
        );
    }

    #[test]
    fn settings_come_with_others_and_own_ones_win() {
        let rows = rows(
            "title = 't'\nbase = 'paper'\nset.training.momentum = 0.5\n\
             [[when]]\ndata.name = ['svhn', 'mnist']\nset.fine_tune.epochs = 7\n\
             [[row]]\nset.data.name = 'imagenet'\n\
             [[row]]\nset = { data.name = 'svhn', network.name = 'plain3net' }\n\
             [[row]]\nset = { data.name = 'svhn', fine_tune.epochs = 9 }",
        )
        .unwrap();
        let value = |row: usize, key| crate::keys::get(&rows[row].settings, key).cloned();
        let int = |row, key| value(row, key).and_then(|value| value.as_integer());
        assert_eq!(
            (int(0, "fine_tune.epochs"), int(0, "training.batch_size")),
            (Some(90), Some(256))
        );
        assert_eq!(
            (int(1, "fine_tune.epochs"), int(1, "training.batch_size")),
            (Some(7), Some(128))
        );
        assert_eq!(value(1, "training.learning_rate"), Some(Value::Float(0.01)));
        assert_eq!(value(1, "training.momentum"), Some(Value::Float(0.5)));
        assert_eq!(int(2, "fine_tune.epochs"), Some(9));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, part) in [
            ("titel = 't'", "titel"),
            ("title = 't'\nseeds = 0", "seeds"),
            ("title = 't'\naxes.growth.interval = 3", "axes.growth.interval"),
            ("title = 't'\naxes.growth.interval = []", "axes.growth.interval"),
            ("title = 't'\nbase = 'papers'\n[[row]]", "papers"),
            ("title = 't'\nfigure = 'pie'", "pie"),
            ("title = 't'\n[[row]]\nsets.a = 1", "sets"),
        ] {
            let error = rows(text).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(part) && error.hint().is_some(), "{text}: {error}");
        }
    }
}
