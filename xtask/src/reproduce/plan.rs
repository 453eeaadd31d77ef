//! Which runs a reproduction consists of, and which of them wait for which.
//!
//! A baseline from scratch has the depth that another run finds, so its configuration is not known
//! before that run has ended.

use super::config::Config;
use super::depth::Depth;
use super::paper::{Method, Row, Table};
use super::scale::{Scale, Settings};
use super::suites::Suite;
use anyhow::Result;
use std::collections::HashMap;

/// Index of a cell in a plan.
pub(super) type CellId = usize;

/// One run.
#[derive(Debug)]
pub(super) struct Cell {
    /// The run folder's name, or for a depth that is to be found, what it will be the baseline of.
    pub(super) key: String,
    /// With the seed's depth as long as the right one is to be found.
    pub(super) config: Config,
    /// The cell that finds the depth.
    pub(super) found_by: Option<CellId>,
    /// The cells that have to end before.
    pub(super) after: Vec<CellId>,
    /// The depth that the paper found under the same setting.
    pub(super) expected: Option<Depth>,
}

/// The cells of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SeedCells {
    pub(super) seed: u64,
    /// What the row is about.
    pub(super) run: CellId,
    /// The same net from scratch, where the paper compares.
    pub(super) scratch: Option<CellId>,
    /// The cell that `run` went on from, in which weights were trained as well.
    pub(super) before: Option<CellId>,
}

/// A row of a page.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) table: &'a Table,
    pub(super) row: &'a Row,
    /// One for each seed.
    pub(super) seeds: Vec<SeedCells>,
}

/// What a suite shows.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) suite: &'a Suite<'a>,
    pub(super) entries: Vec<Entry<'a>>,
}

/// All runs, each once, dependencies before what depends on them.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) cells: Vec<Cell>,
    pub(super) pages: Vec<Page<'a>>,
}

impl Cell {
    /// The configuration, given what the cell that finds its depth has found.
    pub(super) fn resolved(&self, found: Option<&Depth>) -> Config {
        let mut config = self.config.clone();
        if let Some(found) = found {
            config.network.depth = found.clone();
        }
        config
    }
}

impl<'a> Plan<'a> {
    /// The runs of some suites, for each of the seeds 0 to `seeds` - 1.
    ///
    /// # Errors
    /// Where the data files do not name something.
    pub(super) fn new(
        settings: &Settings<'_>,
        suites: &'a [Suite<'a>],
        seeds: u64,
    ) -> Result<Self> {
        let mut cells = Cells::default();
        let mut pages = Vec::new();
        for suite in suites {
            let mut entries = Vec::new();
            for &(table, row) in &suite.rows {
                let seeds = (0..seeds).map(|seed| cells.of_row(settings, row, seed));
                entries.push(Entry { table, row, seeds: seeds.collect::<Result<_>>()? });
            }
            pages.push(Page { suite, entries });
        }
        Ok(Self { cells: cells.cells, pages })
    }
}

#[derive(Default)]
struct Cells {
    cells: Vec<Cell>,
    by_key: HashMap<String, CellId>,
}

impl Cells {
    fn of_row(&mut self, settings: &Settings<'_>, row: &Row, seed: u64) -> Result<SeedCells> {
        let compares = row.paper.delta.is_some();
        let mut before = None;
        let (run, scratch) = match &row.method {
            Method::Scratch(scratch) => {
                (self.given(settings.scratch(row, &scratch.depth, seed)?, &[])?, None)
            }
            Method::Grow(grow) => {
                let run = self.given(settings.grow(row, grow, seed)?, &[])?;
                if settings.scale == Scale::Paper && self.cells[run].expected.is_none() {
                    self.cells[run].expected = row.paper.found.clone();
                }
                let baseline = || {
                    let config = settings.scratch(row, &Depth::seed(row.sub_networks()), seed)?;
                    let key = format!("scratch of {}", self.cells[run].key);
                    Ok::<_, anyhow::Error>((key, config))
                };
                let scratch = compares.then(baseline).transpose()?;
                (run, scratch.map(|(key, config)| self.add(key, config, Some(run), &[run])))
            }
            Method::Morph(morph) => {
                let shallow = self.given(settings.scratch(row, &morph.shallow, seed)?, &[])?;
                before = Some(shallow);
                let from = (&morph.shallow, self.cells[shallow].key.as_str());
                let deepen = settings.deepen(row, from, &morph.deep, &morph.initializer, seed)?;
                let deepen = self.given(deepen, &[shallow])?;
                let deepened =
                    settings.deepened(row, &morph.deep, &self.cells[deepen].key, seed)?;
                let run = self.given(deepened, &[deepen])?;
                let scratch =
                    compares.then(|| settings.scratch(row, &morph.deep, seed)).transpose()?;
                (run, scratch.map(|config| self.given(config, &[])).transpose()?)
            }
        };
        Ok(SeedCells { seed, run, scratch, before })
    }

    fn given(&mut self, config: Config, after: &[CellId]) -> Result<CellId> {
        Ok(self.add(config.cell_name()?, config, None, after))
    }

    /// The cell of this key; a new one where there is none. It keeps its weights as often as the
    /// suite wants that wants it most often.
    fn add(
        &mut self,
        key: String,
        config: Config,
        found_by: Option<CellId>,
        after: &[CellId],
    ) -> CellId {
        let next = self.cells.len();
        let id = *self.by_key.entry(key.clone()).or_insert(next);
        if id == next {
            let after = after.to_vec();
            self.cells.push(Cell { key, config, found_by, after, expected: None });
            return id;
        }
        let kept = &mut self.cells[id].config.run.snapshots;
        *kept = match (*kept, config.run.snapshots) {
            (0, other) | (other, 0) => other,
            (own, other) => own.min(other),
        };
        id
    }
}

#[cfg(test)]
mod tests;
