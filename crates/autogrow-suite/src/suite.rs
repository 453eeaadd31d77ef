//! Suites: those of the paper, which are built in, by name; a user's own by their files.

use crate::file::{Figure, File, Row};
use crate::keys::{satisfies, text};
use autogrow_base::{Error, Result};
use std::path::Path;
use toml::{Table, Value};

/// Name and file of every suite that is built in, in the order in which they are listed.
const BUILT_IN: [(&str, &str); 26] = [
    ("table2", include_str!("../suites/table2.toml")),
    ("table3", include_str!("../suites/table3.toml")),
    ("table4", include_str!("../suites/table4.toml")),
    ("table5", include_str!("../suites/table5.toml")),
    ("table6", include_str!("../suites/table6.toml")),
    ("table7", include_str!("../suites/table7.toml")),
    ("table8", include_str!("../suites/table8.toml")),
    ("table9", include_str!("../suites/table9.toml")),
    ("table10", include_str!("../suites/table10.toml")),
    ("table11", include_str!("../suites/table11.toml")),
    ("figure2", include_str!("../suites/figure2.toml")),
    ("figure3", include_str!("../suites/figure3.toml")),
    ("figure4", include_str!("../suites/figure4.toml")),
    ("figure5", include_str!("../suites/figure5.toml")),
    ("figure6", include_str!("../suites/figure6.toml")),
    ("figure7", include_str!("../suites/figure7.toml")),
    ("figure8", include_str!("../suites/figure8.toml")),
    ("claims", include_str!("../suites/claims.toml")),
    ("morph", include_str!("../suites/morph.toml")),
    ("field", include_str!("../suites/field.toml")),
    ("mnist", include_str!("../suites/mnist.toml")),
    ("fashion-mnist", include_str!("../suites/fashion-mnist.toml")),
    ("svhn", include_str!("../suites/svhn.toml")),
    ("cifar10", include_str!("../suites/cifar10.toml")),
    ("cifar100", include_str!("../suites/cifar100.toml")),
    ("imagenet", include_str!("../suites/imagenet.toml")),
];

/// Every suite that is built in.
const ALL: &str = "all";

/// Keys that hold a path, which is relative to the suite's file: section and name.
const PATHS: [(&str, &str); 2] = [("data", "dir"), ("training", "init_from")];

/// Some rows under one name.
#[derive(Clone, Debug)]
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) note: String,
    /// Runs of each row, unless the command says otherwise.
    pub(crate) seeds: u64,
    pub(crate) figure: Option<Figure>,
    pub(crate) rows: Vec<Row>,
    /// Whether its settings are the paper's.
    pub(crate) is_of_paper: bool,
    /// The file's text with every path written out, where it is a user's.
    pub(crate) text: Option<String>,
}

impl Suite {
    /// Every suite that is built in.
    pub(crate) fn built_in() -> Result<Vec<Self>> {
        BUILT_IN.iter().map(|(name, _)| Self::named(name)).collect()
    }

    /// The suites of these names, each once, in the order in which they are listed.
    ///
    /// # Errors
    /// [`Error::Unknown`] where there is no such suite.
    pub(crate) fn chosen(names: &[String]) -> Result<Vec<Self>> {
        for name in names.iter().filter(|name| *name != ALL) {
            text_of(name)?;
        }
        let wanted = |own: &str| names.iter().any(|name| name == ALL || name == own);
        let chosen = BUILT_IN.iter().filter(|(name, _)| wanted(name));
        chosen.map(|(name, _)| Self::named(name)).collect()
    }

    fn named(name: &str) -> Result<Self> {
        Self::parse(name, text_of(name)?)
    }

    /// A user's suite, called as its file without the ending.
    ///
    /// # Errors
    /// [`Error::Config`] where it cannot be read or is no suite; [`Error::Unknown`] for a name in it
    /// that nothing has.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::config(path.display().to_string(), format!("cannot be read ({error})"))
                .with_hint("`autogrow reproduce --list` shows the suites that are built in")
        })?;
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if name == ALL || BUILT_IN.iter().any(|(built_in, _)| *built_in == name) {
            let problem = "is named like a suite that is built in";
            return Err(Error::config(path.display().to_string(), problem)
                .with_hint(format!("rename it, or `autogrow reproduce {name}`")));
        }
        let wrong = |error: Error| error.with_origin(path.display().to_string());
        File::parse(&name, &text).map_err(wrong)?;
        let folder = std::path::absolute(path.parent().unwrap_or(Path::new(".")));
        let text = with_paths(&text, folder.as_deref().unwrap_or(Path::new(".")))?;
        let suite = Self::parse(&name, &text).map_err(wrong)?;
        Ok(Self { text: Some(text), is_of_paper: false, ..suite })
    }

    fn parse(name: &str, text: &str) -> Result<Self> {
        let file = File::parse(name, text)?;
        let mut rows = file.rows(name)?;
        for other in &file.rows_of {
            let of = Self::named(other)?.rows;
            rows.extend(of.into_iter().filter(|row| satisfies(&row.settings, &file.only)));
        }
        if rows.is_empty() {
            return Err(Error::config(name, "has no rows")
                .with_hint("[[row]], [axes] or rows_of makes some; see docs/suites.md"));
        }
        let is_of_paper = file.base.is_some() || !file.rows_of.is_empty();
        let File { title, note, seeds, figure, .. } = file;
        Ok(Self { name: name.into(), title, note, seeds, figure, rows, is_of_paper, text: None })
    }
}

fn text_of(name: &str) -> Result<&'static str> {
    let known = || BUILT_IN.iter().map(|(name, _)| *name).chain([ALL]);
    let found = BUILT_IN.iter().find(|(own, _)| *own == name).map(|(_, text)| *text);
    found.ok_or_else(|| Error::unknown("suite", "", name, known()))
}

/// The text of a suite with every path written out: runs work in a folder of their own.
fn with_paths(suite: &str, folder: &Path) -> Result<String> {
    let mut document: Table =
        toml::from_str(suite).map_err(|error| Error::config("a suite", error.to_string()))?;
    write_out(&mut document, "", folder);
    text(&document)
}

fn write_out(table: &mut Table, section: &str, folder: &Path) {
    for (key, value) in table {
        let values = match value {
            Value::Array(values) => values.iter_mut().collect(),
            value => vec![value],
        };
        for value in values {
            match value {
                Value::Table(inner) => write_out(inner, key, folder),
                Value::String(path) if PATHS.contains(&(section, key.as_str())) => {
                    *path = folder.join(&*path).display().to_string();
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod paper;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    fn chosen(names: &[&str]) -> Result<Vec<String>> {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        Ok(Suite::chosen(&names)?.into_iter().map(|suite| suite.name).collect())
    }

    #[test]
    fn built_in_suites_are_chosen_by_name() {
        assert_eq!(chosen(&["table4", "table3", "table4"]).unwrap(), ["table3", "table4"]);
        assert_eq!(chosen(&["all"]).unwrap().len(), 26);
        let error = chosen(&["table12"]).unwrap_err();
        assert_eq!((error.exit_code(), error.hint().unwrap().contains("table")), (2, true));
    }

    #[test]
    fn every_row_of_a_table_belongs_to_a_data_set() {
        let count = |names: &[String]| -> usize {
            Suite::chosen(names).unwrap().iter().map(|suite| suite.rows.len()).sum()
        };
        let tables: Vec<_> = (2..=10).map(|number| format!("table{number}")).collect();
        let sets: Vec<_> = BUILT_IN[20..].iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(count(&sets), count(&tables));
        assert_eq!(count(&["mnist".into()]), 4 + 4);
        assert_eq!(count(&["morph".into()]), count(&["table2".into()]));
    }

    #[test]
    fn a_file_of_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        assert!(Suite::read(&path).unwrap_err().hint().unwrap().contains("--list"));
        let text = "title = 'Mine'\nrows_of = ['table9']\nonly.data.name = 'svhn'\n\
                    axes.training.init_from = ['a', '/b']\n\
                    [[row]]\nset.data = { name = 'folder', dir = 'pictures' }";
        fs::write(&path, text).unwrap();
        let suite = Suite::read(&path).unwrap();
        assert_eq!((suite.name.as_str(), suite.rows.len()), ("mine", 2 + 4));
        assert_eq!((suite.rows[0].of.as_str(), suite.rows[2].of.as_str()), ("mine", "table9"));
        let path_of = |row: usize, key| {
            let value = crate::keys::get(&suite.rows[row].settings, key);
            PathBuf::from(value.and_then(Value::as_str).unwrap())
        };
        assert_eq!(path_of(0, "data.dir"), folder.path().join("pictures"));
        assert_eq!(path_of(0, "training.init_from"), folder.path().join("a"));
        assert_eq!(path_of(1, "training.init_from"), PathBuf::from("/b"));
        // Its copy means the same wherever it lies.
        let copies = folder.path().join("copies");
        fs::create_dir(&copies).unwrap();
        fs::write(copies.join("mine.toml"), suite.text.as_ref().unwrap()).unwrap();
        let copy = Suite::read(&copies.join("mine.toml")).unwrap();
        assert_eq!(copy.rows[0].settings, suite.rows[0].settings);
        fs::write(&path, "title = 'Mine'").unwrap();
        assert!(Suite::read(&path).unwrap_err().to_string().contains("no rows"));
        let taken = folder.path().join("table3.toml");
        fs::write(&taken, "title = 'Mine'").unwrap();
        assert!(Suite::read(&taken).unwrap_err().to_string().contains("built in"));
    }
}
