//! `cargo xtask reproduce merge`: the folders of several machines become one.

use super::autogrow::Autogrow;
use super::pages::write_pages;
use super::paper::Paper;
use super::place::{Outcome, Place, Stage};
use super::plan::Plan;
use super::record::Record;
use super::scale::Settings;
use super::{FAILED, all_threads, default_out, figures, parse_jobs, show, suites, usage};
use crate::tree::Tree;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to merge, and where.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Folders of results
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Folder of all results [default: runs/reproduce/SCALE]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// CPU threads to draw figures with [default: all]
    #[arg(long, value_parser = parse_jobs)]
    threads: Option<usize>,
    /// The program that draws figures; without, it is built where one is to be drawn
    #[arg(long, value_name = "FILE")]
    autogrow: Option<PathBuf>,
}

/// What a merge brought.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Merged {
    /// Run folders that were copied.
    pub(super) copied: usize,
    /// Run folders that were there already.
    pub(super) known: usize,
    /// Cells of which two folders have different results; the first is kept.
    pub(super) differing: Vec<String>,
}

/// Copies runs together, writes the tables of all suites that were run, and draws their figures.
///
/// # Errors
/// Where files cannot be read or written, or `autogrow` cannot be started.
pub(super) fn run(tree: &Tree, paper: &Paper, args: &MergeArgs) -> Result<ExitCode> {
    let folders = &args.folders;
    let out = match (&args.out, Record::read(&folders[0])?) {
        (Some(out), _) => out.clone(),
        (None, Some(record)) => default_out(tree, record.scale()?),
        (None, None) => {
            return usage(&format!("{} holds no results", folders[0].display()));
        }
    };
    // Runs are drawn from in a folder of their own.
    let place = Place { out: std::path::absolute(out)? };
    let (record, merged) = match merge(folders, &place) {
        Ok(merged) => merged,
        Err(error) => return usage(&format!("{error:#}")),
    };
    let names: Vec<_> = record.suites.iter().cloned().collect();
    let suites = suites::choose(paper, &names)?;
    let data = record.data.as_deref().map(|name| paper.set(name)).transpose()?;
    let settings = Settings { paper, scale: record.scale()?, data, device: &record.device };
    let plan = Plan::new(&settings, &suites, record.seeds)?;
    write_pages(&plan, &place, &settings)?;
    println!("{} runs copied, {} known", merged.copied, merged.known);
    for name in &merged.differing {
        eprintln!("warning: {name} has two results; the one that was there is kept");
    }

    let missing = figures::to_draw(&plan, &place, settings.scale)?;
    let mut failed = Vec::new();
    if !missing.is_empty() {
        let mut autogrow = Autogrow::at(args.autogrow.as_deref(), tree)?;
        autogrow.listen();
        let threads = args.threads.map_or_else(all_threads, Ok)?;
        failed = figures::draw(&missing, &place, (&autogrow, threads))?;
        write_pages(&plan, &place, &settings)?;
        if let Some(code) = autogrow.interrupted() {
            return Ok(code.into());
        }
    }
    println!("{}", show::pages(&plan, &place));
    let well = merged.differing.is_empty() && failed.is_empty();
    Ok(if well { ExitCode::SUCCESS } else { FAILED.into() })
}

/// Copies every finished run of `from` that `place` has not got, and says what all were made with.
///
/// # Errors
/// Where a folder holds no results, or the folders were made with different settings; where files
/// cannot be read or written.
pub(super) fn merge(from: &[PathBuf], place: &Place) -> Result<(Record, Merged)> {
    let mut record = Record::read(&place.out)?;
    for folder in from {
        let Some(other) = Record::read(folder)? else {
            bail!("{} holds no reproduce.toml, so no results", folder.display());
        };
        let Some(record) = &mut record else {
            record = Some(other);
            continue;
        };
        ensure!(
            record.how() == other.how(),
            "{} was made {}, the others {}",
            folder.display(),
            other.how(),
            record.how()
        );
        record.seeds = record.seeds.max(other.seeds);
        record.suites.extend(other.suites);
    }
    let record = record.context("no folder to merge")?;
    fs::create_dir_all(place.runs())?;
    let mut merged = Merged::default();
    for folder in from {
        merge_one(&Place { out: folder.clone() }, place, &mut merged)?;
    }
    record.clone().write(place)?;
    Ok((record, merged))
}

fn merge_one(from: &Place, to: &Place, merged: &mut Merged) -> Result<()> {
    let runs = from.runs();
    let entries = fs::read_dir(&runs).with_context(|| format!("{}", runs.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.extend(entry.file_name().into_string().ok());
        }
    }
    names.sort();
    for name in names {
        let Stage::Finished(theirs) = from.stage(&name)? else { continue };
        match to.stage(&name)? {
            Stage::Finished(ours) => {
                merged.known += 1;
                if !same(&ours, &theirs) {
                    merged.differing.push(name);
                }
            }
            _ if to.holder(&name).is_some() => bail!("another process works on {name}"),
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
            fs::copy(file, to.beside(name, extension))?;
        }
    }
    let folder = to.runs().join(name);
    let part = to.runs().join(format!("{name}.{}.part", std::process::id()));
    copy_all(&from.runs().join(name), &part)?;
    if folder.exists() {
        // One that was begun here; the finished one takes its place.
        fs::remove_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    }
    fs::rename(&part, &folder).with_context(|| format!("{}", folder.display()))?;
    to.no_longer_failed(name);
    Ok(())
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("{}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("{}", from.display()))? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_all(&source, &target)?;
        } else {
            fs::copy(&source, &target).with_context(|| format!("{}", source.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
