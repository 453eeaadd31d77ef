//! `--merge`: the folders of several machines become one.

use crate::place::{Place, Stage};
use crate::record::{Record, file};
use autogrow_base::{Error, Result};
use autogrow_run::Outcome;
use autogrow_run::storage::{create_folder, failed, names};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// What a merge brought.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Merged {
    /// Run folders that were copied.
    pub(crate) copied: usize,
    /// Run folders that were there already.
    pub(crate) known: usize,
    /// Runs of which two folders have different results; the first is kept.
    pub(crate) differing: Vec<String>,
}

/// Copies every finished run of `from` that `place` has not got, and says what all were made with.
///
/// # Errors
/// [`Error::Run`] where a folder holds no results, or the folders were made with different settings;
/// where files cannot be read or written.
pub(crate) fn merge(from: &[PathBuf], place: &Place) -> Result<(Record, Merged)> {
    let mut record = Record::read(&place.out)?;
    for folder in from {
        let Some(other) = Record::read(folder)? else {
            return Err(Error::run(folder, "holds no suite.toml, and so no results")
                .with_hint("name folders that --out has made"));
        };
        match &mut record {
            None => record = Some(other),
            Some(record) => {
                record.check_like(&other, folder)?;
                record.seeds = record.seeds.max(other.seeds);
                record.suites.extend(other.suites);
            }
        }
    }
    let record = record.ok_or_else(|| Error::run(&place.out, "has nothing to merge"))?;
    create_folder(&place.runs())?;
    let mut merged = Merged::default();
    for folder in from {
        merge_one(&Place::new(folder), place, &mut merged)?;
    }
    record.clone().write(place, &[])?;
    Ok((record, merged))
}

fn merge_one(from: &Place, to: &Place, merged: &mut Merged) -> Result<()> {
    for suite in names(&from.out.join("suites"))? {
        let name = suite.trim_end_matches(".toml");
        if !file(&to.out, name).is_file() {
            create_folder(&to.out.join("suites"))?;
            copy(&file(&from.out, name), &file(&to.out, name))?;
        }
    }
    let mut runs = names(&from.runs())?;
    runs.retain(|name| from.runs().join(name).is_dir());
    runs.sort();
    for name in runs {
        let Stage::Finished(theirs) = from.stage(&name)? else { continue };
        match to.stage(&name)? {
            Stage::Finished(own) => {
                merged.known += 1;
                if !same(&own, &theirs) {
                    merged.differing.push(name);
                }
            }
            _ if to.holder(&name).is_some() => {
                return Err(Error::run(
                    to.runs().join(name),
                    "is being written by another process",
                )
                .with_hint("wait for it, or end it"));
            }
            _ => {
                take(from, to, &name)?;
                merged.copied += 1;
            }
        }
    }
    Ok(())
}

/// Whether all but the times is the same.
fn same(a: &Outcome, b: &Outcome) -> bool {
    let timeless = |outcome: &Outcome| Outcome {
        growing_seconds: 0.0,
        fine_tuning_seconds: 0.0,
        ..outcome.clone()
    };
    timeless(a) == timeless(b)
}

/// Copies a run folder and what lies beside it; the folder appears when it is complete.
fn take(from: &Place, to: &Place, name: &str) -> Result<()> {
    for extension in ["toml", "log"] {
        let file = from.beside(name, extension);
        if file.is_file() {
            copy(&file, &to.beside(name, extension))?;
        }
    }
    let folder = to.runs().join(name);
    let part = to.runs().join(format!("{name}.{}.part", std::process::id()));
    copy_all(&from.runs().join(name), &part)?;
    if folder.exists() {
        // One that was begun here; the finished one takes its place.
        let removed = fs::remove_dir_all(&folder);
        removed.map_err(|error| failed(&folder, "cannot be removed", &error))?;
    }
    fs::rename(&part, &folder).map_err(|error| failed(&folder, "cannot be made", &error))?;
    to.no_longer_failed(name);
    Ok(())
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    create_folder(to)?;
    for name in names(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        match source.is_dir() {
            true => copy_all(&source, &target)?,
            false => copy(&source, &target)?,
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).map_err(|error| failed(from, "cannot be copied", &error))
}

#[cfg(test)]
mod tests;
