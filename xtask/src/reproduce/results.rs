//! What was measured for the rows of a page, read from the run folders.

use super::figures::{self, Figure};
use super::paper::{Method, Row};
use super::place::{Outcome, Place, Stage};
use super::plan::{CellId, Entry, Page, Plan};
use super::run::cell_name;
use super::scale::Settings;
use anyhow::Result;

/// A page as it is written.
#[derive(Debug)]
pub(super) struct Results {
    pub(super) title: String,
    /// What holds for the whole page, a paragraph each.
    pub(super) notes: Vec<String>,
    pub(super) lines: Vec<Line>,
    /// Those that are drawn.
    pub(super) figures: Vec<Figure>,
}

/// A row of a page.
#[derive(Debug)]
pub(super) struct Line {
    /// Such as `Table 3`.
    pub(super) table: String,
    /// What was trained, in words.
    pub(super) setting: String,
    pub(super) paper: Printed,
    pub(super) seeds: Vec<Measured>,
    /// What differs from the paper's setting, beyond what the page's notes say.
    pub(super) differences: Vec<String>,
}

/// What the paper prints.
#[derive(Debug, Default)]
pub(super) struct Printed {
    pub(super) found: Option<String>,
    pub(super) accuracy: Option<f64>,
    pub(super) delta: Option<f64>,
    pub(super) top5: Option<f64>,
    pub(super) uncertain: Option<String>,
}

/// What came of a row with one seed.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) seed: u64,
    pub(super) run: Run,
    /// The same net from scratch, where the paper compares.
    pub(super) scratch: Option<Run>,
    /// Whether the net was found by growing, so that it can sit on a floor.
    pub(super) grown: bool,
}

/// A run folder and what is in it.
#[derive(Debug)]
pub(super) struct Run {
    /// None as long as its depth is to be found.
    pub(super) name: Option<String>,
    pub(super) outcome: Option<Outcome>,
    /// Why there is no outcome.
    pub(super) word: String,
}

impl Measured {
    /// Test accuracy against training from scratch, percentage points.
    pub(super) fn delta(&self) -> Option<f64> {
        let scratch = self.scratch.as_ref()?.outcome.as_ref()?;
        Some(self.run.outcome.as_ref()?.test_accuracy - scratch.test_accuracy)
    }
}

impl Results {
    /// Reads what there is so far.
    ///
    /// # Errors
    /// Where a result cannot be read.
    pub(super) fn read(
        page: &Page<'_>,
        plan: &Plan<'_>,
        place: &Place,
        settings: &Settings<'_>,
    ) -> Result<Self> {
        let differences = page.entries.iter().map(|entry| settings.differences(entry.row));
        let differences: Vec<_> = differences.collect::<Result<_>>()?;
        let common = common(&differences);
        let mut lines = Vec::new();
        for (entry, mut differences) in page.entries.iter().zip(differences) {
            differences.retain(|difference| !common.contains(difference));
            lines.push(Line::read(entry, plan, place, differences)?);
        }
        let mut notes = vec![page.suite.note.to_string()];
        notes.push(format!("Scale `{}`. {}", settings.scale.name(), settings.words()));
        notes.push(match common.as_slice() {
            [] => "What differs from the paper's setting stands in the last column.".into(),
            common => format!("In all rows, unlike in the paper: {}.", common.join("; ")),
        });
        let figures = figures::drawn(page, plan, place, settings.scale)?;
        Ok(Self { title: page.suite.title.clone(), notes, lines, figures })
    }
}

impl Line {
    fn read(
        entry: &Entry<'_>,
        plan: &Plan<'_>,
        place: &Place,
        differences: Vec<String>,
    ) -> Result<Self> {
        let Entry { table, row, seeds } = entry;
        let grown = matches!(row.method, Method::Grow(_));
        let read = |id: CellId| Run::read(plan, place, id);
        let seeds = seeds.iter().map(|cells| {
            let scratch = cells.scratch.map(read).transpose()?;
            Ok(Measured { seed: cells.seed, run: read(cells.run)?, scratch, grown })
        });
        let paper = &row.paper;
        Ok(Self {
            table: table.number.clone(),
            setting: setting(row),
            paper: Printed {
                found: paper.found.as_ref().map(ToString::to_string),
                accuracy: paper.accuracy,
                delta: paper.delta,
                top5: paper.top5,
                uncertain: row.uncertain.clone(),
            },
            seeds: seeds.collect::<Result<_>>()?,
            differences,
        })
    }
}

impl Run {
    fn read(plan: &Plan<'_>, place: &Place, id: CellId) -> Result<Self> {
        let Some(name) = cell_name(plan, place, id)? else {
            return Ok(Self { name: None, outcome: None, word: "not run yet".into() });
        };
        let (outcome, word) = match (place.stage(&name)?, place.failure(&name)) {
            (Stage::Finished(outcome), _) => (Some(outcome), String::new()),
            (_, Some(why)) => (None, format!("failed: {why}")),
            (Stage::Begun, None) => (None, "not finished".into()),
            (Stage::Missing, None) => (None, "not run yet".into()),
        };
        Ok(Self { name: Some(name), outcome, word })
    }
}

/// What all rows have in common.
fn common(differences: &[Vec<String>]) -> Vec<String> {
    let Some((first, others)) = differences.split_first() else { return Vec::new() };
    let in_all = |difference: &&String| others.iter().all(|other| other.contains(difference));
    first.iter().filter(in_all).cloned().collect()
}

/// What a row is about, in the paper's words.
pub(super) fn setting(row: &Row) -> String {
    let Row { network, data, fraction, method, compat, .. } = row;
    let size = if *fraction < 1.0 { format!(" ({} %)", 100.0 * fraction) } else { String::new() };
    let how = match method {
        Method::Scratch(scratch) => format!("-{}, from scratch", scratch.depth),
        Method::Morph(morph) => {
            let initializer = initializer(&morph.initializer);
            format!("-{} to {}, {initializer}", morph.shallow, morph.deep)
        }
        Method::Grow(grow) => {
            let seed = grow.seed.as_ref().map(|seed| format!("-{seed}")).unwrap_or_default();
            let policy = match grow.policy.as_str() {
                "convergent" => "c-AutoGrow",
                _ => "p-AutoGrow",
            };
            let (initializer, schedule) = (initializer(&grow.initializer), &grow.schedule);
            format!("{seed}, {policy}, K = {}, {initializer}, {schedule}", grow.interval)
        }
    };
    let compat = if compat == "code" { ", as the released code" } else { "" };
    format!("{network}{how}{compat}; {data}{size}")
}

/// As the paper calls it.
fn initializer(name: &str) -> &str {
    match name {
        "zero" => "ZeroInit",
        "adam" => "AdamInit",
        "uniform" => "UniInit",
        "gaussian" => "GauInit",
        other => other,
    }
}
