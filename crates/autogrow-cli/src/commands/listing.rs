//! Which part of a data set each image or row is in: for `autogrow data --list`, and kept in run folders.

use autogrow::data::{DataSet, Outputs, Split, Targets};
use autogrow::run::publish;
use autogrow::{Error, Result};
use autogrow_run::names;
use serde::Serialize;
use std::path::Path;

/// An image, or a row of a table.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    /// `train`, `val` or `test`.
    pub(super) part: &'static str,
    /// Its class, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) class: Option<String>,
    /// Its file, or its line in one; else its place in the part.
    pub(super) name: String,
}

/// Hands every image of a set to `take`, part by part, until that says false.
///
/// # Errors
/// Data errors, and those of `take`.
pub(super) fn each(data: &DataSet, mut take: impl FnMut(Listed) -> Result<bool>) -> Result<()> {
    let parts: [(&str, &dyn Split); 3] =
        [("train", &*data.train), ("val", &*data.validation), ("test", &*data.test)];
    for (part, split) in parts {
        let targets = split.targets()?;
        for place in 0..split.len() {
            let class = match (&targets, &data.outputs) {
                (Targets::Classes(classes), Outputs::Classes(names)) => {
                    classes.get(place).and_then(|&class| names.get(class)).cloned()
                }
                _ => None,
            };
            let name = split.name(place).unwrap_or_else(|| place.to_string());
            if !take(Listed { part, class, name })? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Writes `files.csv` of a run: `part,class,file` of every picture.
///
/// # Errors
/// Data errors, and [`Error::Run`] where it cannot be written.
pub(super) fn keep(data: &DataSet, run: &Path) -> Result<()> {
    let mut rows = Vec::new();
    each(data, |listed| {
        rows.push([listed.part.into(), listed.class.unwrap_or_default(), listed.name]);
        Ok(true)
    })?;
    write_table(&run.join(names::FILES), ["part", "class", "file"], &rows)
}

/// Writes a CSV file.
///
/// # Errors
/// [`Error::Run`] where it cannot be written.
pub(super) fn write_table<const N: usize>(
    path: &Path,
    header: [&str; N],
    rows: &[[String; N]],
) -> Result<()> {
    let cannot = |error: csv::Error| Error::run(path, error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(cannot)?;
    rows.iter().try_for_each(|row| writer.write_record(row)).map_err(cannot)?;
    let bytes = writer.into_inner().map_err(|error| Error::run(path, error.to_string()))?;
    publish(path, &bytes)
}
