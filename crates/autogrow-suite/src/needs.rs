//! What has to be there before a run is begun: its data set, its device.

use crate::cell::Cell;
use crate::keys::get;
use crate::program::Program;
use crate::scale::Told;
use crate::sets::Sets;
use autogrow_base::{Error, Result};
use autogrow_fetch::{Catalogue, Places, Presence, states};
use serde::Serialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// A data set that cannot be trained on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Missing {
    pub(crate) data: String,
    pub(crate) problem: String,
    pub(crate) hint: String,
}

impl Missing {
    /// What is missing and how to get it.
    pub(crate) fn text(&self) -> String {
        let Self { data, problem, hint } = self;
        format!("\n{data} is missing: {problem}\nhint: {hint}\n")
    }
}

/// The data sets of the catalogue, among those that some settings name, that are not here. Their
/// files are looked for by name alone.
pub(crate) fn missing<'a>(settings: impl Iterator<Item = &'a Table>) -> Result<Vec<Missing>> {
    let text = |table: &'a Table, key| get(table, key).and_then(Value::as_str);
    // What has a folder of its own is looked at where it lies.
    let of_catalogue = settings.filter(|table| text(table, "data.dir").unwrap_or("").is_empty());
    let names: Vec<_> = of_catalogue.filter_map(|table| text(table, "data.name")).collect();
    let catalogue = Catalogue::built_in()
        .map_err(|error| Error::data("the catalogue of data sets", error.problem()))?;
    let states = states(&catalogue, &Places::from_environment()).into_iter();
    let wanted = states.filter(|state| names.contains(&state.set.as_str()));
    let missing = wanted.filter_map(|state| {
        let folders = || {
            let folders = state.searched.iter().map(|folder| folder.display().to_string());
            folders.collect::<Vec<_>>().join(", ")
        };
        let problem = match (state.presence, &state.folder) {
            (Presence::Here, _) => return None,
            (Presence::Partly, Some(folder)) => {
                format!("{} lacks {}", folder.display(), state.missing.join(", "))
            }
            _ => format!("its files are in none of {}", folders()),
        };
        Some(Missing { data: state.set, problem, hint: state.how_to_get })
    });
    Ok(missing.collect())
}

/// The same of cells, and the data sets of which only their files can tell, where they cannot be
/// opened.
pub(crate) fn missing_of<'a>(
    cells: impl Iterator<Item = &'a Cell>,
    sets: &Sets,
    program: &Program,
) -> Result<Vec<Missing>> {
    let cells: Vec<_> = cells.collect();
    let mut missing = missing(cells.iter().map(|cell| &cell.told.settings))?;
    let unknown = cells.iter().filter(|cell| sets.of(&cell.told.config).is_none());
    let unknown = unknown.map(|cell| (format!("{:?}", cell.told.config.data), &cell.told));
    for Told { settings, config } in unknown.collect::<BTreeMap<_, _>>().into_values() {
        match program.ask_about::<IgnoredAny>(settings, &["data".into()]) {
            Ok(_) => {}
            Err(Error::Program { problem, hint, .. }) => {
                let (data, hint) = (config.data.name.clone(), hint.unwrap_or_default());
                missing.push(Missing { data, problem, hint });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(missing)
}

/// Refuses to begin without its data, naming all that is missing at once.
///
/// # Errors
/// [`Error::Data`].
pub(crate) fn refuse(missing: &[Missing]) -> Result<()> {
    let Some((first, others)) = missing.split_first() else { return Ok(()) };
    let error = Error::data(&first.data, format!("is missing: {}", first.problem));
    let mut hint = first.hint.clone();
    for Missing { data, problem, hint: more } in others {
        hint.push_str(&format!("\n{data} is missing as well: {problem}\n{more}"));
    }
    Err(error.with_hint(hint))
}

/// Opens the device of a cell, and computes something on it.
///
/// # Errors
/// That of the program: exit code 6 where the device is not there.
pub(crate) fn open_device(cell: &Cell, program: &Program) -> Result<()> {
    let device = format!("--device={}", cell.told.config.run.device);
    // As small a step as there is.
    let step = ["bench", "step", "--batch=1", "--steps=1", "--image=1x8x8", "--classes=2"];
    let small = ["--set=network.width=1", device.as_str()];
    program.ask::<IgnoredAny>(step.into_iter().chain(small)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_missing_is_told_at_once() {
        assert!(refuse(&[]).is_ok());
        let missing = |data: &str| Missing {
            data: data.into(),
            problem: "its files are nowhere".into(),
            hint: format!("autogrow download {data}"),
        };
        let error = refuse(&[missing("svhn"), missing("cifar10")]).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert_eq!(error.to_string(), "svhn: is missing: its files are nowhere");
        let hint = error.hint().unwrap();
        assert_eq!(
            hint,
            "autogrow download svhn\ncifar10 is missing as well: its files are nowhere\n\
             autogrow download cifar10"
        );
    }

    #[test]
    fn what_has_a_folder_of_its_own_is_not_looked_for() {
        let table = |text: &str| -> Table { toml::from_str(text).unwrap() };
        let tables = [
            table("data = { name = 'imagenet', dir = '/somewhere' }"),
            table("data.name = 'digits'"),
            table("growth.interval = 3"),
        ];
        assert_eq!(missing(tables.iter()).unwrap(), []);
    }
}
